"""What is timed: the layer problems of generated signals with noise, on torch tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from cvxinv.generator import Generator
from cvxinv.problems import LastLayer, Latent, MidLayer

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Case:
    """One layer problem of a batch of signals, and what it is called."""

    name: str
    problem: LastLayer | MidLayer | Latent

    @property
    def batch(self) -> int:
        """How many signals."""
        return int(self.problem.data.shape[0])

    @property
    def device(self) -> str:
        """cpu or cuda."""
        return str(self.problem.data.device.type)

    def head(self, count: int) -> "Case":
        """The same with the first `count` signals only."""
        if isinstance(self.problem, LastLayer):
            return Case(self.name, replace(self.problem, y=self.problem.y[:count]))
        x_next, support = self.problem.x_next[:count], self.problem.support
        return Case(
            self.name,
            replace(
                self.problem, x_next=x_next, support=None if support is None else support[:count]
            ),
        )


def gaussian(sizes: Sequence[int], seed: int = 0, condition: float | None = None) -> Generator:
    """A generator with i.i.d. Gaussian weights of variance 1 / rows and the identity at its output,
    in NumPy float64.

    Parameters
    ----------
    sizes : sequence of int
        `(n_0, .., n_{L+1})`.
    seed : int
    condition : float, optional
        Largest over smallest singular value of every weight matrix, with the others evenly between
        them on a log scale; the largest stays. As they are drawn by default.
    """
    rng = np.random.default_rng(seed)
    W = [rng.standard_normal((m, n)) / np.sqrt(m) for n, m in pairwise(sizes)]
    return Generator(W if condition is None else [conditioned(w, condition) for w in W])


def conditioned(W: Any, condition: float) -> Any:
    """W with its singular values replaced by `largest * logspace(0, -log10(condition))`."""
    U, values, V = np.linalg.svd(W, full_matrices=False)
    return (U * (values[0] * np.logspace(0, -np.log10(condition), len(values)))) @ V


def cases(
    G: Generator,
    batch: int,
    noise: float = 1e-2,
    lam: float = 1e-3,
    gamma: float = 1e-3,
    *,
    seed: int = 0,
    dtype: "torch.dtype",
    device: str = "cpu",
) -> list[Case]:
    """The layer problems of G, from the image down, each with its true support and noise on its own
    data.

    Latent vectors are standard normal. The data of a layer are the true values of the next one (of
    phi^-1(G(z)) for the last layer) plus Gaussian noise, `noise` times the root mean square of the
    signal's entries on the support.
    """
    import torch

    rng = np.random.default_rng([seed, 1])  # not the numbers of the weights
    z = rng.standard_normal((batch, G.sizes[0]))
    layers = [z, *G.layers(z)]

    def tensor(a: Any) -> Any:
        return (
            None
            if a is None
            else torch.as_tensor(a, dtype=None if a.dtype == bool else dtype, device=device)
        )

    def noisy(values: Any, rows: Any) -> Any:
        rms = np.sqrt((values**2).sum(axis=1) / np.maximum(rows.sum(axis=1), 1))
        return np.where(rows, values + noise * rms[:, None] * rng.standard_normal(values.shape), 0)

    t = G.activation.inverse(G(z))
    W = [tensor(np.asarray(w, dtype=float)) for w in G.weights]
    bias = [tensor(G.bias(i)) for i in range(G.depth + 1)]
    y = tensor(noisy(t, np.full(t.shape, True)))
    found = [Case("last layer", LastLayer(W[-1], y, bias=bias[-1], lam=lam))]
    for i in range(G.depth - 1, 0, -1):
        S = layers[i + 1] > 0
        name = "midlayer" if G.depth == 2 else f"midlayer x_{i}"
        x_next = tensor(noisy(layers[i + 1], S))
        found.append(Case(name, MidLayer(W[i], x_next, tensor(S), bias[i], lam)))
    S = layers[1] > 0
    x_1 = tensor(noisy(layers[1], S))
    return [*found, Case("latent", Latent(W[0], x_1, tensor(S), bias[0], gamma))]
