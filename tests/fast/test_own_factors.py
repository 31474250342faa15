"""Linear systems with a factor of each signal's own, for layers whose signals see other rows."""

import numpy as np
import torch

import fast
from cvxinv import LastLayer
from fast.core.diagonal import Diagonal, Zero, ones
from fast.core.layer import Layer
from fast.core.linear_systems import Factors, Own
from tests.support.engines import engine  # noqa: F401
from tests.support.pretend import memory, pretended


def test_systems_are_solved_to_rounding_whatever_their_condition():
    rng = np.random.default_rng(0)
    B, m, n = 5, 40, 30
    W = torch.tensor(rng.standard_normal((m, n)) @ np.diag(np.logspace(0, -3, n)))
    F = torch.tensor(rng.random((B, n)) < 0.5).to(W.dtype)
    F[2] = 0  # nothing is free
    F[3] = 1
    w = torch.tensor(rng.random((B, m)) < 0.9).to(W.dtype)
    zero, gamma = W.new_zeros(B, n), Zero(W.new_zeros(n))
    layer = Layer(W, W.new_zeros(B, m), zero, gamma, Diagonal(w), ones(n, W), nonnegative=True)
    right = F * torch.tensor(rng.standard_normal((B, n)))
    right[3] = W.T @ (w[3] * (W @ right[3]))
    found = Own().inverse(layer, Diagonal(F), Diagonal(w), W.new_full((B, 1), 1e-2))(right)
    for b in range(B):
        free = F[b] > 0
        A = W[w[b] > 0][:, free]
        residual = A.T @ (A @ found[b, free]) - right[b, free]
        assert residual.norm() <= 1e-10 * max(1e-300, float(right[b].norm()))
        assert not found[b, ~free].any()


def test_nearly_square_layers_without_noise_are_solved_with_masks_of_their_own():
    """As many rows as columns, or a few more, and no two signals with the same: conjugate
    gradients alone come to nothing here.
    """
    rng = np.random.default_rng(1)
    W = rng.standard_normal((180, 96)) * np.exp(rng.standard_normal(96))
    x = np.maximum(rng.standard_normal((12, 96)), 0)
    seen = rng.random((12, 180)) < 0.58
    sol = fast.solve(LastLayer(W, x @ W.T, observed=seen))
    assert all(s.name == "OPTIMAL" for s in sol.status)
    determined = seen.sum(axis=1) >= 96
    assert determined.sum() >= 8
    error = np.abs(sol.x - x).max(axis=1) / np.abs(x).max(axis=1)
    assert (error[determined] <= 1e-8).all()


def test_a_card_forms_them_at_once_and_waits_once():
    rng = np.random.default_rng(2)
    B, m, n = 7, 20, 9
    W = torch.tensor(rng.standard_normal((m, n)))
    F, w = (torch.tensor(rng.random((B, k)) < 0.7).to(W.dtype) for k in (n, m))
    F[2] = 0

    def factors(device):
        there, none = W.to(device), torch.zeros(B, n, dtype=W.dtype, device=device)
        gamma = Diagonal(torch.full((n,), 0.1, dtype=W.dtype, device=device))
        t = torch.zeros(B, m, dtype=W.dtype, device=device)
        layer = Layer(there, t, none, gamma, Diagonal(w.to(device)), ones(n, there), True)
        return Factors.of(layer, Diagonal(F.to(device)), layer.rows), none + 1

    here, right = factors("cpu")
    with pretended() as machine:
        there, ones_there = factors("cuda")
        waits = [place for place in machine.waits if "copy" not in place]
        found = memory(there.times(ones_there))
    assert len(waits) == 1
    np.testing.assert_array_equal(memory(there.columns), here.columns)
    np.testing.assert_allclose(memory(there.factor), here.factor, atol=1e-5)
    np.testing.assert_allclose(found, here.times(right), rtol=1e-4)
