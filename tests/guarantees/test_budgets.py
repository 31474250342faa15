"""More time never widens a bracket, and every bracket holds the value, whenever time runs out.

Time is what a clock says that moves by a tick whenever it is looked at, so that each example stops
at the same place every time.
"""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cvxinv.guarantees import spark, sub_rank, sub_spark, submatrix_coherence
from tests.support import dependence as brute
from tests.support.tolerances import COHERENCE

TICK = 1e-3
BUDGETS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 1_000, 100_000)  # in ticks
# the functions have the names of their modules
MODULES = {
    name: import_module(f"cvxinv.guarantees.{name}")
    for name in ("spark", "sub_rank", "sub_spark", "submatrix_coherence")
}

kinds, seeds = st.sampled_from(brute.KINDS), st.integers(0, 1000)


def brackets(quantity, *arguments, **options):
    """One bracket for each budget, each on a clock of its own."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for budget in BUDGETS:
            ticks = iter(range(10**9))
            clock = SimpleNamespace(monotonic=lambda ticks=ticks: TICK * next(ticks))
            for module in MODULES.values():
                patch.setattr(module, "time", clock)
            found.append(quantity(*arguments, budget=budget * TICK, **options))
    return found


def narrows_onto(found, value, slack=0.0):
    lower, upper = (np.array([getattr(b, end) for b in found]) for end in ("lower", "upper"))
    assert (np.diff(lower) >= 0).all(), found
    assert (np.diff(upper) <= 0).all(), found
    assert (lower <= value + slack).all(), found
    assert (upper >= value - slack).all(), found


@given(kinds, seeds, st.sampled_from(["auto", "enumeration"]), st.sampled_from([1, 1_000_000]))
@example("identity_hadamard", 0, "enumeration", 1)
@example("planted", 3, "auto", 1)  # nothing is cheap: programmes
@example("zero_column", 0, "auto", 1)
def test_spark(kind, seed, method, cheap):
    W = brute.matrix(kind, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULES["spark"], "CHEAP", cheap)
        found = brackets(spark, W, method=method)
    narrows_onto(found, brute.spark(W))
    assert found[-1].exact


@given(kinds, seeds, st.integers(1, 5), st.sampled_from([2_000, 200_000]))
@example("gaussian", 5, 2, 2_000)
@example("planted", 3, 3, 200_000)
def test_sub_spark(kind, seed, s, per_second):
    W = brute.matrix(kind, seed)
    s = min(s, len(W))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULES["sub_spark"], "SETS", per_second)
        found = brackets(sub_spark, W, s)
    narrows_onto(found, brute.over_rows(brute.spark, min, W, s))


@given(kinds, seeds, st.integers(1, 5), st.sampled_from([2_000, 200_000]))
@example("rank_two", 5, 2, 2_000)
@example("signs", 3, 3, 200_000)
def test_sub_rank(kind, seed, s, per_second):
    W = brute.matrix(kind, seed)
    s = min(s, len(W))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULES["sub_rank"], "SETS", per_second)
        found = brackets(sub_rank, W, s)
    narrows_onto(found, brute.over_rows(brute.rank, min, W, s))


@settings(max_examples=15)
@given(kinds, seeds, st.integers(2, 5))
@example("gaussian", 5, 3)
@example("hadamard_half", 0, 3)
def test_submatrix_coherence(kind, seed, s):
    W = brute.matrix(kind, seed)
    s = min(s, len(W))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULES["submatrix_coherence"], "ENUMERATED", 0)  # branch and bound
        found = brackets(submatrix_coherence, W, s)
    narrows_onto(found, brute.over_rows(brute.coherence, max, W, s), COHERENCE)
