"""The paper's algorithms: `fast.solve` with method="fista" and "linearized_admm" against NumPy
loops, the reference, and the errata.
"""

from itertools import product

import numpy as np
import pytest
import torch

import fast
from cvxinv import (
    BasisPursuit,
    LastLayer,
    Latent,
    LeastSquares,
    LinearProgram,
    MidLayer,
    Status,
    activations,
    reference,
)
from tests.support.instances import (
    CONSTRAINED,
    DATA,
    KINDS,
    SEEDS,
    chosen,
    generator,
    instance,
    replaced,
    solved,
)
from tests.support.layers import layers
from tests.support.oracles import determined, distance, orthonormal, used
from tests.support.printed import fista, largest, linearized_admm, parts, step_size
from tests.support.tolerances import BOUND, KKT, PRINTED, SAME_OBJECTIVE, SAME_POINT

STEPS = 50
FREE = (LastLayer, BasisPursuit, LeastSquares)
ACTIVATIONS = ("identity", "tanh", "sigmoid", "plu", "leaky_relu")


def curved(phi, masked, biased=True, lam=0.05, count=3, noise=0.05):
    """A last layer with that activation."""
    rng = np.random.default_rng(ACTIVATIONS.index(phi))
    W, bias = rng.standard_normal((30, 10)) / 5, 0.2 * rng.standard_normal(30) if biased else None
    x = np.maximum(rng.standard_normal((count, 10)), 0)
    y = activations.activation(phi)(
        x @ W.T + (bias if biased else 0)
    ) + noise * rng.standard_normal((count, 30))
    seen = {"all": None, "shared": rng.random(30) < 0.7, "each": rng.random((count, 30)) < 0.7}[
        masked
    ]
    y = y if seen is None else np.where(seen, y, np.nan)
    return LastLayer(W, y, phi, bias, lam, seen)


def value(problem, b, x):
    """The objective of signal b at points x, (K, n)."""
    A, t, lam = parts(problem, b)
    misfit = x @ A.T - t
    if not problem.convex:
        rows = used(problem)[b]
        misfit = (
            problem.phi(x @ A.T + (0 if problem.bias is None else problem.bias[rows]))
            - problem.y[b][rows]
        )
    return (
        0.5 * (misfit**2).sum(axis=1)
        + (lam * np.abs(x)).sum(axis=1)
        + 0.5 * getattr(problem, "gamma", 0.0) * (x**2).sum(axis=1)
    )


def same_steps(problem, points, multipliers=None, **options):
    """The answer after k steps is one of the points 0 .. k (the best), and the objectives of all of
    them are those of the history.
    """
    tol = 1e-14  # out of reach
    for cap in (1, 2, 7, STEPS):
        sol = fast.solve(problem, tol, cap, **options)
        for b, found in enumerate(points):
            k, off = sol.iterations[b], ~used(problem)[b]
            np.testing.assert_allclose(
                sol.x[b], found[k], atol=PRINTED * np.abs(found).max(initial=0), rtol=0
            )
            if multipliers is not None:
                size = np.abs(multipliers[b]).max(initial=0)
                np.testing.assert_allclose(
                    sol.dual[b][off], multipliers[b][k], atol=PRINTED * size, rtol=0
                )
    for b, found in enumerate(points):
        sol = fast.solve(chosen(problem, slice(b, b + 1)), tol, STEPS, history=True, **options)
        assert [record.iteration for record in sol.history] == list(range(len(sol.history)))
        assert (
            len(sol.history)
            == (STEPS if sol.status[0] is Status.MAX_ITER else sol.iterations[0]) + 1
        )
        history = np.array([float(record.objective[0]) for record in sol.history])
        expected = value(problem, b, found)[: len(history)]
        np.testing.assert_allclose(
            history / history[0], expected / expected[0], rtol=PRINTED, atol=PRINTED
        )


# -- step by step ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["noisy", "mask", "shared_mask", "wide", "uneven_columns"])
@pytest.mark.parametrize("cls", FREE)
def test_fista_takes_the_printed_steps(cls, kind, seed):
    problem = instance(cls, kind, seed)
    same_steps(problem, [fista(problem, b, STEPS)[0] for b in range(3)], method="fista")


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("masked", ["all", "shared", "each"])
@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_algorithm_5_takes_the_printed_steps(phi, masked, biased):
    problem = curved(phi, masked, biased, 0.05 if biased else 0.0)
    same_steps(problem, [fista(problem, b, STEPS)[0] for b in range(3)], method="fista")


@pytest.mark.parametrize("rho", [1e-2, 3.0])
@pytest.mark.parametrize("kind", ["noisy", "mask", "shared_mask", "wide", "uneven_columns"])
@pytest.mark.parametrize("cls", CONSTRAINED)
def test_algorithm_2_and_eq_10_take_the_printed_steps(cls, kind, rho):
    for seed in (1, 2):
        problem = instance(cls, kind, seed)
        for alpha_beta in (None, 3 * max(1, rho) * largest(problem.W)):
            step = max(1, rho) * largest(problem.W) if alpha_beta is None else alpha_beta
            found = [linearized_admm(problem, b, STEPS, rho, step) for b in range(3)]
            same_steps(
                problem,
                *zip(*found, strict=True),
                method="linearized_admm",
                rho=rho,
                alpha_beta=alpha_beta,
            )


# -- against the reference -------------------------------------------------------------------------


def agrees(problem, sol, expected):
    """What is OPTIMAL is what the reference found."""
    good = sol.status == Status.OPTIMAL
    size = 0.5 * (np.nan_to_num(getattr(problem, DATA[type(problem)])) ** 2).sum(axis=1)
    error = np.abs(sol.certificate.objective - expected.certificate.objective)
    assert (error <= SAME_OBJECTIVE * np.maximum(size, expected.certificate.objective))[good].all()
    assert (distance(problem, sol.x, expected.x) <= SAME_POINT)[
        good & determined(problem, 0.1)
    ].all()
    return good


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind != "uneven_columns"]
)  # a condition number of 1e4
@pytest.mark.parametrize("cls", FREE)
def test_fista_agrees_with_the_reference(cls, kind, restart):
    for seed in (1, 2) if restart else (0, 3):
        problem, expected = solved(cls, kind, seed)
        assert agrees(problem, fast.solve(problem, method="fista", restart=restart), expected).all()


@pytest.mark.parametrize("rho", [1e-2, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_linearized_admm_agrees_with_the_reference(noise, rho):
    G = generator((6, 24, 60, 120), biased=True)
    for problem in layers(G, 8, noise):
        weights = (
            [{}]
            if isinstance(problem, LeastSquares)
            else [{}, {"gamma" if isinstance(problem, Latent) else "lam": 0.02}]
        )
        for weight in weights:
            problem = replaced(problem, **weight)
            sol, expected = (
                fast.solve(problem, method="linearized_admm", rho=rho),
                reference.solve(problem),
            )
            assert agrees(problem, sol, expected).all(), type(problem)
            assert (
                noise == 0 or (sol.support == expected.support).all()
            )  # zeros without a multiplier are zero to the accuracy of x only


@pytest.mark.parametrize("rho", [1e-2, 1.0])
@pytest.mark.parametrize("cls", CONSTRAINED)
def test_linearized_admm_claims_nothing_that_is_not_so(cls, rho):
    good = 0
    for kind, seed in product(KINDS, (1, 2)):
        problem, expected = solved(cls, kind, seed)
        sol = fast.solve(problem, max_iter=400, method="linearized_admm", rho=rho)
        assert set(sol.status) <= {Status.OPTIMAL, Status.MAX_ITER, Status.INFEASIBLE}
        good += agrees(problem, sol, expected).sum()
        assert not (sol.status == Status.OPTIMAL)[expected.status == Status.INFEASIBLE].any()
        assert cls is Latent or (sol.x >= 0).all()
        assert sol.dual is None or (sol.dual >= 0).all()
    assert good >= 20


# -- convergence, histories and errata -------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("cls", FREE)
def test_the_objective_falls_like_one_over_k_squared(cls, seed):
    """F(x_k) - F(x) <= 2 ||x_0 - x||^2 / (step (k + 1)^2) (Beck, Teboulle 2009)."""
    for kind in ("mask", "uneven_columns", "wide"):
        problem, expected = solved(cls, kind, seed)
        for b in range(3):
            _, t, _ = parts(problem, b)
            sol = fast.solve(chosen(problem, slice(b, b + 1)), 1e-14, 150, "fista", history=True)
            unit, k = t @ t, np.arange(1, len(sol.history))
            above = (
                np.array([float(record.objective[0]) for record in sol.history[1:]]) * unit
                - expected.certificate.objective[b]
            )
            bound = 2 / step_size(problem, b) * (expected.x[b] ** 2).sum() / (k + 1) ** 2
            assert (above <= bound + BOUND * unit).all()
            assert (above >= -BOUND * unit).all()


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_histories_are_in_units_of_the_signal(phi):
    problem = curved(phi, "each")
    history = fast.solve(problem, method="fista", history=True, max_iter=3).history
    for b in range(3):
        signal = parts(problem, b)[1] if problem.convex else problem.y[b][used(problem)[b]]
        expected = value(problem, b, np.zeros((1, 10)))[0] / (signal @ signal)
        assert float(history[0].objective[b]) == pytest.approx(expected, rel=PRINTED)


def test_histories_keep_all_signals_and_chunks_apart():
    """One record per iteration with (B,) entries, whichever signals are done, however many fit into
    memory; the last is the answer's.
    """
    problem = instance(LastLayer, "noisy", 0, count=9)
    problem = replaced(
        problem, y=np.vstack([problem.y[:8], 0 * problem.y[:1]])
    )  # the last one is solved at once
    whole, parted = (
        fast.solve(problem, method="fista", history=True, memory=memory) for memory in (None, 1)
    )
    for sol in (whole, parted):
        assert [record.iteration for record in sol.history] == list(range(len(sol.history)))
        assert len(sol.history) == sol.iterations.max() + 1
        for record in sol.history:
            assert tuple(record.objective.shape) == tuple(record.residual.shape) == (9,)
    last = np.asarray(whole.history[-1].objective) * (problem.y**2).sum(axis=1)
    np.testing.assert_allclose(last, whole.certificate.objective, rtol=SAME_OBJECTIVE)
    assert fast.solve(problem, method="fista").history is None


def test_restart_pays_where_the_condition_is_bad():
    rng = np.random.default_rng(0)
    W = orthonormal(rng, 40, 20) * np.logspace(0, -1.5, 20) @ orthonormal(rng, 20, 20).T
    for problem in (
        LeastSquares(W, rng.standard_normal((5, 20)) @ W.T),
        LastLayer(W, np.abs(rng.standard_normal((5, 20))) @ W.T),
    ):
        plain, again = (
            fast.solve(problem, method="fista", restart=restart) for restart in (False, True)
        )
        assert list(again.status) == [Status.OPTIMAL] * 5
        assert (again.iterations <= plain.iterations).all()
        assert again.iterations.sum() < 0.5 * plain.iterations.sum()


def test_the_printed_step_diverges_and_ours_does_not():
    """Erratum E4: 1 / ell with ell = 1, the smoothness of phi, is too long where ||W|| > 1."""
    problem = instance(LastLayer, "noisy", 0)
    assert largest(problem.W) > 1
    points, _ = fista(problem, 0, 60, step=0.9)
    assert not value(problem, 0, points)[-1] <= 1e6 * value(problem, 0, points)[0]
    assert list(fast.solve(problem, method="fista").status) == [Status.OPTIMAL] * 3


def test_the_printed_answer_can_be_negative_and_ours_is_not():
    """Erratum E6: Algorithm 5 returns the extrapolated point."""
    negative = 0
    for seed in SEEDS:
        problem = instance(LastLayer, "noisy", seed)
        for steps in range(1, 20):
            negative += any(fista(problem, b, steps)[1][-1].min() < -1e-3 for b in range(3))
            assert (fast.solve(problem, max_iter=steps, method="fista").x >= 0).all()
    assert negative > 5


def test_a_step_that_is_too_long_is_not_an_answer():
    """With alpha + beta far below the bound the iteration blows up; the best point seen comes back,
    and its status says so.
    """
    for cls in CONSTRAINED:
        problem = instance(cls, "noisy", 0)
        sol = fast.solve(problem, method="linearized_admm", alpha_beta=1e-3 * largest(problem.W))
        assert list(sol.status) == [Status.MAX_ITER] * 3
        assert np.isfinite(sol.x).all()
        assert (sol.certificate.kkt > KKT).all()


# -- wrong arguments -------------------------------------------------------------------------------

W, Y = (
    np.random.default_rng(0).standard_normal((9, 4)),
    np.random.default_rng(1).standard_normal((3, 9)),
)
LAST, MID = LastLayer(W, Y), MidLayer(W, np.abs(Y))
BAD = [
    (ValueError, "method", lambda: fast.solve(LAST, method="admm")),
    (ValueError, "method", lambda: fast.solve(MID, method="fista")),
    (ValueError, "method", lambda: fast.solve(Latent(W, Y), method="fista")),
    (ValueError, "rho", lambda: fast.solve(MID, method="linearized_admm", rho=-1.0)),
    (ValueError, "rho", lambda: fast.solve(MID, method="linearized_admm", rho=0.0)),
    (TypeError, "rho", lambda: fast.solve(MID, method="linearized_admm", rho="1")),
    (ValueError, "alpha_beta", lambda: fast.solve(MID, method="linearized_admm", alpha_beta=-1.0)),
    (
        ValueError,
        "alpha_beta",
        lambda: fast.solve(MID, method="linearized_admm", alpha_beta=np.nan),
    ),
    (ValueError, "tol", lambda: fast.solve(LAST, tol=0.0)),
    (ValueError, "tol", lambda: fast.solve(LAST, tol=-1e-8)),
    (ValueError, "tol", lambda: fast.solve(LAST, tol=np.inf)),
    (TypeError, "tol", lambda: fast.solve(LAST, tol=True)),
    (TypeError, "tol", lambda: fast.solve(LAST, tol="1e-8")),
    (ValueError, "max_iter", lambda: fast.solve(LAST, max_iter=-1)),
    (TypeError, "max_iter", lambda: fast.solve(LAST, max_iter=10.0)),
    (ValueError, "x0", lambda: fast.solve(LAST, x0=np.ones((3, 5)))),
    (ValueError, "x0", lambda: fast.solve(LAST, x0=np.ones(4))),
    (ValueError, "x0", lambda: fast.solve(LastLayer(W, Y[0]), x0=np.ones((1, 4)))),
    (TypeError, "x0", lambda: fast.solve(LAST, x0=np.ones((3, 4), bool))),
    (TypeError, "x0", lambda: fast.solve(LAST, x0="zero")),
    (ValueError, "history", lambda: fast.solve(LAST, history=True)),
    (ValueError, "rho", lambda: fast.solve(MID, rho=1.0)),
    (ValueError, "alpha_beta", lambda: fast.solve(MID, alpha_beta=2.0)),
    (ValueError, "restart", lambda: fast.solve(LAST, restart=True)),
    (ValueError, "memory", lambda: fast.solve(LAST, memory=0)),
    (ValueError, "memory", lambda: fast.solve(LAST, memory=-5)),
    (TypeError, "memory", lambda: fast.solve(LAST, memory=1e9)),
    (TypeError, "problem", lambda: fast.solve(Y)),
    (TypeError, "problem", lambda: fast.solve(LinearProgram(W, np.abs(Y)))),
]


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_a_history_has_the_kind_and_shape_of_the_signals(kind):
    many = fast.solve(LastLayer(kind(W), kind(Y)), method="fista", history=True)
    alone = fast.solve(LastLayer(kind(W), kind(Y[0])), method="fista", history=True)
    for value in many.history[3][1:]:
        assert type(value) is type(kind(Y))
        assert value.shape == (3,)
    for value in alone.history[3][1:]:
        assert np.ndim(value) == 0
    assert float(alone.history[3].objective) == pytest.approx(float(many.history[3].objective[0]))


@pytest.mark.parametrize(
    ("error", "name", "call"), BAD, ids=[f"{i}-{name}" for i, (_, name, _) in enumerate(BAD)]
)
def test_wrong_arguments_are_named(error, name, call):
    with pytest.raises(error, match=rf"^{name}\b"):
        call()


def test_numbers_may_be_of_any_kind():
    sol = fast.solve(
        MID,
        np.float32(1e-6),
        np.int64(4000),
        "linearized_admm",
        rho=np.float64(1),
        alpha_beta=100,
        memory=np.int64(1 << 20),
    )
    assert list(sol.status) == [Status.OPTIMAL] * 3
