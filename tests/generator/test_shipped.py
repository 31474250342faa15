"""The shipped generators: what their files hold, and that what was measured of them is good."""

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

import cvxinv
from cvxinv.activations import PLU, Sigmoid
from cvxinv.cli.common import grey_levels, read_generator
from cvxinv.generator.shipped import FILES

RESULTS = Path(__file__).parents[2] / "validation" / "results"
SIZES = {"gan": (20, 128, 392, 784), "vae": (20, 400, 784)}
ACTIVATIONS = {"gan": PLU(0.1, 1.0), "vae": Sigmoid()}
TOP = {"gan": 0.85, "vae": 0.75}  # prior samples of a VAE are less sharp
NAMES = pytest.mark.parametrize("name", FILES)


def weights(name):
    return resources.files("cvxinv") / "data" / FILES[name]


@NAMES
def test_it_is_the_network_that_is_documented(name):
    G = cvxinv.mnist_generator(name)
    assert tuple(G.sizes) == SIZES[name]
    assert G.activation == ACTIVATIONS[name]
    assert all(np.asarray(W).dtype == np.float64 for W in (*G.weights, *G.biases))


@NAMES
def test_its_file_is_small_and_in_float32(name):
    assert len(weights(name).read_bytes()) < 1.5e6
    with (
        resources.as_file(weights(name)) as path,
        safe_open(path, framework="np") as file,
    ):
        kinds = {key: file.get_tensor(key).dtype for key in file.keys()}  # noqa: SIM118
    assert len(kinds) == 2 * (len(SIZES[name]) - 1)
    assert set(kinds.values()) == {np.dtype("float32")}


@NAMES
def test_pixels_are_digits_on_a_dark_ground(name):
    G = cvxinv.mnist_generator(name)
    images = G(np.random.default_rng(0).standard_normal((64, 20)))
    low, high = grey_levels(G)
    grey = ((images - low) / (high - low)).reshape(64, 28, 28)
    border = np.concatenate([grey[:, [0, -1]].ravel(), grey[:, :, [0, -1]].ravel()])
    assert np.abs(border).mean() < 0.1
    assert np.median(grey[:, 5:23, 5:23].max(axis=(1, 2))) > 0.9
    assert 0.05 < grey.mean() < 0.25  # 0.13 in MNIST


@NAMES
def test_no_two_latent_vectors_of_many_give_the_same_picture(name):
    G = cvxinv.mnist_generator(name)
    images = G(np.random.default_rng(1).standard_normal((64, 20)))
    distance = np.linalg.norm(images[:, None] - images[None], axis=2) + 1e9 * np.eye(64)
    assert distance.min() > 1


def test_the_first_one_is_the_default():
    z = np.random.default_rng(0).standard_normal((2, 20))
    assert (cvxinv.mnist_generator()(z) == cvxinv.mnist_generator("gan")(z)).all()
    assert cvxinv.mnist_generator("vae")(z).min() >= 0
    assert cvxinv.mnist_generator()(z).min() < 0


@pytest.mark.parametrize("name", ["", "VAE", "mnist", "mnist_vae.safetensors", None, 1])
def test_other_names_are_refused(name):
    with pytest.raises((TypeError, ValueError), match=r"name.*gan.*vae"):
        cvxinv.mnist_generator(name)


@pytest.mark.parametrize(("word", "name"), [("mnist", "gan"), ("gan", "gan"), ("vae", "vae")])
def test_words_of_the_shell(word, name):
    assert tuple(read_generator(word).sizes) == SIZES[name]


@NAMES
def test_what_was_measured_is_good_enough(name):
    found = json.loads((RESULTS / f"generator_quality_{name}.json").read_text())
    assert found["least share"] == min(found["digit shares"].values()) > 0.03
    assert len(found["digit shares"]) == 10
    assert abs(sum(found["digit shares"].values()) - 1) < 1e-12
    assert found["classifier test accuracy"] > 0.98
    assert found["mean top probability"] > TOP[name]
    assert found["weights file bytes"] == len(weights(name).read_bytes())
