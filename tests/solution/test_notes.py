"""What is said of a signal beside its status, and what is not."""

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv import rows
from cvxinv.solution.notes import noted, on_fit

B, N = 3, 64
PHIS = ["tanh", "sigmoid", "identity", "plu"]


def generator(phi="tanh"):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((16, 2)), rng.standard_normal((N, 16)) / 4]
    return cvxinv.Generator(weights, activation=phi)


def signals(phi="tanh"):
    G = generator(phi)
    return G, G(np.random.default_rng(1).standard_normal((B, 2)))


def said(G, y, residual=0.0, seen=None, sigma=None):
    return on_fit(G, y, seen, np.full(len(y), residual), sigma=sigma)


# -- the mechanism ---------------------------------------------------------------------------------


def test_sentences_are_added_in_order():
    notes = noted((), np.array([True, False, True]), lambda b: f"first {b}")
    notes = noted(notes, np.array([True, True, False]), lambda b: f"second {b}")
    assert [*notes] == [("first 0", "second 0"), ("second 1",), ("first 2",)]
    one = noted((), np.array(True), "of one {}".format)
    assert noted(one, np.array(False), str) == ("of one 0",)
    with pytest.raises(ValueError, match="longer"):
        noted(notes, np.zeros(4, dtype=bool), str)


def test_notes_go_along_with_their_rows():
    G, y = signals()
    y[1] = 255 * y[1]
    inv = cvxinv.latent_pursuit(G, y)
    assert [len(n) > 0 for n in inv.notes] == [False, True, False]
    assert rows.take(inv, 1).notes == inv.notes[1]
    assert [*rows.take(inv, np.array([1, 0])).notes] == [inv.notes[1], ()]
    part = rows.take(inv, slice(0, 1))
    assert [*rows.put(inv, np.array([1]), part).notes] == [(), (), ()]
    assert [*rows.join([inv, part]).notes] == [(), inv.notes[1], (), ()]
    assert repr(inv).endswith("see notes on 1 signal)")
    assert repr(rows.take(inv, 1)).endswith("see notes on 1 signal)")
    assert "notes" not in repr(rows.take(inv, 0)) + repr(part)


# -- what is said ----------------------------------------------------------------------------------


@pytest.mark.parametrize("phi", PHIS)
@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_nothing_is_said_of_good_fits(phi, kind):
    G, y = signals(phi)
    for inv in (cvxinv.invert(G, kind(y)), cvxinv.latent_pursuit(G, kind(y))):
        assert [*inv.notes] == [()] * B
        assert "notes" not in repr(inv)


def test_levels_up_to_255():
    G, y = signals("sigmoid")
    y[0] = np.round(255 * y[0])
    for inv in (cvxinv.invert(G, y), cvxinv.latent_pursuit(G, y)):
        outside = int((y[0] > 1).sum())
        assert inv.notes[0][0] == (
            f"y lies outside [0, 1], the range of sigmoid, at {outside} observed pixels,"
            f" by up to {y[0].max() - 1:.3g}: is it scaled otherwise?"
        )
        assert [*inv.notes[1:]] == [(), ()]
    one = cvxinv.invert(G, y[0])
    assert one.notes[0] == inv.notes[0][0]
    assert "outside" in cvxinv.fast.gradient_descent(G, y[0], steps=3).notes[0]


@pytest.mark.parametrize(("phi", "low"), [("sigmoid", 0.0), ("tanh", -1.0)])
def test_noise_is_not_a_scale(phi, low):
    G, _ = signals(phi)
    rng = np.random.default_rng(2)
    y = np.where(rng.random((200, N)) > 0.5, 1.0, low)
    width = 1 - low
    y += 0.1 * width * rng.standard_normal(y.shape)
    assert not any(said(G, y))
    loud = y + 0.4 * width * rng.standard_normal(y.shape)
    assert any(said(G, loud))
    assert not any(said(G, loud, sigma=np.full(len(y), 0.42 * width)))


@pytest.mark.parametrize("edge", [0.499, 0.501])
def test_half_of_the_range_is_the_border(edge):
    for phi, low, width in [("sigmoid", 0.0, 1.0), ("tanh", -1.0, 2.0)]:
        G, y = signals(phi)
        y[0, 3], y[1, 4] = low - edge * width, 1 + edge * width
        assert [bool(n) for n in said(G, y)] == [edge > 0.5, edge > 0.5, False]
        seen = np.ones(N, dtype=bool)
        seen[3] = False
        assert [bool(n) for n in said(G, y, seen=seen)] == [False, edge > 0.5, False]


@pytest.mark.parametrize("phi", PHIS)
def test_a_constant_image_that_fits_better(phi):
    G, y = signals(phi)
    constant = np.linalg.norm(y - y.mean(axis=1, keepdims=True), axis=1)
    for factor in (0.999, 1.001):
        notes = on_fit(G, y, None, factor * constant)
        assert [bool(n) for n in notes] == [factor > 1] * B
    assert notes[0] == (
        f"the fit is worse than a constant image: ||y - G(z)|| is {1.001 * constant[0]:.3g},"
        f" ||y - mean(y)|| {constant[0]:.3g}",
    )
    seen = np.arange(N) < N // 2
    y = np.where(seen, 0.5, y)
    assert not any(said(G, y, residual=1e-9, seen=seen)), "rounding"
    assert all(said(G, y, residual=1e-6, seen=seen))
    assert not any(said(G, y, residual=0.0, seen=np.zeros(N, dtype=bool)))


def test_a_pixel_that_is_nan():
    G, y = signals()
    y[0, :2], y[2, 5] = np.nan, np.inf
    inv = cvxinv.invert(G, y)
    assert [*inv.notes] == [
        ("y is nan or inf at 2 observed pixels: hide them with observed=np.isfinite(y)",),
        (),
        ("y is nan or inf at 1 observed pixel: hide them with observed=np.isfinite(y)",),
    ]
    assert "observed=np.isfinite(y)" in inv.status[0].value
    tensor = torch.as_tensor(y)
    seen = torch.ones(N, dtype=torch.bool)
    found = cvxinv.invert(G, tensor, observed=seen).notes[0][0]
    assert found.endswith("observed=observed & torch.isfinite(y)")
    hidden = cvxinv.invert(G, y, observed=np.isfinite(y))
    assert not any(hidden.notes)
    assert not np.isnan(hidden.z).any()


def test_nothing_overflows():
    G, y = signals("identity")
    with np.errstate(all="raise"):
        assert not any(said(G, 1e300 * y, residual=1e300))
