"""What the reference backend takes and refuses: kinds of arrays, lone and bad signals, programs
that are not (Q), wrong arguments.
"""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

import cvxinv
from cvxinv import (
    BasisPursuit,
    LastLayer,
    Latent,
    LeastSquares,
    LinearProgram,
    MidLayer,
    NotConvexError,
    Status,
    reference,
)
from cvxinv.testing.hard import matrix
from tests.support.instances import CLASSES, DATA, SEEDS, instance, replaced
from tests.support.tolerances import ALONE, KKT, KKT_FLOAT32, OBJECTIVE, STATIONARY

RNG = np.random.default_rng(0)
W, Y = RNG.standard_normal((9, 4)), RNG.standard_normal((3, 9))


# -- batches ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("cls", CLASSES)
def test_a_bad_signal_harms_no_other(cls, bad):
    for seed in SEEDS:
        problem = instance(cls, "full_support", seed)
        data = getattr(problem, DATA[cls]).copy()
        data[1, 2] = bad
        sol, alone = (
            reference.solve(replaced(problem, **{DATA[cls]: data})),
            reference.solve(problem),
        )
        assert sol.status[1] is Status.NONFINITE
        assert np.isnan(sol.x[1]).all()
        assert not sol.certificate.optimal()[1]
        assert sol.certificate.kkt[1] == np.inf
        for b in (0, 2):
            assert sol.status[b] is Status.OPTIMAL
            np.testing.assert_allclose(
                sol.x[b], alone.x[b], rtol=ALONE, atol=ALONE * np.abs(alone.x[b]).max()
            )


def test_what_is_not_observed_may_be_nan():
    y, seen = Y.copy(), np.ones(9, bool)
    seen[3] = False
    y[:, 3] = np.nan
    sol = reference.solve(LastLayer(W, y, observed=seen))
    np.testing.assert_allclose(sol.x, reference.solve(LastLayer(W[seen], Y[:, seen])).x, atol=ALONE)


@pytest.mark.parametrize("cls", CLASSES)
def test_batches_of_none_and_one_and_signals_alone(cls):
    problem = instance(cls, "noisy", 1)
    data = getattr(problem, DATA[cls])
    options = {} if cls not in (MidLayer, Latent) else {"support": data[0] > 0}
    name = DATA[cls]
    none = reference.solve(replaced(problem, **{name: data[:0]}, **options))
    one = reference.solve(replaced(problem, **{name: data[:1]}, **options))
    alone = reference.solve(replaced(problem, **{name: data[0]}, **options))
    n = problem.W.shape[1]
    assert none.x.shape == none.support.shape == (0, n)
    assert none.status.shape == none.certificate.kkt.shape == (0,)
    assert one.x.shape == (1, n)
    assert alone.x.shape == alone.support.shape == (n,)
    assert alone.status is Status.OPTIMAL
    assert bool(alone.certificate.optimal())
    np.testing.assert_array_equal(one.x[0], alone.x)
    if one.dual is not None:
        assert alone.dual.shape == (problem.W.shape[0],)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, torch.float32, torch.float64])
@pytest.mark.parametrize("cls", CLASSES)
def test_answers_have_kind_and_dtype_of_the_data(cls, dtype):
    W, Y = (
        matrix("plain", np.random.default_rng(1)),
        np.abs(np.random.default_rng(2).standard_normal((3, 20))),
    )
    exact = reference.solve(cls(W, Y))
    cast = (
        (lambda a: torch.tensor(a, dtype=dtype))
        if isinstance(dtype, torch.dtype)
        else (lambda a: a.astype(dtype))
    )
    sol = reference.solve(cls(cast(W), cast(Y)))
    assert type(sol.x) is type(sol.support) is type(cast(Y))
    assert sol.x.dtype == dtype
    assert all(status is Status.OPTIMAL for status in sol.status)
    single = "32" in str(dtype)
    assert sol.certificate.kkt.max() <= (KKT_FLOAT32 if single else KKT)
    np.testing.assert_allclose(np.asarray(sol.x), exact.x, atol=1e-4 if single else ALONE)


@pytest.mark.parametrize("cls", CLASSES)
def test_memory_layout_does_not_matter(cls):
    problem = instance(cls, "noisy", 3)
    data, expected = getattr(problem, DATA[cls]), reference.solve(problem).x
    strided = np.repeat(data, 2, axis=0)[::2]
    fortran = replaced(problem, W=np.asfortranarray(problem.W), **{DATA[cls]: strided})
    np.testing.assert_allclose(reference.solve(fortran).x, expected, rtol=ALONE, atol=ALONE)
    reversed_twice = replaced(
        problem, W=problem.W[::-1].copy()[::-1], **{DATA[cls]: np.asfortranarray(data)}
    )
    np.testing.assert_allclose(reference.solve(reversed_twice).x, expected, rtol=ALONE, atol=ALONE)


def test_processes_give_the_same_answer():
    problem = instance(MidLayer, "noisy", 2)
    one, two = reference.solve(problem), reference.solve(problem, n_jobs=2)
    np.testing.assert_allclose(two.x, one.x, atol=ALONE)
    np.testing.assert_allclose(two.dual, one.dual, atol=ALONE)


# -- the problem that is not convex ----------------------------------------------------------------


@pytest.mark.parametrize("phi", ["plu", "leaky_relu"])
def test_kinked_activations_are_refused_with_advice(phi):
    with pytest.raises(NotConvexError, match=rf"{phi}.*identity"):
        reference.solve(LastLayer(W, 0.1 * Y, phi))


@pytest.mark.parametrize("phi", ["tanh", "sigmoid"])
def test_smooth_activations_reach_a_stationary_point_and_no_more_is_claimed(phi):
    x = np.maximum(np.random.default_rng(3).standard_normal((3, 4)), 0)
    for lam in (0.0, 0.01):
        problem = LastLayer(W, cvxinv.activations.activation(phi)(x @ W.T), phi, lam=lam)
        sol = reference.solve(problem)
        assert all(status is Status.STATIONARY for status in sol.status)
        assert sol.certificate.kkt.max() <= STATIONARY
        assert not sol.certificate.optimal(1.0).any()
        assert np.isnan(sol.certificate.gap).all()
        assert (sol.x >= 0).all()


# -- linear programs -------------------------------------------------------------------------------


def linprog_value(problem, b):
    """The optimal value of signal b, stated for scipy with the unknowns (x, e)."""
    (m, n), S = problem.W.shape, problem.support[b]
    bias = np.zeros(m) if problem.bias is None else problem.bias
    seen = np.ones(m, bool) if problem.observed is None else problem.observed
    E = -np.ones((m, 1)) if problem.norm == "linf" else -np.eye(m)
    upper = np.hstack([problem.W, E]), np.where(S, problem.x_next[b], 0) - bias
    lower = np.hstack([-problem.W, E]), bias - problem.x_next[b]
    A, c = (
        np.vstack([upper[0][seen], lower[0][S & seen]]),
        np.concatenate([upper[1][seen], lower[1][S & seen]]),
    )
    bounds = [(0 if problem.nonnegative else None, None)] * n + [(0, None)] * E.shape[1]
    return linprog(
        np.r_[np.zeros(n), np.ones(E.shape[1])], A_ub=A, b_ub=c, bounds=bounds, method="highs"
    ).fun


@pytest.mark.parametrize("nonnegative", [True, False])
@pytest.mark.parametrize("norm", ["linf", "l1"])
def test_linear_programs_agree_with_scipy(norm, nonnegative):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        W, x_next = rng.standard_normal((14, 5)), np.maximum(rng.standard_normal((3, 14)), 0)
        scale = (1e-6, 1.0, 1e6)[seed % 3]
        bias = 0.1 * scale * rng.standard_normal(14) if seed % 2 else None
        seen = rng.random(14) < 0.8 if seed % 4 > 1 else None
        problem = LinearProgram(
            W, scale * x_next, bias=bias, norm=norm, nonnegative=nonnegative, observed=seen
        )
        sol = reference.solve(problem)
        assert all(status is Status.OPTIMAL for status in sol.status)
        assert sol.certificate.kkt.max() <= KKT
        assert sol.certificate.gap.max() <= KKT
        # scipy's tolerances are absolute: compare at its scale
        unit = replaced(problem, x_next=x_next, bias=None if bias is None else bias / scale)
        value = [linprog_value(unit, b) for b in range(3)]
        np.testing.assert_allclose(
            sol.certificate.objective / scale, value, rtol=OBJECTIVE, atol=OBJECTIVE
        )


def test_a_linear_program_with_a_bad_signal():
    x_next = np.maximum(Y, 0)
    x_next[1, np.argmax(x_next[1])] = np.nan
    sol = reference.solve(LinearProgram(W, x_next, support=np.maximum(Y, 0) > 0))
    assert sol.status[1] is Status.NONFINITE
    assert np.isnan(sol.x[1]).all()
    assert sol.status[0] is sol.status[2] is Status.OPTIMAL


# -- wrong arguments -------------------------------------------------------------------------------

BAD = [
    (ValueError, "solver", lambda: reference.solve(LastLayer(W, Y), "GUROBI")),
    (ValueError, "solver", lambda: reference.solve(LastLayer(W, Y), "clarabel ")),
    (ValueError, "solver", lambda: reference.solve(LastLayer(W, Y), "HIGHS")),
    (ValueError, "solver", lambda: reference.solve(LinearProgram(W, np.abs(Y)), "OSQP")),
    (ValueError, "solver", lambda: reference.solve(LastLayer(W, 0.1 * Y, "tanh"), "CLARABEL")),
    (TypeError, "problem", lambda: reference.solve(W)),
    (TypeError, "problem", lambda: cvxinv.verify("LastLayer", Y)),
    (ValueError, "W", lambda: LastLayer(W[0], Y)),
    (ValueError, "W", lambda: LastLayer(W[:, :0], Y)),
    (ValueError, "W", lambda: LastLayer(np.full((9, 4), np.nan), Y)),
    (TypeError, "W", lambda: LastLayer(W.astype(np.float16), Y)),
    (TypeError, "W", lambda: LastLayer(W.astype(complex), Y)),
    (TypeError, "W", lambda: LastLayer("W", Y)),
    (ValueError, "y", lambda: LastLayer(W, Y[:, :5])),
    (ValueError, "y", lambda: LastLayer(W, Y[None])),
    (TypeError, "y", lambda: LastLayer(W, Y.astype(np.float16))),
    (TypeError, "y", lambda: LastLayer(W, Y > 0)),
    (TypeError, "y", lambda: LastLayer(W, None)),
    (ValueError, "lam", lambda: LastLayer(W, Y, lam=-1e-9)),
    (ValueError, "lam", lambda: LastLayer(W, Y, lam=float("nan"))),
    (ValueError, "lam", lambda: LastLayer(W, Y, lam=float("inf"))),
    (TypeError, "lam", lambda: LastLayer(W, Y, lam=True)),
    (TypeError, "lam", lambda: LastLayer(W, Y, lam="1")),
    (TypeError, "lam", lambda: MidLayer(W, Y, lam=np.ones(4))),
    (ValueError, "lam", lambda: BasisPursuit(W, Y, lam=np.array([1.0, 1, 1, -1]))),
    (ValueError, "lam", lambda: BasisPursuit(W, Y, lam=np.ones(9))),
    (ValueError, "lam", lambda: BasisPursuit(W, Y, lam=np.ones((2, 4)))),
    (ValueError, "gamma", lambda: Latent(W, Y, gamma=-1.0)),
    (TypeError, "gamma", lambda: Latent(W, Y, gamma=None)),
    (ValueError, "activation", lambda: LastLayer(W, Y, "relu")),
    (TypeError, "activation", lambda: LastLayer(W, Y, np.tanh)),
    (TypeError, "observed", lambda: LastLayer(W, Y, observed=np.ones(9))),
    (TypeError, "observed", lambda: LastLayer(W, Y, observed=np.arange(9))),
    (ValueError, "observed", lambda: LastLayer(W, Y, observed=np.ones(4, bool))),
    (TypeError, "support", lambda: MidLayer(W, Y, support=np.full((3, 9), 2))),
    (ValueError, "support", lambda: Latent(W, Y, support=np.ones((2, 9), bool))),
    (ValueError, "rows", lambda: BasisPursuit(W, Y, rows=np.ones(3, bool))),
    (ValueError, "columns", lambda: LeastSquares(W, Y, columns=np.ones(9, bool))),
    (ValueError, "bias", lambda: LastLayer(W, Y, bias=np.ones(4))),
    (ValueError, "bias", lambda: LastLayer(W, Y, bias=np.full(9, np.inf))),
    (TypeError, "bias", lambda: LastLayer(W, Y, bias=np.ones(9, bool))),
    (ValueError, "norm", lambda: LinearProgram(W, Y, norm="l2")),
    (TypeError, "nonnegative", lambda: LinearProgram(W, Y, nonnegative="no")),
    (ValueError, "x", lambda: cvxinv.verify(LastLayer(W, Y), Y)),
    (TypeError, "x", lambda: cvxinv.verify(LastLayer(W, Y), np.ones((3, 4), bool))),
    (ValueError, "dual", lambda: cvxinv.verify(MidLayer(W, Y), np.ones((3, 4)), np.ones((3, 4)))),
    (ValueError, "n_jobs", lambda: reference.solve(LastLayer(W, Y), n_jobs=0)),
]


@pytest.mark.parametrize(
    ("error", "name", "call"), BAD, ids=[f"{i}-{name}" for i, (_, name, _) in enumerate(BAD)]
)
def test_wrong_arguments_are_named(error, name, call):
    with pytest.raises(error, match=rf"^{name}\b") as caught:
        call()
    assert caught.type in (ValueError, TypeError)
