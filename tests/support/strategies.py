"""Statements drawn by Hypothesis: every field present or absent, shared or per
signal, one signal or many, in float32 or float64.
"""

import numpy as np
from hypothesis import strategies as st

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, LinearProgram, MidLayer
from cvxinv.activations import PLU, Identity, LeakyReLU, Sigmoid, Tanh

STATEMENTS = (LastLayer, MidLayer, Latent, BasisPursuit, LeastSquares, LinearProgram)
seeds = st.integers(0, 2**32 - 1)
activations = st.one_of(
    st.sampled_from([Identity(), Tanh(), Sigmoid()]),
    st.builds(LeakyReLU, st.floats(0.01, 0.99)),
    st.builds(PLU, st.floats(0.01, 0.99), st.floats(0.1, 10.0)),
)


@st.composite
def statements(draw, classes=STATEMENTS, phi=activations, largest=6):
    """Any statement: W and signals are standard normal times powers of 10 up to 6, and weights
    compare with them.
    """
    cls, B = draw(st.sampled_from(classes)), draw(st.none() | st.integers(0, 3))
    m, n = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    rng, dtype = np.random.default_rng(draw(seeds)), draw(st.sampled_from(["f4", "f8"]))
    size = 10.0 ** draw(st.integers(-6, 6))
    signals = (m,) if B is None else (B, m)
    weights = st.sampled_from([0.0, 0.1 * size**2, 3.0 * size**2])  # beside A't, or A'A

    def numbers(*shape):
        return (size * rng.standard_normal(shape)).astype(dtype)

    def mask(k):
        shape = draw(st.sampled_from([None, (k,), (*signals[:-1], k)]))
        return None if shape is None else rng.random(shape) < 0.7

    options = {"bias": draw(st.sampled_from([None, numbers(m)]))}
    if cls is LastLayer:
        options |= {"activation": draw(phi), "lam": draw(weights), "observed": mask(m)}
    elif cls in (MidLayer, Latent, LinearProgram):
        options |= {"support": mask(m)}
    if cls is MidLayer:
        options |= {"lam": draw(weights)}
    elif cls is Latent:
        options |= {"gamma": draw(weights)}
    elif cls is LinearProgram:
        options |= {
            "norm": draw(st.sampled_from(["linf", "l1"])),
            "nonnegative": draw(st.booleans()),
        }
        options |= {"observed": mask(m)}
    elif cls is BasisPursuit:
        shape = draw(st.sampled_from([(), (n,), (*signals[:-1], n)]))
        options |= {
            "rows": mask(m),
            "lam": size * np.abs(numbers(*shape)) if shape else draw(weights),
        }
    elif cls is LeastSquares:
        options |= {"rows": mask(m), "columns": mask(n)}
    return cls(numbers(m, n), numbers(*signals), **options)
