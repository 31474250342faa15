"""The generators that come with the package."""

from importlib import resources

import numpy as np

from cvxinv.generator.model import Generator


def mnist_generator() -> Generator:
    """The shipped 20-128-392-784 generator of handwritten digits (SNR and figures:
    validation/README.md), float64.

    Trained by `validation/train_generator.py` as the paper's section 6 says: batch-norm (folded)
    and ReLU on two hidden layers, PLU at the output, images of 28 x 28 pixels in [-1, 1].
    """
    with resources.as_file(resources.files("cvxinv") / "data" / "mnist.safetensors") as path:
        return Generator.load(path).to(dtype=np.float64)
