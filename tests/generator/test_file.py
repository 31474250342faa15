"""Any generator that is written to a file is read again as it was."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given

from cvxinv import Generator
from cvxinv.activations import PLU
from cvxinv.testing import generators
from tests.support.oracles import same_array

W = np.array([[1.0, -0.0], [5e-324, 1e300]])  # what a decimal notation would lose


@given(generators())
@example(Generator([W, W], [W[0], W[1]], PLU(0.3, 2.5)))
@example(Generator([W[:1].T.copy(), W]))
def test_generators_round_trip(G):
    with tempfile.TemporaryDirectory() as folder:
        G.save(Path(folder) / "g.safetensors")
        again = Generator.load(Path(folder) / "g.safetensors")
    assert again.sizes == G.sizes
    assert again.activation == G.activation
    for i in range(G.depth + 1):
        same_array(again.weights[i], G.weights[i])
        if G.bias(i) is None:
            assert again.bias(i) is None
        else:
            same_array(again.bias(i), G.bias(i))
