"""Images in, images out: every function that takes signals takes them in their shape."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import cvxinv
import fast
from cvxinv import guarantees

SHAPE, N = (1, 4, 6), 24
FOUND = {
    "invert": cvxinv.invert,
    "hybrid": cvxinv.hybrid,
    "latent_pursuit": cvxinv.latent_pursuit,
    "noisy_pursuit": cvxinv.noisy_pursuit,
    "layered_basis_pursuit": cvxinv.layered_basis_pursuit,
    "debiased": partial(cvxinv.layered_basis_pursuit, lam=0.0, debias=True),
    "linear_programming": cvxinv.linear_programming,
    "gradient_descent": partial(fast.gradient_descent, steps=50),
}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    layers = nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, N), nn.Tanh(), nn.Unflatten(1, SHAPE)
    return nn.Sequential(*layers).double().eval()


@pytest.fixture(scope="module")
def G(net):
    return cvxinv.Generator.from_torch(net)


@pytest.fixture(scope="module")
def images(net):
    with torch.no_grad():
        return net(torch.randn(3, 2, dtype=torch.float64, generator=torch.manual_seed(1)))


def same(found, flat):
    np.testing.assert_array_equal(found, flat)


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("seen", [None, (4, 6), (3, *SHAPE)])
@pytest.mark.parametrize("kind", [torch.as_tensor, np.asarray])
def test_images_are_what_their_vectors_are(G, images, name, seen, kind):
    y, flat = kind(images), kind(images.reshape(3, N))
    mask = None if seen is None else kind(np.arange(np.prod(seen)).reshape(seen) % 5 > 0)
    vectors = None if seen is None else mask.reshape((N,) if len(seen) == 2 else (3, N))
    inv, expected = FOUND[name](G, y, observed=mask), FOUND[name](G, flat, observed=vectors)
    assert type(inv) is type(expected)
    assert type(inv.signal) is type(y)
    assert inv.signal.shape == y.shape == (y - inv.signal).shape
    same(inv.z, expected.z)
    same(inv.signal.reshape(3, N), expected.signal)
    same(inv.residual, expected.residual)
    for x, other in zip(inv.layers, expected.layers, strict=True):
        same(x, other)
    own = mask if seen is None or len(seen) == 2 else mask[1]
    one = FOUND[name](G, y[1], observed=own)
    assert one.z.shape == (2,)
    assert one.signal.shape == SHAPE
    assert FOUND[name](G, y[1, 0], observed=own).signal.shape == (4, 6)


def test_images_with_supports_and_minima(G, images):
    flat, supports = images.reshape(3, N), G.supports(cvxinv.latent_pursuit(G, images).z)
    seen = torch.arange(N) % 5 > 0
    inv = cvxinv.oracle(G, images, supports, observed=seen.reshape(4, 6))
    same(inv.z, cvxinv.oracle(G, flat, supports, observed=seen).z)
    assert inv.signal.shape == images.shape
    found = fast.levenberg_marquardt(G, images, starts=2, observed=seen.reshape(SHAPE))
    same(found.z, fast.levenberg_marquardt(G, flat, starts=2, observed=seen).z)


def test_masks_in_the_shape_of_an_image(G, images):
    z = cvxinv.latent_pursuit(G, images).z
    seen = np.arange(N) % 5 > 0
    image, each = seen.reshape(4, 6), np.broadcast_to(seen.reshape(SHAPE), (3, *SHAPE))
    S = G.supports(z)
    for mask in (image, each):
        same(cvxinv.cramer_rao(G, z, 0.1, mask), cvxinv.cramer_rao(G, z, 0.1, seen))
        linear = cvxinv.Generator(G.weights, G.biases)
        bound = guarantees.oracle_error(linear, S, 0.1, mask).upper[0]
        same(bound, guarantees.oracle_error(linear, S, 0.1, seen).upper[0])
        level = guarantees.stability(G, S, 0.01, signal=images, observed=mask).noise
        flat = images.reshape(3, N)
        same(level, guarantees.stability(G, S, 0.01, signal=flat, observed=seen).noise)
        assert (level > 0.01).all()
        found = guarantees.uniqueness(G, z, observed=mask)
        assert [*found.reason] == [*guarantees.uniqueness(G, z, observed=seen).reason]


def test_a_file_remembers_the_images(G, images, tmp_path):
    G.save(tmp_path / "g.safetensors")
    loaded = cvxinv.Generator.load(tmp_path / "g.safetensors")
    inv = cvxinv.invert(loaded, images[:1].numpy())
    assert inv.z.shape == (1, 2)
    assert inv.signal.shape == (1, *SHAPE)
    with pytest.raises(ValueError, match=r"or images of shape \(1, 4, 6\), got \(3, 6, 4\)"):
        cvxinv.invert(loaded, np.zeros((3, 6, 4)))


def test_bounds_of_images(G, images):
    inv = cvxinv.layered_basis_pursuit(G, images, noise=1e-3)
    flat = cvxinv.layered_basis_pursuit(G, images.reshape(3, N), noise=1e-3)
    same(inv.bounds.latent, flat.bounds.latent)
