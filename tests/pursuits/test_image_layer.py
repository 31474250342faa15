"""Eq. 5 on phi^-1(y) where phi is smooth: as good as on the identity, whatever pixels saturate."""

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv import Generator, Status
from cvxinv.pursuits.image_layer import on_preimage
from tests.support.instances import generator
from tests.support.tolerances import EXACT_SNR


def dark(phi, shift=-5.0):
    """20-60-784 with a background that all but saturates, and 16 latent vectors."""
    rng = np.random.default_rng(0)
    W = [rng.standard_normal((60, 20)), rng.standard_normal((784, 60)) / 4]
    biases = [np.zeros(60), np.full(784, shift)]
    z = rng.standard_normal((16, 20))
    return Generator(W, biases, phi), Generator(W, biases), z


@pytest.mark.parametrize("phi", ["sigmoid", "tanh"])
def test_a_smooth_output_is_as_good_as_its_logits(phi):
    G, logits, z = dark(phi)
    inv = cvxinv.latent_pursuit(G, G(z))
    assert (cvxinv.snr(z, cvxinv.latent_pursuit(logits, logits(z)).z) >= EXACT_SNR).all()
    assert (cvxinv.snr(z, inv.z) >= EXACT_SNR).all()
    assert all(s is Status.OPTIMAL for s in inv.status)


@pytest.mark.parametrize("phi", ["sigmoid", "tanh"])
def test_saturated_pixels_are_left_out_and_said(phi):
    """Logits near +-30 are +-1.0 in float64, 1.0 in a sigmoid."""
    rng = np.random.default_rng(1)
    W = [rng.standard_normal((40, 4)), rng.standard_normal((300, 40))]
    W[1][::3] *= 30
    G, z = Generator(W, None, phi), rng.standard_normal((8, 4))
    y = G(z)
    assert (np.abs(y) == 1).any(axis=1).all()
    inv = cvxinv.latent_pursuit(G, y)
    assert (cvxinv.snr(z, inv.z) >= EXACT_SNR).all()
    image = on_preimage(G, y, None)
    for count, notes in zip(image.saturated, inv.notes, strict=True):
        assert f"without {count} saturated pixels" in notes[0]
    assert np.isfinite(image.target).all()
    assert not image.seen[np.abs(y) == 1].any()


@pytest.mark.parametrize("value", [1.0, np.nextafter(1, 2), 1.0 + 1e-9, -1.0, -1.3])
def test_a_pixel_that_noise_put_on_or_beyond_the_end_spoils_nothing(value):
    G = generator((4, 12, 40), "tanh")
    z = np.random.default_rng(2).standard_normal((60, 4))
    z = z[(G.supports(z)[0].sum(axis=1) > 5)][:4]
    y = G(z)
    y[1, 7] = value
    hidden = np.ones(40, dtype=bool)
    hidden[7] = False
    inv = cvxinv.latent_pursuit(G, y, last="inverted", debias=False)
    assert (cvxinv.snr(z, inv.z) >= EXACT_SNR).all()
    np.testing.assert_allclose(
        inv.z[1], cvxinv.latent_pursuit(G, y[1], observed=hidden).z, rtol=1e-9
    )


def test_another_scale_is_no_noise():
    G = generator((4, 12, 40), "tanh")
    y = G(np.random.default_rng(0).standard_normal((3, 4)))
    y[1] = 255 * np.abs(y[1])
    inv = cvxinv.latent_pursuit(G, y)
    assert inv.status[1] is Status.INVALID_SIGNAL
    assert np.isnan(inv.z[1]).all()
    assert np.isfinite(inv.z[[0, 2]]).all()
    assert "outside [-1, 1]" in inv.notes[1][0]


@pytest.mark.parametrize("phi", ["identity", "plu", "leaky_relu"])
@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e12])
def test_unbounded_outputs_never_saturate(phi, unit):
    G = generator((4, 12, 40), phi)
    y = unit * np.random.default_rng(0).standard_normal((3, 40))
    image = on_preimage(G, y, None)
    assert not image.saturated.any()
    assert image.seen is None


@pytest.mark.parametrize("phi", ["sigmoid", "tanh"])
def test_a_signal_is_known_by_itself_whatever_its_companions_are(phi):
    G, _, z = dark(phi)
    y = G(z * np.logspace(-3, 1, len(z))[:, None])
    image = on_preimage(G, y, None)
    for b in range(len(y)):
        alone = on_preimage(G, y[b], None)
        for field in ("target", "invalid", "saturated", "accuracy"):
            np.testing.assert_array_equal(getattr(image, field)[b], getattr(alone, field))


@pytest.mark.parametrize("phi", ["identity", "plu", "leaky_relu"])
def test_where_phi_is_not_smooth_eq_5_is_always_inverted(phi):
    G = generator((4, 12, 40), phi)
    rng = np.random.default_rng(3)
    y = G(rng.standard_normal((4, 4))) + 0.3 * rng.standard_normal((4, 40))
    for last in ("auto", "printed"):
        inv = cvxinv.latent_pursuit(G, y, last=last)
        np.testing.assert_array_equal(inv.z, cvxinv.latent_pursuit(G, y, last="inverted").z)
        assert "as printed" not in str(inv.notes)


def test_how_eq_5_is_solved_can_be_chosen():
    G, _, z = dark("sigmoid", shift=-1.0)
    noisy = np.clip(G(z) + 0.02 * np.random.default_rng(1).standard_normal((16, 784)), 0, 1)
    found = {last: cvxinv.latent_pursuit(G, noisy, last=last) for last in ("auto", "inverted")}
    assert np.isfinite(found["inverted"].z).all()
    assert (found["auto"].residual <= found["inverted"].residual).all()
    nearer = found["auto"].residual < found["inverted"].residual
    assert nearer.any(), "the noise that phi^-1 amplifies is for eq. 5 as printed"
    said = [any("as printed" in s for s in notes) for notes in found["auto"].notes]
    np.testing.assert_array_equal(said, nearer)
    printed = cvxinv.latent_pursuit(G, G(z)[:1], last="printed")
    assert printed.solutions[-1].status[0] in (Status.STATIONARY, Status.MAX_ITER)
    assert "as printed" in " ".join(printed.notes[0])
    with pytest.raises(ValueError, match=r"^last: expected one of"):
        cvxinv.latent_pursuit(G, noisy, last="exact")


def test_tensors_float32_and_one_signal():
    G, _, z = dark("sigmoid", shift=-1.0)
    y = G(z)
    inv = cvxinv.latent_pursuit(G, torch.tensor(y))
    np.testing.assert_allclose(inv.z.numpy(), cvxinv.latent_pursuit(G, y).z, rtol=1e-8, atol=1e-10)
    alone = cvxinv.latent_pursuit(G, y[3])
    assert alone.notes == inv.notes[3]
    assert cvxinv.snr(z[3], alone.z) >= EXACT_SNR
    single = cvxinv.latent_pursuit(G, y.astype(np.float32))
    assert np.median(cvxinv.snr(z, single.z.astype(np.float64))) > 80


@pytest.mark.parametrize("hidden", [11, 13])
def test_masks_of_their_own_that_leave_few_pixels(hidden):
    """Hardly more pixels than units, and another mask for each signal: x_1 to 1e-8 would be
    OPTIMAL, but its support would not be that of z.
    """
    G = cvxinv.mnist_generator("vae")
    z = np.random.default_rng(3).standard_normal((12, 20))
    seen = np.tile(np.arange(784) >= 28 * hidden, (12, 1))
    seen[np.arange(12), 783 - np.arange(12) % 5] = False
    inv = cvxinv.latent_pursuit(G, G(z), observed=seen, debias=False)
    np.testing.assert_array_equal(inv.supports[0], G.supports(z)[0])
    assert (cvxinv.snr(z, inv.z) >= EXACT_SNR).all()
