"""The public names: those that are found, and those that a type checker sees, are the same."""

import ast
from pathlib import Path

import pytest

import cvxinv

SOURCE = Path(cvxinv.__file__)


def seen_by_type_checkers():
    (block,) = (
        node
        for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return sorted(name.asname for statement in block.body for name in statement.names)


def test_type_checkers_see_the_public_names():
    assert seen_by_type_checkers() == cvxinv.__all__


@pytest.mark.parametrize("name", cvxinv.__all__)
def test_public_names_resolve(name):
    found = getattr(cvxinv, name)
    assert found.__name__.rpartition(".")[2] == ("file" if name == "problem_file" else name)
    assert name in dir(cvxinv)


def test_unknown_names_do_not_resolve():
    with pytest.raises(AttributeError, match="nonsense"):
        cvxinv.nonsense  # noqa: B018


def test_errors_are_public_and_what_callers_expect():
    from cvxinv import errors

    ours = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert ours <= set(cvxinv.__all__)
    for name in ours:
        assert issubclass(getattr(errors, name), (ValueError, TypeError, ImportError))
