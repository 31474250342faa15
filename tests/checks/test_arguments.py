"""Every argument of every public function: what is no such thing is refused by name, before any
work.

A row of the table is a function, a call that is right, and the kind of each of its arguments; the
kind says which values are wrong.
"""

import inspect

import pytest

import cvxinv
from cvxinv import guarantees
from tests.support.bad import BAD
from tests.support.doors import DOORS

# what is not walked: the device and dtype of `to`, a path, a module (their own tests do that)
LEFT_OUT = {"mnist_generator", "from_torch", "to", "load", "save"}
CASES = [(door, argument) for door in DOORS for argument in door.kinds]


@pytest.mark.parametrize(
    ("door", "argument"), CASES, ids=[f"{door.name}-{argument}" for door, argument in CASES]
)
def test_what_is_wrong_is_refused_by_name(door, argument):
    for bad in BAD[door.kinds[argument]]:
        with pytest.raises((TypeError, ValueError)) as caught:
            door.function(**{**door.right, argument: bad})
        assert str(caught.value).startswith((f"{argument}: ", f"{argument}[")), (bad, caught.value)


@pytest.mark.parametrize("door", DOORS, ids=[door.name for door in DOORS])
def test_no_argument_is_forgotten(door):
    """But for options that are handed on: tests/reference/test_solvers.py."""
    given = inspect.signature(door.function).parameters.values()
    assert set(door.kinds) == {p.name for p in given if p.kind is not p.VAR_KEYWORD}


def test_no_function_is_forgotten():
    public = [getattr(room, name) for room in (cvxinv, guarantees) for name in room.__all__]
    functions = {f.__name__ for f in public if inspect.isfunction(f)}
    assert functions - {door.function.__name__ for door in DOORS} == {"mnist_generator"}
