"""The generator of eq. 2: x_{i+1} = ReLU(W_i x_i + b_i), G(z) = phi(W_L x_L + b_L)."""

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from cvxinv import checks
from cvxinv.activations import Activation
from cvxinv.activations import activation as resolve_activation
from cvxinv.arrays import Array, cast_to, dtype_name, is_torch, namespace, to_numpy
from cvxinv.errors import GeneratorFileError, one_line
from cvxinv.generator import file as generator_file

if TYPE_CHECKING:
    import torch


class Generator:
    """A fully connected ReLU generator (eq. 2).

    Parameters
    ----------
    weights : sequence of arrays
        `[W_0, .., W_L]`, `W_i` of shape `(n_{i+1}, n_i)`; at least two; float32 or float64, numpy
        or torch.
    biases : sequence of arrays, optional
        `[b_0, .., b_L]`, `b_i` of shape `(n_{i+1},)`, or None for the paper's generator without
        biases.
    activation : str or Activation
        The output activation phi: "identity", "tanh", "sigmoid", "leaky_relu", "plu", or an object
        of `cvxinv.activations` with its parameters.
    image_shape : tuple of int, optional
        The shape of the images that the signals are, say (1, 28, 28) where n is 784; `from_torch`
        sees it. G(z) are vectors; what inverts them takes images of this shape (axes of 1 are no
        matter), without it of any shape that has n pixels. (B, n) is a batch whatever n is.

    Attributes
    ----------
    weights, biases, activation, image_shape
        As given (tuples; None where none were given).
    sizes : tuple of int
        `(n_0, .., n_{L+1})`.

    Raises
    ------
    ValueError, TypeError
        For shapes that do not chain, entries that are not finite, wrong dtypes, or an unknown
        activation.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...] | None
    activation: Activation
    image_shape: tuple[int, ...] | None

    def __init__(
        self,
        weights: Sequence[Array],
        biases: Sequence[Array] | None = None,
        activation: str | Activation = "identity",
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.activation = resolve_activation(activation)
        self.weights = _checked_weights(weights)
        self.biases = None if biases is None else _checked_biases(biases, self.weights)
        self.image_shape = (
            None if image_shape is None else _checked_shape(image_shape, self.sizes[-1])
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """(n_0, .., n_{L+1})."""
        return (int(self.weights[0].shape[1]), *(int(W.shape[0]) for W in self.weights))

    @property
    def depth(self) -> int:
        """L, the number of hidden layers."""
        return len(self.weights) - 1

    def bias(self, i: int) -> Array | None:
        """b_i, or None where the generator has no biases."""
        return None if self.biases is None else self.biases[i]

    # -- eq. 2 -------------------------------------------------------------------------------------

    def layers(self, z: Array) -> list[Array]:
        """The hidden layers `[x_1 (B, n_1), .., x_L (B, n_L)]` of eq. 2, in the kind, dtype and
        device of z.
        """
        x = checks.signals("z", z, self.sizes[0])
        xp = namespace(x)
        layers = []
        for i in range(self.depth):
            t = self._affine(i, x)
            x = xp.where(t <= 0, 0.0, t)  # where, not max: a nan stays a nan
            layers.append(x)
        return layers

    def __call__(self, z: Array) -> Array:
        """G(z) (eq. 2): z (B, n_0) or (n_0,) to (B, n) or (n,), in the kind, dtype and device
        of z.
        """
        return self.activation(self._affine(self.depth, self.layers(z)[-1]))

    def supports(self, z: Array) -> list[Array]:
        """The supports `[S_1, .., S_L]` of the hidden layers, as boolean masks."""
        return [x > 0 for x in self.layers(z)]

    @np.errstate(over="ignore", invalid="ignore")  # inf - inf is nan, in NumPy as in torch
    def _affine(self, i: int, x: Array) -> Array:
        t = x @ cast_to(self.weights[i], x).T
        return t if self.biases is None else t + cast_to(self.biases[i], x)

    def measure(self, A: Array) -> "Generator":
        """The generator of A G(z) for a linear measurement A (m, n): W_L <- A W_L. Only where phi
        is the identity.
        """
        if self.activation.name != "identity":
            raise ValueError(
                "activation: a general measurement needs the identity, this generator has"
                f" {self.activation.name}"
            )
        A = cast_to(checks.matrix("A", A), self.weights[0])
        if A.shape[1] != self.sizes[-1]:
            raise ValueError(f"A: expected shape (m, {self.sizes[-1]}), got {tuple(A.shape)}")
        biases = None if self.biases is None else [*self.biases[:-1], A @ self.biases[-1]]
        return Generator([*self.weights[:-1], A @ self.weights[-1]], biases, self.activation)

    # -- where and how it is stored ----------------------------------------------------------------

    def to(self, device: str | None = None, dtype: Any = None) -> "Generator":
        """A copy on a torch device ("cpu", "cuda", ..) or as NumPy arrays (device "numpy"), in
        float32 or float64.

        Either may be left out. `dtype` is a name, a NumPy dtype or a torch dtype.
        """
        name = (
            None
            if dtype is None
            else str(dtype).removeprefix("torch.").removeprefix("<class 'numpy.").removesuffix("'>")
        )
        if name not in (None, "float32", "float64"):
            raise ValueError(f"dtype: expected float32 or float64, got {dtype!r}")

        def move(a: Array) -> Array:
            if device == "numpy":
                a = to_numpy(a)
            elif device is not None:
                a = importlib.import_module("torch").as_tensor(a).to(device)
            xp = namespace(a)
            return xp.asarray(a, dtype=None if name is None else getattr(xp, name), copy=True)

        biases = None if self.biases is None else [move(b) for b in self.biases]
        return Generator([move(W) for W in self.weights], biases, self.activation, self.image_shape)

    def save(self, path: str | PathLike[str]) -> None:
        """Write weights, biases, activation and image shape to a safetensors file with metadata."""
        generator_file.write(
            path,
            [to_numpy(W) for W in self.weights],
            None if self.biases is None else [to_numpy(b) for b in self.biases],
            self.activation,
            self.image_shape,
        )

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Generator":
        """Read a generator (as NumPy arrays) written by `save`; nothing is ever unpickled.

        Raises
        ------
        GeneratorFileError
            For a malformed, truncated or foreign file.
        """
        read = generator_file.read(path)
        try:
            return cls(*read)
        except (ValueError, TypeError) as error:
            raise GeneratorFileError(
                f"{fspath(path)}: not a readable generator file ({one_line(error)})"
            ) from error

    @classmethod
    def from_torch(cls, module: "torch.nn.Module | Callable[..., torch.Tensor]") -> "Generator":
        """The generator that a module computes in evaluation mode, as torch tensors.

        The module is run on a few z, and followed: it may be an `nn.Sequential` or have a forward
        of its own, in the words of nn, of torch or of torch.nn.functional, with hooks and computed
        weights (weight_norm, spectral_norm, prune), compiled or wrapped in DataParallel. Read are

        * Linear, BatchNorm1d (by its running statistics), sums and products with constants,
          wherever they stand between ReLUs: they are multiplied into one W_i and b_i;
        * ReLU, also as `clamp(min=0)`;
        * one output activation (tanh, sigmoid, leaky ReLU, `cvxinv.nn.PLU`), rescaled where that is
          an activation again: (tanh(t) + 1) / 2 is sigmoid(2 t);
        * what only moves entries (view, flatten, Unflatten, ..), and Dropout, which does nothing.
          A last shape such as (1, 28, 28) is remembered as `image_shape`.

        What was read is compared with what the module gives for other z. Half precision becomes
        float32.

        Parameters
        ----------
        module : torch.nn.Module or a method of one
            For a part of a model, pass that part: `vae.decoder`, or the method `vae.decode`.

        Raises
        ------
        UnsupportedModuleError
            For what eq. 2 does not cover: which submodule does what, and what to do.
        """
        from cvxinv.generator.from_torch import read

        found = read(module)
        return cls(found.weights, found.biases, found.phi, found.image_shape)

    @classmethod
    def from_state_dict(
        cls, state: str | PathLike[str] | Mapping[str, Any], activation: str | Activation
    ) -> "Generator":
        """The generator whose weights are in a state dict of Linear and BatchNorm1d modules.

        A ReLU is taken to stand between two Linears, after their batch normalisation (eps 1e-5);
        the keys of an `nn.Sequential` say where else it stands, by the number they leave out.
        `from_torch` needs no such assumptions.

        Parameters
        ----------
        state : dict of tensors or arrays, or path
            In the order of the network. A path names a safetensors file (which has no order: the
            numbers in its keys or the shapes must tell) or one of `torch.save`, of which nothing
            but tensors is unpickled; from files come NumPy arrays.
        activation : str or Activation
            The output activation phi, which a state dict does not hold.

        Raises
        ------
        UnsupportedModuleError
            For keys that are not those of one chain of layers.
        GeneratorFileError
            For a file that cannot be read, or holds more than tensors.
        """
        from cvxinv.generator.state_dict import read

        return cls(*read(state), activation)

    def __repr__(self) -> str:
        return (
            f"Generator({'-'.join(map(str, self.sizes))}, {self.activation},"
            f" {dtype_name(self.weights[0])})"
        )


def _checked_weights(weights: Sequence[Array]) -> tuple[Array, ...]:
    """W_0, .., W_L of one kind and dtype, whose shapes chain."""
    if not isinstance(weights, (list, tuple)) or len(weights) < 2:
        given = f"{len(weights)}" if isinstance(weights, (list, tuple)) else checks.shown(weights)
        raise ValueError(f"weights: expected at least two matrices W_0, .., W_L, got {given}")
    checked = tuple(checks.matrix(f"weights[{i}]", W) for i, W in enumerate(weights))
    first = checked[0]
    for i, (before, W) in enumerate(pairwise(checked), start=1):
        if W.shape[1] != before.shape[0]:
            raise ValueError(
                f"weights[{i}]: expected {before.shape[0]} columns (rows of weights[{i - 1}]),"
                f" got {W.shape[1]}"
            )
        if dtype_name(W) != dtype_name(first) or is_torch(W) != is_torch(first):
            raise TypeError(f"weights[{i}]: expected the kind and dtype of weights[0]")
    return checked


def _checked_biases(biases: Sequence[Array], weights: tuple[Array, ...]) -> tuple[Array, ...]:
    """b_0, .., b_L in the kind and dtype of the weights."""
    biases = checks.sequence("biases", biases, len(weights), "vectors, one per weight matrix,")
    found = []
    for i, (b, W) in enumerate(zip(biases, weights, strict=True)):
        b = checks.shape(f"biases[{i}]", checks.floats(f"biases[{i}]", b), (W.shape[0],))
        found.append(cast_to(checks.finite(f"biases[{i}]", b), W))
    return tuple(found)


def _checked_shape(image_shape: Sequence[int], n: int) -> tuple[int, ...]:
    """Sizes whose product is n."""
    if not isinstance(image_shape, (list, tuple)):
        raise TypeError(f"image_shape: expected a tuple of sizes, got {checks.shown(image_shape)}")
    shape = tuple(checks.integer("image_shape", size, least=1) for size in image_shape)
    if math.prod(shape) != n:
        raise ValueError(f"image_shape: expected sizes whose product is {n}, got {shape}")
    return shape
