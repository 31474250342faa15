"""Certificates: optima are accepted, everything else is not, in any units; lower bounds are
bounds.
"""

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import (
    LastLayer,
    Latent,
    LeastSquares,
    LinearProgram,
    MidLayer,
    Status,
    reference,
    verify,
)
from cvxinv.testing.hard import SIGNALS
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    DATA,
    KINDS,
    MASK,
    SEEDS,
    UNIQUE_KINDS,
    solved,
)
from tests.support.tolerances import ALONE, BOUND, GAP, KKT, OPTIMAL, PERTURBATION, SCALED

RANDOM = {
    "cls": st.sampled_from(CLASSES),
    "kind": st.sampled_from(KINDS),
    "seed": st.sampled_from(SEEDS),
}
DRAWS = st.integers(0, 2**32 - 1)


def rescaled(problem, matrix=1.0, signal=1.0):
    """The same problem with matrix * W and signal * t, and lam and gamma to match: its solution is
    signal / matrix * x.
    """
    values = {f.name: getattr(problem, f.name) for f in fields(problem)}
    values["W"] = matrix * problem.W
    values[DATA[type(problem)]] = signal * values[DATA[type(problem)]]
    values["bias"] = None if problem.bias is None else signal * problem.bias
    if "lam" in values:
        values["lam"] = matrix * signal * problem.lam
    if "gamma" in values:
        values["gamma"] = matrix**2 * problem.gamma
    return type(problem)(**values)


def scale(problem):
    """1/2 ||t||^2, the size of objectives."""
    return 0.5 * (getattr(problem, DATA[type(problem)]) ** 2).sum(axis=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", CLASSES)
def test_optima_are_accepted_with_or_without_their_multipliers(cls, kind):
    for seed in SEEDS:
        problem, sol = solved(cls, kind, seed)
        keep = sol.status == Status.OPTIMAL
        with_dual, without = verify(problem, sol.x, sol.dual), verify(problem, sol.x)
        for c in (with_dual, without):
            assert c.optimal(KKT)[keep].all(), seed
            assert not (c.gap[keep] > GAP).any()
            assert not c.optimal()[~keep].any()
        assert (without.kkt[keep] <= np.maximum(10 * with_dual.kkt[keep], 1e-10)).all(), seed


def test_the_gap_is_there_exactly_where_a_weight_is():
    for cls in CLASSES:
        for seed in SEEDS:
            gap = solved(cls, "plain", seed)[1].certificate.gap
            assert np.isnan(gap).all() == (cls is LeastSquares or not seed & 2)


def perturbed(sol, rng):
    """Each x moved by PERTURBATION ||x|| in a random direction."""
    step = rng.standard_normal(sol.x.shape)
    return sol.x + PERTURBATION * np.linalg.norm(
        sol.x, axis=1, keepdims=True
    ) * step / np.linalg.norm(step, axis=1, keepdims=True)


@pytest.mark.parametrize(
    "kind", [*(kind for kind in UNIQUE_KINDS if kind != "uneven_columns"), "full_support"]
)
@pytest.mark.parametrize("cls", CLASSES)
def test_perturbed_optima_are_rejected_in_all_units(cls, kind):
    rng = np.random.default_rng(0)
    for seed in SEEDS:
        problem, sol = solved(cls, kind, seed)
        for _ in range(5):
            x = perturbed(sol, rng)
            moved = (np.linalg.norm(sol.x, axis=1) > 0) & (sol.status == Status.OPTIMAL)
            assert not verify(problem, x, sol.dual).optimal()[moved].any(), seed
            assert not verify(problem, x).optimal()[moved].any(), seed


@pytest.mark.parametrize(
    ("matrix", "signal"),
    [(1e6, 1.0), (1e-6, 1.0), (1.0, 1e6), (1.0, 1e-6), (1e6, 1e6), (1e-6, 1e6), (1e-6, 1e-6)],
)
@pytest.mark.parametrize("cls", CLASSES)
def test_units_change_no_verdict(cls, matrix, signal):
    rng = np.random.default_rng(1)
    for kind in ("noisy", "mask", "rank_deficient", "uneven_columns"):
        for seed in (1, 2):
            problem, sol = solved(cls, kind, seed)
            other = rescaled(problem, matrix, signal)
            for x in (sol.x, perturbed(sol, rng), rng.standard_normal(sol.x.shape)):
                here = verify(problem, x, sol.dual)
                there = verify(
                    other, signal / matrix * x, None if sol.dual is None else signal * sol.dual
                )
                for one, two in (
                    (here.kkt, there.kkt),
                    (here.violation, there.violation),
                    (here.gap, there.gap),
                ):
                    np.testing.assert_allclose(two, one, rtol=1e-6, atol=SCALED)
                np.testing.assert_array_equal(here.optimal(), there.optimal())
                np.testing.assert_array_equal(
                    verify(other, signal / matrix * x).optimal(), verify(problem, x).optimal()
                )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cls", CLASSES)
def test_points_that_are_not_finite_are_never_optimal(cls, bad):
    problem, sol = solved(cls, "full_support", 2)
    x = sol.x.copy()
    x[1, 0] = bad
    c = verify(problem, x)
    assert not c.optimal(1e300)[1]
    assert c.kkt[1] == c.violation[1] == np.inf
    assert c.optimal()[[0, 2]].all()
    with_bad_dual = verify(problem, sol.x, np.full((SIGNALS, problem.W.shape[0]), np.nan))
    assert not with_bad_dual.optimal().any()


@pytest.mark.parametrize("cls", CLASSES)
def test_points_whose_squares_overflow_are_never_optimal(cls):
    problem, sol = solved(cls, "full_support", 2)
    for huge in (1e200, 1e308):
        x = sol.x.copy()
        x[1, 0] = huge
        np.testing.assert_array_equal(verify(problem, x).optimal(), [True, False, True])


@given(**RANDOM, draw=DRAWS, size=st.sampled_from([0.0, 1e-3, 1.0, 30.0]))
@example(cls=MidLayer, kind="mask", seed=3, draw=0, size=1.0)
@example(cls=Latent, kind="wide", seed=2, draw=1, size=30.0)
@example(cls=LastLayer, kind="empty_support", seed=2, draw=2, size=1.0)
def test_no_lower_bound_exceeds_the_optimal_value(cls, kind, seed, draw, size):
    problem, sol = solved(cls, kind, seed)
    rng = np.random.default_rng(draw)
    s = np.linalg.norm(getattr(problem, DATA[cls]), axis=1, keepdims=True)
    unit = np.maximum(np.abs(sol.x).max(axis=1, keepdims=True), s / np.linalg.norm(problem.W))
    x = rng.choice([0.0, 1.0]) * sol.x + size * unit * rng.standard_normal(sol.x.shape)
    dual = (
        None
        if rng.random() < 0.3
        else size * s * rng.exponential(size=(SIGNALS, problem.W.shape[0]))
    )
    c = verify(problem, x, dual)
    best, keep = sol.certificate.objective, sol.status == Status.OPTIMAL
    assert not (c.lower_bound > best + BOUND * np.maximum(scale(problem), best))[keep].any()
    weighted = cls is not LeastSquares and seed & 2
    assert np.isnan(c.lower_bound).all() == (not weighted)
    assert (c.gap[keep & (c.violation == 0)] >= -BOUND).all() or not weighted


@given(**RANDOM, draw=DRAWS, exponent=st.integers(0, 12))
@example(cls=MidLayer, kind="plain", seed=0, draw=0, exponent=12)
@example(cls=Latent, kind="noisy", seed=2, draw=0, exponent=6)
def test_no_multipliers_make_a_wrong_point_optimal(cls, kind, seed, draw, exponent):
    problem, sol = solved(cls, kind, seed)
    rng = np.random.default_rng(draw)
    dual = (
        10.0**exponent
        * rng.exponential(size=(SIGNALS, problem.W.shape[0]))
        * rng.integers(0, 2, (SIGNALS, 1))
    )
    x = sol.x + np.abs(sol.x).max(axis=1, keepdims=True) * rng.standard_normal(sol.x.shape)
    c, best = verify(problem, x, dual), sol.certificate.objective
    claimed = c.optimal() & (sol.status == Status.OPTIMAL)
    # other optima exist where the solution is not unique: their objective is as good
    assert (
        c.objective[claimed] <= (best + OPTIMAL * np.maximum(scale(problem), best))[claimed]
    ).all()
    assert not c.optimal()[sol.status == Status.INFEASIBLE].any()


@pytest.mark.parametrize("cls", CONSTRAINED)
def test_giant_and_negative_multipliers_are_rejected(cls):
    problem, sol = solved(cls, "noisy", 2)
    dual = np.zeros_like(problem.x_next)
    assert not verify(problem, 2 * sol.x, dual + 1e12).optimal().any()
    assert not verify(problem, sol.x, dual + 1e12).optimal().any()
    assert not verify(problem, sol.x, np.where(problem.support, 0, -1.0)).optimal().any()
    on_support = np.where(
        problem.support, 1e12, sol.dual
    )  # entries that are no multipliers are ignored
    assert verify(problem, sol.x, on_support).optimal().all()


def test_a_negative_entry_is_a_violation():
    for cls in (LastLayer, MidLayer):
        problem, sol = solved(cls, "noisy", 0)
        x = sol.x - PERTURBATION * np.abs(sol.x).max(axis=1, keepdims=True)
        assert (verify(problem, x).violation > OPTIMAL).all()


def test_a_forbidden_column_is_a_violation():
    problem, sol = solved(LeastSquares, "plain", 2)
    x = np.where(problem.columns, sol.x, PERTURBATION * np.abs(sol.x).max())
    off = ~problem.columns.all(axis=1)
    assert off.any()
    assert (verify(problem, x).violation[off] > OPTIMAL).all()


@pytest.mark.parametrize("cls", CLASSES)
def test_torch_and_lone_signals_get_the_same_certificate(cls):
    rng = np.random.default_rng(2)
    for kind, seed in (("noisy", 0), ("mask", 3)):
        problem, sol = solved(cls, kind, seed)
        x = sol.x + 0.1 * rng.standard_normal(sol.x.shape) * np.abs(sol.x).max()
        values = {f.name: getattr(problem, f.name) for f in fields(problem)}
        tensors = cls(
            **{k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in values.items()}
        )
        for point, dual in ((x, None), (sol.x, sol.dual)):
            here = verify(problem, point, dual)
            there = verify(
                tensors, torch.tensor(point), None if dual is None else torch.tensor(dual)
            )
            for name in ("objective", "lower_bound", "gap", "kkt", "violation"):
                assert isinstance(getattr(there, name), torch.Tensor)
                np.testing.assert_allclose(
                    getattr(there, name), getattr(here, name), rtol=1e-6, atol=ALONE
                )
            for b in range(SIGNALS):
                single = {
                    k: v[b]
                    if k in (DATA[cls], MASK[cls], "columns", "lam") and np.ndim(v) == 2
                    else v
                    for k, v in values.items()
                }
                alone = verify(cls(**single), point[b], None if dual is None else dual[b])
                for name in ("objective", "lower_bound", "gap", "kkt", "violation"):
                    assert getattr(alone, name).ndim == 0
                    np.testing.assert_allclose(
                        getattr(alone, name), getattr(here, name)[b], rtol=1e-6, atol=ALONE
                    )


@pytest.mark.parametrize("norm", ["linf", "l1"])
def test_linear_programs(norm):
    rng = np.random.default_rng(3)
    W = rng.standard_normal((12, 4))
    x_next = rng.exponential(size=(3, 4)) @ W.T + 0.1 * rng.standard_normal((3, 12))
    problem = LinearProgram(W, x_next, support=np.ones(12, bool), norm=norm)
    sol = reference.solve(problem)
    assert sol.x.any(axis=1).all()
    assert (sol.certificate.objective > 0).all()
    assert verify(problem, sol.x, sol.dual).optimal(KKT).all()
    assert not verify(problem, perturbed(sol, rng), sol.dual).optimal().any()
    assert not verify(problem, sol.x, 0.99 * sol.dual).optimal().any()
    assert not verify(problem, sol.x, 1.01 * sol.dual).optimal().any()
    worse = sol.x + rng.exponential(size=sol.x.shape)
    for dual in (sol.dual, 1e6 * sol.dual, rng.standard_normal(sol.dual.shape)):
        c = verify(problem, worse, dual)
        assert not c.optimal().any()
        assert not (c.lower_bound > c.objective * (1 + BOUND)).any() or (c.kkt > OPTIMAL).all()
