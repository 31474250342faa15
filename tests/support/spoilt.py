"""What may be odd about an array that is passed: the faults of `tests/faults/faults.md`, and the
plain array that counts as the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

FaultOf = Callable[[Any], Any]


def with_entry(value: float) -> FaultOf:
    """The first entry of the first row is another."""

    def spoil(a: Any) -> Any:
        out = a.astype(float)
        out.flat[0] = value
        return out

    return spoil


def strided(a: Any) -> Any:
    return np.repeat(a, 2, axis=-1)[..., ::2]


def backwards(a: Any) -> Any:
    return a[::-1].copy()[::-1]


def read_only(a: Any) -> Any:
    out = a.copy()
    out.setflags(write=False)
    return out


def whole(a: Any) -> Any:
    """Integers near twice the entries; 0 and 1 for a mask."""
    return a.astype(np.int64) if a.dtype == bool else np.rint(2 * a).astype(np.int64)


def masked(a: Any) -> Any:
    hidden = np.zeros(a.shape, bool)
    hidden.flat[0] = True
    return np.ma.array(a, mask=hidden)


SPOILT: dict[str, FaultOf] = {
    "nan": with_entry(np.nan),
    "inf": with_entry(np.inf),
    "wrong rank": lambda a: a[None, None],
    "empty": lambda a: np.empty((0,), a.dtype),
    "integer": whole,
    "complex": lambda a: a.astype(complex),
    "half": lambda a: a.astype(np.float16),
    "bfloat16": lambda a: torch.tensor(a).to(torch.bfloat16),
    "long double": lambda a: a.astype(np.longdouble),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "read-only": read_only,
    "strided": strided,
    "backwards": backwards,
    "requires_grad": lambda a: torch.tensor(a, requires_grad=True),
    "other device": lambda a: torch.tensor(a, device="cuda:0"),  # where one is pretended
    "masked array": masked,
    "list": lambda a: a.tolist(),
    "objects": lambda a: a.astype(object),
    "string": lambda a: "text",
    "strings": lambda a: a.astype(str),
    "bool": lambda a: a > 0,
}


def spoilt(fault: str, value: Any) -> Any:
    """The value with its fault; that of a list of arrays in each of them."""
    if isinstance(value, (list, tuple)):
        return [SPOILT[fault](a) for a in value]
    return SPOILT[fault](value)


def plain(fault: str, value: Any) -> Any:
    """What the value counts as, if it is accepted: contiguous float64 or bool."""
    if isinstance(value, (list, tuple)):
        return [plain(fault, a) for a in value]
    return whole(value).astype(value.dtype) if fault == "integer" else value.copy()


@dataclass(frozen=True)
class Seen:
    """How an array looks, to be compared with how it looks later."""

    value: Any
    kind: Any


def seen(value: Any) -> list[Seen]:
    """How arrays look: kind, dtype, flags and entries."""
    if isinstance(value, (list, tuple)) and len(value) and hasattr(value[0], "ndim"):
        return [look for a in value for look in seen(a)]
    if isinstance(value, torch.Tensor):
        kind = (str(value.device), value.dtype, value.requires_grad, value.grad is None)
        return [Seen(repr(getattr(value, "memory", value.detach())), kind)]
    if isinstance(value, np.ndarray):
        return [Seen(value.tobytes(), (type(value), value.dtype, value.strides, str(value.flags)))]
    return [Seen(repr(value), type(value))]
