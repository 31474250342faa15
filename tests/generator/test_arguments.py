"""Images as signals: which shapes are one image, which are many, and which are none."""

import re

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv.generator.arguments import pixels_of, signals_of

N = 24


def generator(image=None, phi="identity"):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((6, 2)), rng.standard_normal((N, 6))]
    return cvxinv.Generator(weights, activation=phi, image_shape=image)


def pixels(shape):
    return np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)


# shape, image_shape of the generator, batch
READ = [
    ((N,), None, ()),
    ((5, N), None, (5,)),
    ((0, N), None, (0,)),
    ((1, N), (1, N), (1,)),
    ((4, 6), None, ()),
    ((1, 4, 6), None, ()),
    ((2, 3, 4), None, ()),
    ((N, 1), None, ()),
    ((5, 4, 6), None, (5,)),
    ((0, 4, 6), None, (0,)),
    ((5, 2, 3, 4), None, (5,)),
    ((1, 1, 4, 6), None, (1,)),
    ((1, 1, N), None, (1,)),
    ((5, 1, N), None, (5,)),
    ((2, 3, 2, 2), None, ()),
    ((N, N), None, (N,)),
    ((1, 4, 6), (1, 4, 6), ()),
    ((4, 6), (1, 4, 6), ()),
    ((4, 6, 1), (1, 4, 6), ()),
    ((1, 1, 4, 6), (1, 4, 6), (1,)),
    ((7, 4, 6), (1, 4, 6), (7,)),
    ((1, 4, 6), (4, 6), (1,)),
    ((1, 1, 4, 6), (1, 1, 4, 6), ()),
    ((5, 2, 3, 4), (2, 3, 4), (5,)),
    ((5, N), (2, 3, 4), (5,)),
    ((N,), (2, 3, 4), ()),
]
NONE = [
    ((), None),
    ((23,), None),
    ((N, 2), None),
    ((5, 4, 5), None),
    ((2, 3, N), None),
    ((6, 4), (4, 6)),
    ((3, 4, 2), (2, 3, 4)),
    ((5, 3, 4, 2), (2, 3, 4)),
    ((5, 4, 6), (2, 3, 4)),
]


@pytest.mark.parametrize(("shape", "image", "batch"), READ)
@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, lambda a: a.tolist()])
def test_shapes_of_signals(shape, image, batch, kind):
    if kind(np.ones(1)) == [1.0] and 0 in shape:
        return  # a list of nothing has no shape
    a = pixels(shape)
    given = signals_of(generator(image), kind(a), None)
    assert tuple(given.y.shape) == (*batch, N)
    np.testing.assert_array_equal(np.ravel(given.y), a.ravel())
    assert given.shape == shape


@pytest.mark.parametrize(("shape", "image"), NONE)
def test_shapes_that_are_no_signals(shape, image):
    images = "images of 24 pixels" if image is None else f"images of shape {image}"
    says = f"y: expected shape (24,) or (B, 24), or {images}, got {shape}"
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        signals_of(generator(image), np.ones(shape), None)
    with pytest.raises(ValueError, match=r"observed: expected shape"):
        signals_of(generator(image), np.ones((5, N)), np.ones(shape, dtype=bool))


@pytest.mark.parametrize("shape", [(N,), (4, 6), (1, 4, 6), (1, 1, 4, 6), (2, 3, 4)])
@pytest.mark.parametrize("like", [np.ones((5, N)), np.ones((1, N)), np.ones(N), torch.ones(5, 7)])
def test_a_mask_for_all(shape, like):
    a = pixels(shape) % 3 == 0
    for mask in (a, a.astype(np.uint8)):
        found = pixels_of(generator(), mask, like)
        assert type(found) is type(like)
        np.testing.assert_array_equal(found, a.ravel())


@pytest.mark.parametrize("shape", [(5, N), (5, 4, 6), (5, 1, 4, 6)])
def test_a_mask_for_each(shape):
    a = pixels(shape) % 3 == 0
    found = pixels_of(generator(), a, np.ones((5, N)))
    np.testing.assert_array_equal(found, a.reshape(5, N))
    for other in (np.ones((4, N)), np.ones(N)):
        with pytest.raises(ValueError, match=r"observed: expected shape \(24,\)"):
            pixels_of(generator(), a, other)


@pytest.mark.parametrize(
    ("phi", "says"),
    [
        ("sigmoid", "pass y / 255"),
        ("tanh", "pass y / 127.5 - 1"),
        ("plu", "pass y / 255 or y / 127.5 - 1, whichever G was trained on"),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_grey_levels_are_not_guessed(phi, says, kind):
    y = kind(10 * np.arange(N, dtype=np.uint8))
    with pytest.raises(TypeError) as caught:
        cvxinv.invert(generator(phi=phi), y)
    assert (
        str(caught.value) == f"y: expected floats on the scale of G, got 8-bit grey levels: {says}"
    )
    scaled = y / 127.5 - 1  # no overflow in 8 bits
    assert float(scaled[-1]) == pytest.approx(230 / 127.5 - 1)
