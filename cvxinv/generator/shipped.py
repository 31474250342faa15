"""The generators that come with the package: two networks of handwritten digits, 28 x 28 pixels."""

from importlib import resources
from typing import Literal

import numpy as np

from cvxinv import checks
from cvxinv.generator.model import Generator

FILES = {"gan": "mnist.safetensors", "vae": "mnist_vae.safetensors"}


def mnist_generator(name: Literal["gan", "vae"] = "gan") -> Generator:
    """A trained generator of handwritten digits, in float64 (figures: validation/README.md).

    Parameters
    ----------
    name : "gan" or "vae"
        "gan": 20-128-392-784 with PLU, pixels in [-1, 1], trained as the paper's section 6 says by
        `validation/train_generator.py`. "vae": 20-400-784 with a sigmoid, pixels in [0, 1], the
        decoder of the most common public autoencoder, trained by `validation/train_vae.py`.

    Raises
    ------
    ValueError
        For another name.
    """
    file = FILES[checks.choice("name", name, tuple(FILES))]
    with resources.as_file(resources.files("cvxinv") / "data" / file) as path:
        G = Generator.load(path).to(dtype=np.float64)
    return G
