"""Models in float32, as all that people have: signals are known to 1e-7, z as well as that allows,
and no problem is made of the digits that are not there.
"""

import itertools

import numpy as np
import pytest
import torch

from cvxinv import Generator, Status, invert, latent_pursuit, mnist_generator
from cvxinv.solution.snr import snr


def network(name):
    """A generator in float64."""
    if name in ("vae", "gan"):
        return mnist_generator(name)
    rng = np.random.default_rng(3)
    layers = itertools.pairwise((4, 16, 40, 120))
    weights = [rng.standard_normal((m, n)) / np.sqrt(n) for n, m in layers]
    return Generator(weights, [0.1 * rng.standard_normal(len(W)) for W in weights], name)


def signals(name, count=24, hidden=0.0, kind=np.asarray):
    """The network in float32, its signals, their z and a mask for each."""
    G = network(name).to("numpy", "float32")
    rng = np.random.default_rng(1)
    z = rng.standard_normal((count, G.sizes[0])).astype(np.float32)
    return G, kind(G(z)), z, kind(rng.random((count, G.sizes[-1])) >= hidden)


@pytest.mark.parametrize("hidden", [0.0, 0.3])
@pytest.mark.parametrize("name", ["vae", "gan", "tanh", "sigmoid", "identity"])
def test_z_as_well_as_float32_allows(name, hidden):
    G, y, z, seen = signals(name, hidden=hidden)
    found = latent_pursuit(G, y, observed=seen if hidden else None)
    assert found.z.dtype == np.float32
    assert np.median(snr(z, found.z)) >= 110.0
    assert np.mean(snr(z, found.z) >= 90.0) >= 0.9
    front = invert(G, y, observed=seen if hidden else None)
    assert (snr(z, front.z) >= 90.0).all()
    assert all(s is Status.OPTIMAL for s in front.status)


@pytest.mark.parametrize("name", ["vae", "tanh"])
def test_tensors_and_one_signal(name):
    G, y, z, _ = signals(name, 3, kind=torch.tensor)
    found = latent_pursuit(G, y)
    assert found.z.dtype == torch.float32
    one = latent_pursuit(G, y[1])
    assert torch.linalg.vector_norm(one.z - found.z[1]) <= 1e-4 * torch.linalg.vector_norm(one.z)
    assert snr(z[1], one.z.numpy()) >= 90.0


@pytest.mark.parametrize("run", [latent_pursuit, invert])
@pytest.mark.parametrize("name", ["vae", "tanh", "identity"])
def test_float32_numbers_in_float64_are_what_they_are(name, run):
    """As `y.double()`, or a list, hands them over."""
    G, y, z, _ = signals(name, 6)
    found, single = run(G, y.astype(np.float64)), run(G, y)
    assert found.z.dtype == found.signal.dtype == found.solutions[0].x.dtype == np.float64
    assert (snr(z, found.z) >= 90.0).all()
    assert list(found.status) == list(single.status)
    assert all("float32 numbers" in notes[-1] for notes in found.notes)
    one = run(G, y[0].astype(np.float64))
    assert one.z.shape == (G.sizes[0],)
    assert "float32 numbers" in one.notes[-1]


@pytest.mark.parametrize("junk", [np.nan, np.pi, 1e300])
@pytest.mark.parametrize("run", [latent_pursuit, invert])
def test_what_is_hidden_does_not_decide_on_the_dtype(run, junk):
    G, y, z, seen = signals("sigmoid", 8, hidden=0.2)
    y = y.astype(np.float64)
    clean, spoiled = run(G, y, observed=seen), run(G, np.where(seen, y, junk), observed=seen)
    np.testing.assert_array_equal(spoiled.z, clean.z)
    assert (snr(z, spoiled.z) >= 90.0).all()


@pytest.mark.parametrize("levels", [2, 3, 256])
def test_patterns_and_grey_levels_are_float64(levels):
    G = network("identity")
    y = np.random.default_rng(0).integers(0, levels, (3, 120)) / 1.0
    assert not any("float32 numbers" in s for notes in invert(G, y).notes for s in notes)
