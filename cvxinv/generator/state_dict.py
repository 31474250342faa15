"""State dicts as eq. 2: the weights of a chain of Linear and BatchNorm1d, by their keys.

A state dict holds no ReLU. One is taken to stand between two Linears, except where the numbers of
an `nn.Sequential` leave no place for one (net.0, net.1); `Generator.from_torch` reads modules
without such assumptions.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice, pairwise
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from cvxinv.arrays import Array, dtype_name, is_torch, to_numpy
from cvxinv.errors import GeneratorFileError, UnsupportedModuleError

EPS = 1e-5  # of batch normalisation, which a state dict does not hold
WRAPPERS = re.compile(r"(^|(?<=\.))(module|_orig_mod)\.")  # of DataParallel and torch.compile
LINEAR = {"weight", "bias"}
NORM = LINEAR | {"running_mean", "running_var", "num_batches_tracked"}
COMPUTED = ("weight_g", "weight_v", "weight_orig", "weight_mask", "original")
RETRY = "load it into its module, and give that to Generator.from_torch"


@dataclass(frozen=True)
class Block:
    """A Linear, or a BatchNorm1d as it is in evaluation mode, in float64: x -> scale x + shift."""

    name: str
    scale: np.ndarray  # (m, n), or (n,) of a BatchNorm1d
    shift: np.ndarray  # (m,)

    @property
    def linear(self) -> bool:
        """Whether it is a Linear."""
        return self.scale.ndim == 2

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those in its name: (2, 10) of block2.fc10."""
        return tuple(int(digits) for digits in re.findall(r"\d+", self.name))

    def after(self, first: "Block") -> "Block":
        """The map that does `first`, then this."""
        if not self.linear:
            scale = (self.scale * first.scale.T).T
            return Block(self.name, scale, self.scale * first.shift + self.shift)
        scale = self.scale @ first.scale if first.linear else self.scale * first.scale
        return Block(self.name, scale, self.scale @ first.shift + self.shift)

    def __str__(self) -> str:
        return f"{self.name or 'weight'} {self.scale.shape}"


def read(source: Any) -> tuple[list[Array], list[Array]]:
    """Weights and biases of eq. 2 from a state dict, or, as NumPy arrays, from a file that holds
    one.
    """
    if not isinstance(source, (str, PathLike)):
        return chain(source)
    weights, biases = chain(loaded(source), has_order(source))
    return [to_numpy(W) for W in weights], [to_numpy(b) for b in biases]


def chain(state: Any, ordered: bool = True) -> tuple[list[Array], list[Array]]:
    """Weights and biases of eq. 2 from a state dict, whose keys may be in the order of the
    network.
    """
    blocks = _blocks(state)
    if not ordered:
        blocks = _in_order(blocks)
    maps = _maps(blocks) if blocks else []
    if len(maps) < 2:
        raise UnsupportedModuleError(
            f"expected two Linears with a ReLU between them, found {_listed(blocks)}"
        )
    like = next(a for a in state.values() if getattr(a, "ndim", 0) == 2)
    kind = _as_torch(like) if is_torch(like) else np.asarray
    dtype = "float64" if dtype_name(like) == "float64" else "float32"
    return (
        [kind(m.scale.astype(dtype)) for m in maps],
        [kind(m.shift.astype(dtype)) for m in maps],
    )


def _as_torch(like: Any) -> Any:
    import torch

    return lambda a: torch.as_tensor(a, device=like.device)


# -- files -----------------------------------------------------------------------------------------


def has_order(path: str | PathLike[str]) -> bool:
    """Whether the keys of a file are in the order of the network: those of safetensors are
    sorted.
    """
    return not fspath(path).endswith(".safetensors")


def loaded(path: str | PathLike[str]) -> dict[str, Any]:
    """The tensors in a file, by their keys; of a pickle nothing else is loaded."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{fspath(path)}: no such file")
    try:
        if not has_order(path):
            from safetensors.torch import load_file

            return dict(load_file(fspath(path)))
        import torch

        loaded = torch.load(fspath(path), map_location="cpu", weights_only=True)
    except Exception as error:  # of the many that pickle, zipfile and torch have
        raise GeneratorFileError(
            f"{fspath(path)}: not a readable file of tensors ({type(error).__name__}); a pickled"
            " module is never loaded: save module.state_dict()"
        ) from error
    if not isinstance(loaded, dict):
        raise GeneratorFileError(
            f"{fspath(path)}: expected a state dict, found a {type(loaded).__name__}"
        )
    return loaded


# -- keys ------------------------------------------------------------------------------------------


def _blocks(state: Any) -> list[Block]:
    """The blocks of a state dict, in the order of its keys."""
    if not isinstance(state, Mapping):
        raise TypeError(f"state: expected a path or a dict of tensors, got {type(state).__name__}")
    modules: dict[str, dict[str, np.ndarray]] = {}
    for key, a in state.items():
        name, _, leaf = WRAPPERS.sub("", str(key)).rpartition(".")
        if leaf.startswith(COMPUTED):
            raise UnsupportedModuleError(f"{key}: a weight is computed from it: {RETRY}")
        modules.setdefault(name, {})[leaf] = _entry(state, key, a)
    return [_block(name, tensors) for name, tensors in modules.items()]


def _entry(state: Mapping[str, Any], key: str, a: Any) -> np.ndarray:
    if not isinstance(a, np.ndarray) and not is_torch(a):
        nested = [k for k, v in state.items() if isinstance(v, Mapping)]
        hint = f": pass the dict at {' or '.join(map(repr, nested))}" if nested else ""
        raise UnsupportedModuleError(
            f"{key}: expected an array or a tensor, found a {type(a).__name__}{hint}"
        )
    found = a.detach().cpu().double().numpy() if is_torch(a) else a.astype(np.float64)
    return np.asarray(found)


def _block(name: str, tensors: Mapping[str, np.ndarray]) -> Block:
    keys = f"{name or '(root)'} ({', '.join(f'{k} {v.shape}' for k, v in tensors.items())})"
    weight = tensors.get("weight")
    if "running_mean" in tensors and set(tensors) <= NORM and tensors["running_mean"].ndim == 1:
        scale = 1 / np.sqrt(tensors["running_var"] + EPS) * (1.0 if weight is None else weight)
        shift = tensors.get("bias", 0.0) - tensors["running_mean"] * scale
        return Block(name, scale, shift)
    if weight is None or not set(tensors) <= LINEAR or weight.ndim != 2:
        kind = "a convolution? " if weight is not None and weight.ndim > 2 else ""
        raise UnsupportedModuleError(f"{keys}: {kind}expected the keys of Linear or BatchNorm1d")
    return Block(name, weight, tensors.get("bias", np.zeros(len(weight))))


def _listed(blocks: Sequence[Block]) -> str:
    return ", ".join(map(str, blocks)) or "nothing"


# -- order -----------------------------------------------------------------------------------------


def _in_order(blocks: Sequence[Block]) -> list[Block]:
    """Blocks by the numbers in their names, or, where some have none, by the one chain of Linears
    that their shapes allow.
    """
    linears = [block for block in blocks if block.linear]
    numbers = [block.numbers for block in linears]
    if all(block.numbers for block in blocks) and len(set(numbers)) == len(numbers):
        return sorted(blocks, key=lambda block: (block.numbers, not block.linear))
    chains = list(islice(_chains([], linears), 2))
    if len(chains) != 1:
        raise UnsupportedModuleError(
            f"{'several orders' if chains else 'no order'} of {_listed(linears)} can be a network:"
            " pass the generator's part alone, a dict with the keys in its order"
        )
    ordered = list(chains[0])
    for norm in (block for block in blocks if not block.linear):
        at = [i for i, b in enumerate(ordered) if b.linear and b.numbers == norm.numbers]
        if len(at) != 1:
            raise UnsupportedModuleError(
                f"{norm}: which Linear does it follow? Pass a dict in order"
            )
        ordered.insert(at[0] + 1, norm)
    return ordered


def _chains(begun: list[Block], rest: Sequence[Block]) -> Iterator[list[Block]]:
    """Every order of the Linears in which each takes what the one before it gives."""
    if not rest:
        yield begun
    for i, block in enumerate(rest):
        if not begun or begun[-1].scale.shape[0] == block.scale.shape[1]:
            yield from _chains([*begun, block], [*rest[:i], *rest[i + 1 :]])


def _maps(blocks: Sequence[Block]) -> list[Block]:
    """The affine maps between the ReLUs."""
    for a, b in pairwise(blocks):
        if a.scale.shape[0] != b.scale.shape[-1]:
            raise UnsupportedModuleError(
                f"{b} does not take what {a} gives: no chain in {_listed(blocks)}; pass the"
                " generator's part alone, a dict with the keys in its order"
            )
    starts = [0, *(i + 1 for i in _relus(blocks)), len(blocks)]
    return [reduce(lambda m, b: b.after(m), blocks[i:j]) for i, j in pairwise(starts)]


def _relus(blocks: Sequence[Block]) -> list[int]:
    """The blocks that a ReLU follows: one between two Linears, where the numbers leave a place."""
    found = []
    at = [i for i, block in enumerate(blocks) if block.linear]
    for first, second in pairwise(at):
        steps = {i: _between(blocks[i], blocks[i + 1]) for i in range(first, second)}
        places = [i for i, room in steps.items() if room]
        unknown = [i for i, room in steps.items() if room is None]
        if len(places) > 1:
            raise UnsupportedModuleError(
                f"between {blocks[first]} and {blocks[second]}: is the ReLU before or after the"
                f" BatchNorm1d? {RETRY}"
            )
        found += places or unknown[-1:]
    return found


def _between(a: Block, b: Block) -> bool | None:
    """Whether modules without weights stand between two of one Sequential; None if it is not."""
    (parent, _, i), (other, _, j) = a.name.rpartition("."), b.name.rpartition(".")
    if parent != other or not i.isdigit() or not j.isdigit():
        return None
    return int(j) > int(i) + 1
