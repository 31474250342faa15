"""`fast.solve` on a CUDA device: the answers of the CPU, in tensors that stay where they are."""

import numpy as np
import pytest
import torch

import cvxinv
import fast
from cvxinv import Status
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    DATA,
    PRINTED_METHOD,
    generator,
    instance,
    replaced,
    tensors,
)
from tests.support.layers import layers, nonconvex
from tests.support.oracles import determined, distance
from tests.support.tolerances import KKT_FLOAT32, SAME_OBJECTIVE, SAME_POINT

pytestmark = pytest.mark.gpu


def same(problem, **options):
    """The answers on both devices, after a check that they agree."""
    there, here = fast.solve(tensors(problem, "cuda"), **options), fast.solve(problem, **options)
    for array in (
        there.x,
        there.support,
        there.certificate.kkt,
        *([] if there.dual is None else [there.dual]),
    ):
        assert array.is_cuda
    assert list(there.status) == list(here.status)
    good = (here.status == Status.OPTIMAL) | (here.status == Status.STATIONARY)
    size = np.maximum(
        0.5 * np.nansum(getattr(problem, DATA[type(problem)]) ** 2, axis=1),
        here.certificate.objective,
    )
    error = np.abs(there.certificate.objective.cpu().numpy() - here.certificate.objective)
    assert (error <= SAME_OBJECTIVE * size)[good].all()
    only = good & determined(problem, 0.05)
    assert (distance(problem, there.x.cpu().numpy(), here.x)[only] <= SAME_POINT).all()
    return there, here


@pytest.mark.parametrize("kind", ["plain", "noisy", "mask", "shared_mask", "wide", "small_signal"])
@pytest.mark.parametrize("cls", CLASSES)
def test_the_default_agrees_with_the_cpu(cls, kind):
    for seed in range(4):
        same(instance(cls, kind, seed))


@pytest.mark.parametrize("cls", CLASSES)
def test_the_printed_methods_agree_with_the_cpu(cls):
    for seed in range(4):
        same(
            instance(cls, "full_support" if cls in CONSTRAINED else "noisy", seed),
            method=PRINTED_METHOD[cls],
        )


@pytest.mark.parametrize("method", ["auto", "fista"])
@pytest.mark.parametrize("phi", ["tanh", "sigmoid", "plu", "leaky_relu"])
def test_nonlinear_activations_agree_with_the_cpu(phi, method):
    problem, _ = nonconvex(phi, "each")
    there, here = (
        fast.solve(tensors(problem, "cuda"), method=method),
        fast.solve(problem, method=method),
    )
    assert list(there.status) == list(here.status)
    np.testing.assert_allclose(there.x.cpu(), here.x, atol=SAME_POINT)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_layers_of_a_generator(noise):
    for problem in layers(generator((6, 24, 60, 120), biased=True), 64, noise):
        there, _ = same(problem)
        assert list(there.status) == [Status.OPTIMAL] * 64
        parts = fast.solve(tensors(problem, "cuda"), memory=1 << 16)
        assert (distance(problem, parts.x.cpu().numpy(), there.x.cpu().numpy()) <= SAME_POINT).all()


@pytest.mark.parametrize("cls", CLASSES)
def test_bad_signals_float32_starts_and_histories(cls):
    problem = instance(cls, "full_support", 3)
    data = getattr(problem, DATA[cls]).copy()
    data[1, 2] = np.nan
    bad = tensors(replaced(problem, **{DATA[cls]: data}), "cuda")
    sol = fast.solve(bad)
    assert list(sol.status) == [Status.OPTIMAL, Status.NONFINITE, Status.OPTIMAL]
    warm = fast.solve(bad, x0=sol.x)
    assert list(warm.status) == list(sol.status)
    assert list(fast.solve(bad, x0=sol.x.cpu().numpy()).status) == list(sol.status)
    recorded = fast.solve(
        tensors(problem, "cuda"), method=PRINTED_METHOD[cls], max_iter=5, history=True
    )
    assert len(recorded.history) == 6
    arrays = {
        k: v.astype(np.float32)
        for k, v in vars(problem).items()
        if getattr(v, "dtype", None) == np.float64
    }
    single = fast.solve(tensors(replaced(problem, **arrays), "cuda"))
    assert single.x.dtype == torch.float32
    assert list(single.status) == [Status.OPTIMAL] * 3
    assert (single.certificate.kkt <= KKT_FLOAT32).all()


def test_the_pursuit_on_the_shipped_generator():
    G = cvxinv.mnist_generator()
    z = np.random.default_rng(0).standard_normal((32, 20))
    signals = torch.tensor(G(z), device="cuda")
    inv = cvxinv.latent_pursuit(G.to("cuda"), signals)
    assert inv.z.is_cuda
    here = cvxinv.latent_pursuit(G, G(z))
    np.testing.assert_allclose(inv.z.cpu(), here.z, atol=SAME_POINT)


def test_levenberg_marquardt_and_invert_on_the_device():
    G = generator((4, 24, 60, 120), "plu", biased=True)
    z = np.random.default_rng(0).standard_normal((16, 4))
    y = torch.from_numpy(G(z) + 0.01 * np.random.default_rng(1).standard_normal((16, 120)))
    there, here = (fast.levenberg_marquardt(G, a, starts=6) for a in (y.cuda(), y))
    assert there.z.is_cuda
    np.testing.assert_allclose(there.objective.cpu(), here.objective, rtol=1e-3)
    inv = cvxinv.invert(G, y.cuda(), noise=0.01, starts=6)
    for array in (inv.z, inv.covariance, inv.standard_error, inv.condition, inv.agreement):
        assert array.is_cuda
    np.testing.assert_allclose(
        inv.objective.cpu(), cvxinv.invert(G, y, noise=0.01, starts=6).objective, rtol=1e-3
    )
