"""Small generators, and signals of a generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from cvxinv import checks
from cvxinv.activations import PLU, Activation, Identity, LeakyReLU, Sigmoid, Tanh, activation
from cvxinv.generator import Generator
from cvxinv.testing import traits
from cvxinv.testing.entries import Draw, Entries
from cvxinv.testing.traits import Range

ACTIVATIONS: st.SearchStrategy[Activation] = st.one_of(
    st.sampled_from([Identity(), Tanh(), Sigmoid()]),
    st.builds(LeakyReLU, st.floats(0.01, 0.99)),
    st.builds(PLU, st.floats(0.01, 0.99), st.floats(0.1, 10.0)),
)


def generators(
    *,
    depth: Range = (1, 3),
    width: Range = (1, 6),
    activation: str | Activation | st.SearchStrategy[Activation] = ACTIVATIONS,
    bias: bool | None = None,
    dtype: str | Sequence[str] = ("float64", "float32"),
) -> st.SearchStrategy[Generator]:
    """Small generators, eq. 2.

    Parameters
    ----------
    depth : int or (least, most)
        L, the number of hidden layers.
    width : int or (least, most)
        Of each of the n_i, the latent vector and the signal included.
    activation : str, Activation or a strategy of them
        Of the output; any by default.
    bias : bool or None
        Whether there are biases; None: chance decides.
    dtype : "float64", "float32" or a sequence of them

    Raises
    ------
    TypeError, ValueError
        Naming the argument.
    """
    sizes = traits.size("depth", depth), traits.size("width", width)
    biased = None if bias is None else checks.flag("bias", bias)
    return _generators(*sizes, _outputs(activation), biased, traits.dtypes("dtype", dtype))


def _outputs(given: Any) -> st.SearchStrategy[Activation]:
    return given if isinstance(given, st.SearchStrategy) else st.just(activation(given))


@st.composite
def _generators(
    draw: Draw,
    depth: tuple[int, int],
    width: tuple[int, int],
    outputs: st.SearchStrategy[Activation],
    bias: bool | None,
    dtypes: tuple[str, ...],
) -> Generator:
    numbers = Entries(draw, draw(st.booleans()))
    dtype, phi = numbers.one_of(*dtypes), draw(outputs)
    count = numbers.integer(*depth) + 2
    sizes = [numbers.integer(*width) for _ in range(count)]
    W = [numbers.numbers(m, n).astype(dtype) for n, m in pairwise(sizes)]
    biased = numbers.one_of(False, True) if bias is None else bias
    b = [numbers.numbers(m).astype(dtype) for m in sizes[1:]] if biased else None
    return Generator(W, b, phi)


@dataclass(frozen=True)
class Signals:
    """Signals y = G(z) + noise, of which some pixels are hidden (and nan)."""

    z: Any  # (B, n_0)
    y: Any  # (B, n)
    observed: Any  # (B, n) bool


def signals(
    G: Generator,
    *,
    batch: Range = (1, 3),
    noise: float = 0.0,
    hidden: float = 0.0,
) -> st.SearchStrategy[Signals]:
    """Signals of a generator with the latent vectors that they were made of.

    Parameters
    ----------
    G : Generator
    batch : int or (least, most)
    noise : float
        Standard deviation of normal noise.
    hidden : float in [0, 1]
        Share of the pixels that are hidden, for each signal its own.

    Raises
    ------
    TypeError, ValueError
        Naming the argument.
    """
    G = checks.instance("G", G, Generator, "a cvxinv.Generator")
    count = traits.size("batch", batch, least=0)
    return _signals(G, count, checks.nonnegative("noise", noise), traits.share("hidden", hidden))


@st.composite
def _signals(
    draw: Draw, G: Generator, batch: tuple[int, int], noise: float, hidden: float
) -> Signals:
    numbers = Entries(draw, draw(st.booleans()))
    z = numbers.numbers(numbers.integer(*batch), G.sizes[0])
    y = np.asarray(G(z.astype(G.weights[0].dtype)))
    if noise:
        rng = np.random.default_rng(numbers.integer(0, 2**32 - 1))
        y = y + (noise * rng.standard_normal(y.shape)).astype(y.dtype)
    seen = ~numbers.flags(*y.shape, share=hidden)
    return Signals(z, np.where(seen, y, np.nan).astype(y.dtype), seen)
