"""NumPy arrays and torch tensors alike: the few operations in which the two differ.

torch is never imported here: whoever passes a tensor has imported it already.
"""

import sys
from typing import Any, TypeAlias, cast

import array_api_compat
import numpy as np

Array: TypeAlias = Any  # numpy.ndarray | torch.Tensor
FLOATS = ("float32", "float64")
# kept, because finding them takes as long as an operation on a small array
_TENSORS: dict[type, bool] = {}
_NAMESPACES: dict[type, Any] = {}
_DTYPES: dict[Any, str] = {}


def is_torch(a: object) -> bool:
    """Whether `a` is a torch tensor."""
    kind = type(a)
    if kind not in _TENSORS:
        _TENSORS[kind] = bool(array_api_compat.is_torch_array(a))
    return _TENSORS[kind]


def namespace(a: Array) -> Any:
    """The array namespace (numpy or torch, made alike by array-api-compat) of `a`."""
    kind = type(a)
    if kind not in _NAMESPACES:
        _NAMESPACES[kind] = array_api_compat.array_namespace(a)
    return _NAMESPACES[kind]


def dtype_name(a: Array) -> str:
    """`"float32"`, `"float64"`, `"bool"`, .. for either kind."""
    dtype = a.dtype
    if dtype not in _DTYPES:
        _DTYPES[dtype] = str(dtype).removeprefix("torch.")
    return _DTYPES[dtype]


def match(a: Array, like: Array) -> Array:
    """`a` in the kind and on the device of `like`; its dtype stays."""
    if is_torch(like):
        torch = cast(Any, sys.modules["torch"])
        if isinstance(a, np.ndarray) and (
            not a.flags.writeable or any(stride < 0 for stride in a.strides)
        ):
            a = a.copy()  # tensors can be neither read-only nor stored backwards
        return torch.as_tensor(a, device=like.device)
    return to_numpy(a)


def to_numpy(a: Array) -> Any:
    """`a` as a NumPy array (a copy only where the memory is not shared)."""
    return a.detach().cpu().numpy() if is_torch(a) else np.asarray(a)


def cast_to(a: Array, like: Array) -> Array:
    """`a` in the kind, device and dtype of `like`."""
    a = match(a, like)
    return a if a.dtype == like.dtype else namespace(a).astype(a, like.dtype)


def float64(a: Array) -> Array:
    """`a` in float64, on its own device."""
    xp = namespace(a)
    return a if a.dtype == xp.float64 else xp.astype(a, xp.float64)


def at_least(a: Array, low: float) -> Array:
    """max(a, low), entry by entry; nan stays nan. A fraction of what `clip` costs."""
    return a.clamp_min(low) if is_torch(a) else np.maximum(a, low)


def solve_spd(H: Array, g: Array) -> Array:
    """H^-1 g for a batch of symmetric positive definite H (B, n, n) and g (B, n).

    By Cholesky on tensors, because batched LU on the CPU is unreliable there.
    """
    if is_torch(H):
        torch = cast(Any, sys.modules["torch"])
        factor, _ = torch.linalg.cholesky_ex(H)
        return torch.cholesky_solve(g[..., None], factor)[..., 0]
    return np.linalg.solve(H, g[..., None])[..., 0]
