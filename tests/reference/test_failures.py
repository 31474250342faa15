"""What cannot be solved says so: wrong kinds of arguments, pixels that noise carries out of the
range of phi, a solver that fails on one signal.
"""

from importlib import import_module

import numpy as np
import pytest

import fast
from cvxinv import (
    BasisPursuit,
    Generator,
    Latent,
    LinearProgram,
    MidLayer,
    Status,
    latent_pursuit,
    layered_basis_pursuit,
    reference,
    snr,
)
from cvxinv.reference.solvers import Run

W = [np.eye(3, 2), np.eye(4, 3)]


@pytest.mark.parametrize("pursuit", [latent_pursuit, layered_basis_pursuit])
def test_wrong_kinds_are_named(pursuit):
    with pytest.raises(TypeError, match=r"^solve: expected a callable"):
        pursuit(Generator(W), np.ones(4), solve="CLARABEL")
    with pytest.raises(TypeError, match=r"^G: expected a cvxinv.Generator"):
        pursuit(W, np.ones(4))


@pytest.mark.parametrize("weight", [np.nan, np.inf, -1.0])
def test_weights_per_column_are_finite(weight):
    with pytest.raises(ValueError, match=r"^lam: expected finite numbers >= 0"):
        BasisPursuit(np.eye(3), np.ones(3), lam=np.array([0.1, weight, 0.1]))


def test_a_pixel_that_noise_can_carry_out_of_the_range_of_phi_is_left_out_and_that_is_said():
    rng = np.random.default_rng(0)
    G = Generator(
        [rng.standard_normal((12, 4)), rng.standard_normal((40, 12)) / 3], activation="tanh"
    )
    y = 0.9 * G(rng.standard_normal((3, 4)))
    y[1, 2] = (
        0.995  # within 0.01 of the end of (-1, 1), where the inverse has no Lipschitz constant
    )
    inv = layered_basis_pursuit(G, y, solve=reference.solve, noise=0.01)
    assert list(inv.status) == [Status.OPTIMAL] * 3
    assert "without 1 saturated pixel, where noise or rounding" in " ".join(inv.notes[1])
    seen = np.arange(40) != 2
    hidden = layered_basis_pursuit(G, y[1], solve=reference.solve, noise=0.01, observed=seen)
    np.testing.assert_allclose(inv.z[1], hidden.z, rtol=1e-9)
    assert inv.bounds.noise[1] == hidden.bounds.noise


def test_a_linear_program_that_fails_does_not_take_its_batch_along(monkeypatch):
    signals, calls = import_module("cvxinv.reference.signals"), []
    attempt = signals.attempt

    def fails_once(problem, solver, settings):
        calls.append(solver)
        return Run(failure="it fails") if len(calls) == 2 else attempt(problem, solver, settings)

    monkeypatch.setattr(signals, "attempt", fails_once)
    rng = np.random.default_rng(0)
    sol = reference.solve(
        LinearProgram(rng.standard_normal((8, 3)), np.abs(rng.standard_normal((3, 8))))
    )
    assert list(sol.status) == [Status.OPTIMAL, Status.MAX_ITER, Status.OPTIMAL]
    assert np.isnan(sol.x[1]).all()


def test_snr_of_nothing():
    np.testing.assert_array_equal(
        snr(np.zeros((2, 2)), np.array([[0.0, 0.0], [1.0, 0.0]])), [np.inf, -np.inf]
    )


def test_answers_say_what_they_are_in_one_line():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((3, 9))
    y[2] = np.nan
    problem = BasisPursuit(rng.standard_normal((9, 4)), y, lam=0.1)
    assert repr(fast.solve(problem)).startswith("Solution(x (3, 4), 2 OPTIMAL, 1 NONFINITE, ")
    assert repr(fast.solve(BasisPursuit(problem.W, y[0], lam=0.1))).startswith(
        "Solution(x (4,), OPTIMAL, "
    )
    G = Generator([rng.standard_normal((6, 2)), rng.standard_normal((9, 6))])
    shown = repr(latent_pursuit(G, G(rng.standard_normal((2, 2)))))
    assert shown.startswith("Inversion(z (2, 2), 2 OPTIMAL, residual <= ")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cls", [MidLayer, Latent, LinearProgram])
def test_what_is_not_finite_counts_as_data_if_no_support_is_given(cls, bad):
    rng = np.random.default_rng(0)
    x_next = np.abs(rng.standard_normal((3, 9)))
    x_next[1, 4] = bad
    problem = cls(rng.standard_normal((9, 4)), x_next)
    assert [s is Status.NONFINITE for s in reference.solve(problem).status] == [False, True, False]
    if cls is not LinearProgram:
        assert [s is Status.NONFINITE for s in fast.solve(problem).status] == [False, True, False]
