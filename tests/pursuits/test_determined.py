"""Whether the last layer problem of a pursuit determines z: by rank, wherever a solver stopped."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import cvxinv
import fast
from cvxinv import Generator, Latent, LeastSquares, LinearProgram, Status, reference
from cvxinv.pursuits.determined import determined
from tests.support.instances import generator

PURSUITS = (cvxinv.latent_pursuit, cvxinv.layered_basis_pursuit, cvxinv.linear_programming)


def layer(rows, n=6, m=20, seed=0):
    """W, x_1 >= 0 with supports of these sizes, and z."""
    rng = np.random.default_rng(seed)
    W, z = rng.standard_normal((m, n)), rng.standard_normal((len(rows), n))
    S = np.argsort(rng.random((len(rows), m)), axis=1) < np.array(rows)[:, None]
    return W, np.where(S, np.abs(z @ W.T), 0.0), S


@pytest.mark.parametrize("cls", [Latent, LeastSquares, LinearProgram])
def test_rank_of_the_rows_that_hold_z(cls):
    W, x, S = layer([0, 1, 5, 6, 7, 20])
    W[:, 3] *= 1e-9  # the unit of a column is no matter
    problem = cls(W, x, S)
    answer = replace(reference.solve(problem), dual=None)
    expected = [np.linalg.matrix_rank(W[rows]) == 6 for rows in S]
    assert determined(problem, answer).tolist() == expected == [False] * 3 + [True] * 3
    W[:, 2] = W[:, 0] + W[:, 1]
    assert not determined(cls(W, x, S), answer).any()
    one = determined(cls(W, x[4], S[4]), cvxinv.rows.take(answer, 4))
    assert one.shape == ()


def test_a_prior_determines_everything():
    W, x, S = layer([0, 3, 20])
    problem = Latent(W, x, S, gamma=1e-3)
    assert determined(problem, reference.solve(problem)).all()


def test_an_inequality_counts_where_it_pushes_not_where_it_is_met_by_chance():
    """a = 1 wanted, a + b <= -1 and b >= 0: only (-1, 0) is as near; a = -1 wanted: b is open."""
    W, bias = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, -1.0]]), np.array([0.0, 1.0, 0.0])
    S = np.array([True, False, False])
    pushed, chance = (Latent(W, np.array([[a, 0.0, 0.0]]), S, bias) for a in (1.0, -2.0))
    for solve in (fast.solve, reference.solve):
        found = solve(pushed)
        np.testing.assert_allclose(found.x, [[-1.0, 0.0]], atol=1e-8)
        assert determined(pushed, found).tolist() == [True]
        corner = replace(solve(chance), x=np.array([[-2.0, 1.0]]))
        for one in (solve(chance), corner):
            assert determined(chance, one).tolist() == [False]


def test_companions_of_another_size_do_not_matter():
    """a wanted, a + b <= -1 and b >= 0: (-1, 0), with a multiplier of the size of a."""
    W, bias = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, -1.0]]), np.array([0.0, 1.0, 0.0])
    data = np.array([[1.0, 0.0, 0.0], [1e10, 0.0, 0.0]])
    problem = Latent(W, data, np.array([True, False, False]), bias)
    multipliers = np.array([[0.0, 2.0, 2.0], [0.0, 1e10, 1e10]])
    answer = replace(reference.solve(problem), dual=multipliers)
    assert determined(problem, answer).tolist() == [True, True]


@pytest.mark.parametrize("run", PURSUITS)
@pytest.mark.parametrize("seed", range(3))
def test_one_row_short_is_not_identifiable(run, seed):
    """Few rows in W_0, so that supports of z are too small for n_0 = 20 unknowns."""
    rng = np.random.default_rng(seed)
    W = [rng.standard_normal((40, 20)), rng.standard_normal((100, 40)) / 8]
    G, z = Generator(W), rng.standard_normal((4000, 20))
    sizes = G.supports(z)[0].sum(axis=1)
    z = np.concatenate([z[sizes == 19][:3], z[sizes == 25][:3]])
    options = {"noise": 1e-9} if run is cvxinv.linear_programming else {}
    inv = run(G, G(z), **options)
    assert list(inv.status) == [Status.NOT_IDENTIFIABLE] * 3 + [Status.OPTIMAL] * 3
    assert all(s is Status.OPTIMAL for s in inv.solutions[0].status), (
        "the layer is solved all the same"
    )
    alone = run(G, G(z[0]), **options)
    assert alone.status is Status.NOT_IDENTIFIABLE


def test_oracle_and_tensors():
    G = generator((6, 12, 40))
    z = np.random.default_rng(0).standard_normal((40, 6))
    S = G.supports(z)
    enough = S[0].sum(axis=1) >= 6
    assert 0 < enough.sum() < 40
    inv = cvxinv.oracle(G, G(z), S)
    assert [s is Status.OPTIMAL for s in inv.status] == enough.tolist()
    tensors = cvxinv.oracle(G, torch.from_numpy(G(z)), [torch.from_numpy(s) for s in S])
    assert list(tensors.status) == list(inv.status)


@pytest.mark.parametrize("run", [*PURSUITS, fast.gradient_descent, cvxinv.invert])
def test_every_inversion_has_a_residual(run):
    G = generator((4, 12, 40), "plu", biased=True)
    rng = np.random.default_rng(0)
    y, seen = G(rng.standard_normal((3, 4))), rng.random((3, 40)) < 0.7
    y = np.where(seen, y + 0.1 * rng.standard_normal(y.shape), np.nan)
    inv = run(G, y, observed=seen)
    error = np.where(seen, y - inv.signal, 0.0)
    np.testing.assert_allclose(inv.residual, np.linalg.norm(error, axis=1), rtol=1e-12)
    assert f"residual <= {inv.residual.max():.3g}" in repr(inv)
    unlike = inv.residual > 0.01 * np.linalg.norm(np.where(seen, y, 0.0), axis=1)
    said = [any("does not make the signal" in s for s in notes) for notes in inv.notes]
    assert unlike.any()
    np.testing.assert_array_equal(said, unlike & (run in PURSUITS))
    one = run(G, y[0], observed=seen[0])
    assert one.residual.shape == ()
