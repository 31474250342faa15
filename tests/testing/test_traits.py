"""What may be asked of the strategies: every trait is checked when the strategy is made, and the
message names it, what is expected and what was given.
"""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxinv import Generator, testing
from cvxinv.testing import Traits, generators, planted, signals, statements
from cvxinv.testing.traits import Asked, asked

WRONG = [
    ("rows", 0, ValueError, "an integer from 1 to 4096, got 0"),
    ("rows", 2.0, TypeError, "an integer from 1 to 4096, got 2.0"),
    ("rows", True, TypeError, "an integer from 1 to 4096, got True"),
    ("rows", None, TypeError, "an integer from 1 to 4096, got None"),
    ("rows", (1, 2, 3), ValueError, "an integer, or the least and the most, got (1, 2, 3)"),
    ("rows", "3", TypeError, "an integer from 1 to 4096, got '3'"),
    ("columns", (3, 1), ValueError, "an integer from 3 to 4096, got 1"),
    ("columns", (1, 5000), ValueError, "an integer from 1 to 4096, got 5000"),
    ("columns", -1, ValueError, "an integer from 1 to 4096, got -1"),
    ("batch", -1, ValueError, "an integer from 0 to 4096, got -1"),
    ("batch", (2, 1), ValueError, "an integer from 2 to 4096, got 1"),
    ("batch", "all", TypeError, "an integer from 0 to 4096, got 'all'"),
    ("dtype", "f8", ValueError, "one of 'float32', 'float64', got 'f8'"),
    ("dtype", ["float64", "int64"], ValueError, "one of 'float32', 'float64', got 'int64'"),
    ("dtype", (), ValueError, "at least one of float32, float64, got none"),
    ("dtype", np.float64, TypeError, "one or some of float32, float64, got type"),
    ("library", "jax", ValueError, "one of 'numpy', 'torch', got 'jax'"),
    ("library", None, ValueError, "one of 'numpy', 'torch', got None"),
    ("condition", 0.5, ValueError, "a number >= 1, got 0.5"),
    ("condition", np.inf, ValueError, "a positive number, got inf"),
    ("condition", "bad", TypeError, "a positive number, got 'bad'"),
    ("degenerate", 1, TypeError, "True or False, got 1"),
    ("sparsity", 1.5, ValueError, "a number from 0 to 1, got 1.5"),
    ("sparsity", -0.1, ValueError, "a finite number >= 0, got -0.1"),
    ("sparsity", True, TypeError, "a finite number >= 0, got True"),
    ("noise", -1, ValueError, "a finite number >= 0, got -1"),
    ("noise", np.nan, ValueError, "a finite number >= 0, got nan"),
    ("bias", "no", TypeError, "True or False, got 'no'"),
    ("masks", 0, TypeError, "True or False, got 0"),
    ("weight", -1.0, ValueError, "a finite number >= 0, got -1.0"),
    ("weight", [1.0], TypeError, "a finite number >= 0, got list"),
    ("feasible", None, TypeError, "True or False, got None"),
    ("finite", None, TypeError, "True or False, got None"),
    ("opposite", None, TypeError, "True or False, got None"),
    ("uneven", 1, TypeError, "True or False, got 1"),
    ("zero", 1, TypeError, "True or False, got 1"),
    ("scale", 0, ValueError, "a positive number, got 0"),
    ("scale", np.inf, ValueError, "a positive number, got inf"),
    ("matrix_scale", -2.0, ValueError, "a positive number, got -2.0"),
    ("matrix_scale", None, TypeError, "a positive number, got None"),
]
G = Generator([np.eye(2), np.eye(2)])


@pytest.mark.parametrize(("name", "value", "error", "words"), WRONG)
def test_each_trait_is_checked(name, value, error, words):
    message = re.escape(f"{name}: expected {words}")
    for strategy in (lambda **t: statements("qps", **t), lambda **t: planted("nnls", **t)):
        with pytest.raises(error, match=f"^{message}$"):
            strategy(**{name: value})


def test_every_trait_has_a_wrong_value_here():
    assert {name for name, *_ in WRONG} == set(Traits.__annotations__) == set(vars(Asked()))


def test_none_is_what_chance_decides():
    for name in ("batch", "degenerate", "noise", "bias", "masks", "weight"):
        assert getattr(asked(**{name: None}), name) is None


@pytest.mark.parametrize("kind", testing.KINDS)
def test_every_kind_has_a_strategy_of_its_name(kind):
    with pytest.raises(TypeError, match="colour: expected one of the traits rows, columns, batch"):
        getattr(testing, kind)(colour="red")
    assert isinstance(getattr(testing, kind)(rows=1), st.SearchStrategy)


@pytest.mark.parametrize("strategy", [statements, planted])
def test_kinds_are_checked(strategy):
    for wrong in ("ridge", None, ["nnls"]):
        with pytest.raises(ValueError, match=r"^kind: expected one of 'least_squares', 'nnls', "):
            strategy(wrong)


@pytest.mark.parametrize(
    ("make", "name", "error", "words"),
    [
        (lambda: generators(depth=0), "depth", ValueError, "an integer from 1 to 4096, got 0"),
        (lambda: generators(width=(2, 1)), "width", ValueError, "an integer from 2 to 4096, got 1"),
        (lambda: generators(bias="yes"), "bias", TypeError, "True or False, got 'yes'"),
        (lambda: generators(dtype="f4"), "dtype", ValueError, "one of 'float32', 'float64', got"),
        (lambda: generators(activation="gelu"), "activation", ValueError, ""),
        (lambda: signals("G"), "G", TypeError, "a cvxinv.Generator, got 'G'"),
        (lambda: signals(G, batch=None), "batch", TypeError, "an integer from 0 to 4096, got None"),
        (lambda: signals(G, noise=-1), "noise", ValueError, "a finite number >= 0, got -1"),
        (lambda: signals(G, hidden=2), "hidden", ValueError, "a number from 0 to 1, got 2"),
    ],
)
def test_arguments_of_generators_and_signals(make, name, error, words):
    with pytest.raises(error, match=re.escape(f"{name}: expected {words}")):
        make()


@given(st.data(), st.sampled_from(testing.KINDS))
def test_numpy_scalars_are_numbers(data, kind):
    want = {"rows": np.int64(3), "batch": (np.int32(1), np.int64(1)), "bias": np.False_}
    problem = data.draw(statements(kind, noise=np.float32(0.5), scale=np.float64(2.0), **want))
    assert problem.data.shape == (1, 3)
