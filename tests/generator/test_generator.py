"""The generator of eq. 2: forward pass, torch modules, files, devices and measurements."""

import numpy as np
import pytest
import torch

from cvxinv import Generator
from cvxinv.activations import PLU, LeakyReLU
from tests.support.instances import generator
from tests.support.tolerances import FORWARD, FORWARD_FLOAT32

SIZES = (3, 7, 9, 11)
RNG = np.random.default_rng(0)


def by_hand(G, z):
    """Eq. 2 with loops, one signal."""
    x, layers = [float(v) for v in z], []
    for i, W in enumerate(G.weights):
        b = np.zeros(len(W)) if G.biases is None else G.biases[i]
        t = [
            sum(float(w) * v for w, v in zip(row, x, strict=True)) + float(c)
            for row, c in zip(W, b, strict=True)
        ]
        x = (
            [max(v, 0.0) for v in t]
            if i < len(G.weights) - 1
            else [float(G.activation(np.array([v]))[0]) for v in t]
        )
        layers.append(x)
    return layers


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize(
    "phi", ["identity", "tanh", "sigmoid", "leaky_relu", "plu", PLU(0.3, 0.2), LeakyReLU(0.2)]
)
def test_forward_pass_by_hand(phi, biased):
    G, z = generator(SIZES, phi, biased=biased), RNG.standard_normal((4, 3))
    assert G.sizes == SIZES
    for b in range(4):
        *layers, signal = by_hand(G, z[b])
        np.testing.assert_allclose(G(z)[b], signal, rtol=FORWARD, atol=FORWARD)
        np.testing.assert_allclose(G(z[b]), signal, rtol=FORWARD, atol=FORWARD)
        for x, S, expected in zip(G.layers(z), G.supports(z), layers, strict=True):
            np.testing.assert_allclose(x[b], expected, rtol=FORWARD, atol=FORWARD)
            np.testing.assert_array_equal(S[b], np.array(expected) > 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_signals_keep_their_kind_and_dtype(dtype):
    G, z = generator(SIZES, "tanh", biased=True), RNG.standard_normal((4, 3))
    y = G(torch.tensor(z, dtype=dtype))
    assert y.dtype == dtype
    np.testing.assert_allclose(y, G(z), atol=FORWARD_FLOAT32)
    assert G(z.astype(np.float32)).dtype == np.float32
    assert G(z[:0]).shape == (0, 11)


def test_a_nan_stays_where_it_is():
    G, z = generator(SIZES), RNG.standard_normal((3, 3))
    z[1, 0] = np.nan
    y = G(z)
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2]]).all()


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("biased", [False, True])
def test_files_keep_everything(tmp_path, biased, dtype):
    G = generator((3, 7, 11), PLU(0.25, 0.5), biased=biased).to(dtype=dtype)
    G.save(tmp_path / "g.safetensors")
    for path in (tmp_path / "g.safetensors", str(tmp_path / "g.safetensors")):
        H = Generator.load(path)
        assert H.activation == G.activation
        assert (H.biases is None) == (G.biases is None)
        for a, b in zip(
            [*G.weights, *(G.biases or [])], [*H.weights, *(H.biases or [])], strict=True
        ):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
    G.to("cpu").save(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(
        Generator.load(tmp_path / "t.safetensors").weights[0], G.weights[0]
    )


# -- elsewhere -------------------------------------------------------------------------------------


def test_to_moves_a_copy():
    G = generator(SIZES, "tanh", biased=True)
    T = G.to("cpu", dtype=torch.float32)
    assert T.weights[0].dtype == T.biases[0].dtype == torch.float32
    back = T.to("numpy", dtype="float64")
    assert isinstance(back.weights[0], np.ndarray)
    assert back.weights[0].dtype == np.float64
    np.testing.assert_allclose(back.weights[0], G.weights[0], rtol=1e-6)
    assert G.to(dtype=np.float32).weights[0].dtype == np.float32
    T.weights[0].zero_()
    assert np.any(G.weights[0])
    same = G.to("cpu")
    same.weights[0].zero_()
    assert np.any(G.weights[0]), "to() must not share memory with the original"
    with pytest.raises(ValueError, match="dtype"):
        G.to(dtype="float16")


@pytest.mark.gpu
def test_to_cuda_and_back():
    G, z = generator(SIZES, "plu"), RNG.standard_normal((2, 3))
    y = G.to("cuda")(torch.tensor(z, device="cuda"))
    assert y.is_cuda
    np.testing.assert_allclose(y.cpu(), G(z), rtol=FORWARD, atol=FORWARD)


@pytest.mark.parametrize("biased", [False, True])
def test_measure(biased):
    G, A, z = (
        generator(SIZES, biased=biased),
        RNG.standard_normal((5, 11)),
        RNG.standard_normal((4, 3)),
    )
    np.testing.assert_allclose(G.measure(A)(z), G(z) @ A.T, rtol=FORWARD, atol=FORWARD)
    with pytest.raises(ValueError, match="A: expected shape"):
        G.measure(A.T)
    with pytest.raises(ValueError, match="activation"):
        generator(SIZES, "tanh").measure(A)


W0, W1 = RNG.standard_normal((4, 3)), RNG.standard_normal((5, 4))
BAD = [
    (ValueError, r"weights: expected at least two", lambda: Generator([W0])),
    (ValueError, r"weights\[1\]: expected 4 columns", lambda: Generator([W0, W1.T])),
    (ValueError, r"weights\[0\]: ", lambda: Generator([W0[0], W1])),
    (
        ValueError,
        r"weights\[1\]: expected finite",
        lambda: Generator([W0, np.full((5, 4), np.inf)]),
    ),
    (TypeError, r"weights\[0\]: ", lambda: Generator([W0.astype(np.float16), W1])),
    (TypeError, r"weights\[1\]: ", lambda: Generator([W0, W1.astype(np.float32)])),
    (TypeError, r"weights\[1\]: ", lambda: Generator([W0, torch.tensor(W1)])),
    (ValueError, r"biases: expected 2", lambda: Generator([W0, W1], [np.ones(4)])),
    (
        ValueError,
        r"biases\[1\]: expected shape",
        lambda: Generator([W0, W1], [np.ones(4), np.ones(4)]),
    ),
    (ValueError, r"activation: ", lambda: Generator([W0, W1], None, "softmax")),
    (ValueError, r"image_shape: .* is 5, got", lambda: Generator([W0, W1], image_shape=(2, 3))),
    (ValueError, r"image_shape: ", lambda: Generator([W0, W1], image_shape=(-1, -5))),
    (TypeError, r"image_shape: ", lambda: Generator([W0, W1], image_shape=5)),
    (TypeError, r"image_shape: ", lambda: Generator([W0, W1], image_shape=(5.0, 1))),
    (ValueError, r"z: expected shape", lambda: Generator([W0, W1])(np.ones(4))),
    (TypeError, r"z: expected float", lambda: Generator([W0, W1])(np.ones(3, np.float16))),
]


@pytest.mark.parametrize(("error", "message", "call"), BAD, ids=[message for _, message, _ in BAD])
def test_wrong_arguments_are_named(error, message, call):
    with pytest.raises(error, match="^" + message):
        call()
