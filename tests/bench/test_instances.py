"""The instances of `cvxinv bench`."""

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv.bench.instances import cases, gaussian
from tests.support.bench import SIZES, B, make


def test_gaussian_weights():
    G = gaussian((20, 100, 400))
    assert G.sizes == (20, 100, 400)
    assert G.biases is None
    for W in G.weights:
        assert W.std() * np.sqrt(len(W)) == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(G.weights[0], gaussian((20, 100, 400)).weights[0])
    assert not np.array_equal(G.weights[0], gaussian((20, 100, 400), seed=1).weights[0])


@pytest.mark.parametrize("condition", [1.0, 100.0])
def test_conditioned_weights(condition):
    for W, drawn in zip(
        gaussian(SIZES, 0, condition).weights, gaussian(SIZES).weights, strict=True
    ):
        values = np.linalg.svd(W, compute_uv=False)
        assert values[0] == pytest.approx(np.linalg.norm(drawn, 2))
        assert values[0] / values[-1] == pytest.approx(condition)
        np.testing.assert_allclose(
            np.diff(np.log(values)), np.log(1 / condition) / (len(values) - 1), atol=1e-10
        )


@pytest.mark.parametrize(
    "G",
    [gaussian(SIZES), gaussian((3, 6, 8, 24, 60)), cvxinv.mnist_generator()],
    ids=["three", "four", "mnist"],
)
def test_without_noise_the_data_are_the_layers(G):
    """Each problem's data are what the layer before computes from its own: the true layers, on
    their supports.
    """
    last, *middle, latent = cases(G, B, 0.0, dtype=torch.float64)
    names = ["midlayer"] if G.depth == 2 else [f"midlayer x_{i}" for i in range(G.depth - 1, 0, -1)]
    assert [c.name for c in (last, *middle, latent)] == ["last layer", *names, "latent"]
    chain = [latent.problem, *(case.problem for case in reversed(middle))]
    for before, after in zip(chain, [*chain[1:], last.problem], strict=True):
        t = before.x_next @ after.W.T + (0 if after.bias is None else after.bias)
        if after is last.problem:
            torch.testing.assert_close(after.y, t)
        else:
            torch.testing.assert_close(after.x_next, t.clamp(min=0))
            assert torch.equal(after.support, t > 0)
    for i, problem in enumerate([*chain, last.problem]):
        assert tuple(problem.W.shape) == G.weights[i].shape


def test_noise_is_relative_and_on_the_support():
    clean, noisy = make(batch=200, noise=0.0), make(batch=200, noise=0.05)
    for a, b in zip(clean, noisy, strict=True):
        a, b, rows = a.problem.data, b.problem.data, a.problem.quadratic().rows
        assert torch.equal(a[~rows], b[~rows])
        ratio = (b - a).square().sum(1).sqrt() / a.square().sum(1).sqrt()
        assert float(ratio[torch.isfinite(ratio)].median()) == pytest.approx(0.05, rel=0.2)


def test_the_first_signals_of_a_case():
    for case in make():
        few = case.head(2)
        assert (case.batch, few.batch, few.name) == (B, 2, case.name)
        assert torch.equal(few.problem.data, case.problem.data[:2])
        assert torch.equal(few.problem.quadratic().rows, case.problem.quadratic().rows[:2])


def test_instances_are_torch_tensors_of_the_dtype():
    for case in cases(gaussian(SIZES), 2, dtype=torch.float32):
        assert case.problem.data.dtype == case.problem.W.dtype == torch.float32
