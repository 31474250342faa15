"""Layered Basis-Pursuit, the oracle and the linear programs where pixels saturate: as good as
without those, said in the notes, and no matter for the other signals.
"""

import re
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import cvxinv
import fast
from cvxinv import Generator, Status, reference
from tests.support.instances import generator
from tests.support.tolerances import EXACT_SNR, FLOAT32_SNR

BACKENDS = {"reference": reference.solve, "fast": fast.solve}
SHAPES = ((4, 12, 60), (3, 9, 20, 80))
NEARLY = 1e-10  # from the end of the range of phi
GREY_SNR = 20.0  # dB, of 8-bit images
NOISY_SNR = 80.0  # dB, of noise of 1e-6


def saturating(phi, sizes=SHAPES[0], share=0.2, seed=0):
    """A network whose output has pixels at the ends of the range of phi, a share at each, and four
    latent vectors whose layers determine one another.
    """
    G, rng = generator(sizes, phi, seed, biased=True), np.random.default_rng([7, seed])
    u = rng.random(sizes[-1])
    shift = np.where(u < share, 800.0, np.where(u > 1 - share, -800.0, 0.0))
    G = Generator(G.weights, [*G.biases[:-1], G.biases[-1] + shift], phi)
    z = rng.standard_normal((400, sizes[0]))
    enough = [S.sum(axis=1) > n + 1 for S, n in zip(G.supports(z), sizes, strict=False)]
    return G, z[np.all(enough, axis=0)][:4], shift != 0


def algorithms(G, z, solve):
    """Each of the three, as a function of y and of the pixels that are seen."""
    lp = cvxinv.linear_programming
    return {
        "basis": partial(cvxinv.layered_basis_pursuit, G, solve=solve),
        "debiased": partial(cvxinv.layered_basis_pursuit, G, solve=solve, debias=True),
        "oracle": partial(cvxinv.oracle, G, supports=G.supports(z), solve=solve),
        "linf": partial(lp, G, norm="linf", noise=1e-7),
        "l1": partial(lp, G, norm="l1", noise=1e-7),
    }


def recovered(z, inv, snr=EXACT_SNR):
    assert (cvxinv.snr(z, inv.z) >= snr).all(), cvxinv.snr(z, inv.z)
    assert (np.asarray(inv.status) == Status.OPTIMAL).all(), inv.status


@pytest.mark.parametrize("solve", BACKENDS)
@pytest.mark.parametrize("phi", ["tanh", "sigmoid"])
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
@given(st.integers(0, 10**4))
@example(0)
@settings(max_examples=5)
def test_pixels_at_the_ends_are_left_out_and_z_is_exact(sizes, phi, solve, seed):
    G, z, ends = saturating(phi, sizes, seed=seed)
    assume(len(z) == 4)  # of 400 draws; some networks turn too few units on
    y = G(z)
    assert set(np.unique(y[:, ends])) == set(G.activation.range)
    for name, run in algorithms(G, z, BACKENDS[solve]).items():
        inv = run(y=y)
        recovered(z, inv, 200.0 if name == "oracle" else EXACT_SNR)
        for S, S_hat in zip(G.supports(z), inv.supports, strict=True):
            np.testing.assert_array_equal(S_hat, S)
        # beside these, pixels so near the ends that rounding alone moves them
        low, high = G.activation.range
        most = (np.minimum(y - low, high - y) < NEARLY).sum(axis=1)
        left_out = [int(re.search(r"without (\d+) saturated", " ".join(n))[1]) for n in inv.notes]
        assert (left_out >= ends.sum()).all()
        assert (left_out <= most).all()


@pytest.mark.parametrize("value", [1.0, np.nextafter(1, 2), 1 + 1e-9, 0.0, -1e-9, -0.3, 1.3])
@pytest.mark.parametrize("name", ["basis", "oracle", "linf", "l1"])
def test_a_pixel_on_or_beyond_the_end_is_as_good_as_hidden(name, value):
    G, z, _ = saturating("sigmoid", share=0.0)
    run, y = algorithms(G, z, reference.solve)[name], G(z)
    y[1, 7] = value
    inv, hidden = run(y=y), run(y=y, observed=np.arange(60) != 7)
    recovered(z, inv)
    np.testing.assert_allclose(inv.z[1], hidden.z[1], rtol=1e-9)
    assert "without 1 saturated pixel," in " ".join(inv.notes[1])
    assert inv.notes[0] == inv.notes[2] == hidden.notes[1] == ()


@pytest.mark.parametrize("solve", BACKENDS)
@pytest.mark.parametrize("name", ["basis", "debiased", "oracle", "linf", "l1"])
def test_a_bad_signal_does_not_touch_its_companions(name, solve):
    """Another scale, nan, and nothing but saturated pixels."""
    G, z, ends = saturating("tanh")
    run, y = algorithms(G, z, BACKENDS[solve])[name], G(z)
    good = run(y=y)
    y[1], y[2, ~ends], y[3] = 255 * y[1], np.nan, 1.0
    inv = run(y=y)
    assert list(inv.status)[:3] == [Status.OPTIMAL, Status.INVALID_SIGNAL, Status.NONFINITE]
    if name != "oracle":  # which knows the rows that hold z, if nothing of what is in them
        assert inv.status[3] is Status.NOT_IDENTIFIABLE
    np.testing.assert_allclose(inv.z[0], good.z[0], rtol=1e-9)
    assert np.isnan(inv.z[1:3]).all()
    assert np.isfinite(inv.z[[0, 3]]).all(), "never nan for what is only saturated"
    assert "outside [-1, 1]" in inv.notes[1][0]
    assert "without 60 saturated pixels" in inv.notes[3][-1]


@pytest.mark.parametrize("phi", ["tanh", "sigmoid"])
@pytest.mark.parametrize("name", ["basis", "oracle", "l1"])
def test_8_bit_images(name, phi):
    """Grey levels: exact 0 and 255 at the ends, rounding by half a level elsewhere."""
    G, z, _ = saturating(phi, (4, 12, 400))
    low, high = G.activation.range
    levels = np.round((G(z) - low) / (high - low) * 255) / 255
    y = low + (high - low) * levels
    assert ((y == low) | (y == high)).sum(axis=1).min() > 40
    inv = algorithms(G, z, fast.solve)[name](y=y)
    assert np.isfinite(inv.z).all()
    if name == "oracle":
        recovered(z, inv, GREY_SNR)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize("solve", BACKENDS)
def test_float32_in_both_kinds(kind, solve):
    """Layers that determine one another by far, since rounding grows from layer to layer."""
    G, z, _ = saturating("tanh", (4, 24, 400), seed=1)
    G = G.to(dtype=np.float32) if kind is np.asarray else G.to("cpu", dtype=torch.float32)
    z = kind(z.astype(np.float32))
    for name, run in algorithms(G, z, BACKENDS[solve]).items():
        inv = run(y=G(z))
        assert inv.z.dtype == z.dtype
        assert (np.asarray(cvxinv.snr(z, inv.z)) >= FLOAT32_SNR).all(), name
        assert all("saturated" in notes[0] for notes in inv.notes)


def test_tensors_and_one_signal():
    G, z, _ = saturating("sigmoid")
    y = G(z)
    for name, run in algorithms(G, z, fast.solve).items():
        batch, tensors = run(y=y), run(y=torch.tensor(y))
        np.testing.assert_allclose(tensors.z.numpy(), batch.z, rtol=1e-8, err_msg=name)
        if name != "oracle":
            alone = run(y=y[2])
            np.testing.assert_allclose(alone.z, batch.z[2], rtol=1e-8, err_msg=name)
            assert alone.notes == batch.notes[2]


def test_with_noise_pixels_near_the_ends_are_left_out_too():
    """A pixel 1e-12 off what noise carries out of the range: its ell is 1e12, and lam as much,
    which would set all of x to zero.
    """
    G, z, _ = saturating("tanh", (4, 12, 400), share=0.0)
    eps, y = 1e-6, G(z)
    hide, seen = (np.abs(y) < 0.9 for _ in range(2))
    hide[:, 3], seen[:, 3] = False, True
    y[:, 3] = 1 - eps - 1e-12
    inv, hidden = (
        cvxinv.layered_basis_pursuit(G, y, solve=fast.solve, noise=eps, observed=o)
        for o in (seen, hide)
    )
    recovered(z, inv, NOISY_SNR)
    assert "without 1 saturated pixel, where noise or rounding move it" in " ".join(inv.notes[0])
    np.testing.assert_allclose(inv.z, hidden.z, rtol=1e-9)
    np.testing.assert_array_equal(inv.bounds.noise, hidden.bounds.noise)
    assert (inv.bounds.noise < 6e-6).all()
