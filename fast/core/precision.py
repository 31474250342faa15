"""float32 products in float32: TF32 and bfloat16 would lose the digits that the refinement counts
on. And whether a device has float64 to spare.
"""

from collections.abc import Callable
from typing import Any

import torch

from .process_wide import ProcessWide

# compute capabilities of GPUs whose float64 is half as fast as float32: P100 to B200, others have
# little of it
AMPLE = {(6, 0), (7, 0), (8, 0), (9, 0), (10, 0)}


def ample_float64(device: torch.device) -> bool:
    """Whether this is a GPU that has float64 to spare; most have little."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) in AMPLE


# torch has two ways to say it and raises where they are mixed. From 2.9 on the newer one can say
# all that the older one can.
_backends: Any = torch.backends
_PLACES = [
    place.matmul
    for place in (_backends.cuda, _backends.mkldnn)
    if hasattr(getattr(place, "matmul", None), "fp32_precision")
]


def _get() -> list[str]:
    if not _PLACES:
        return [torch.get_float32_matmul_precision()]
    return [place.fp32_precision for place in _PLACES]


def _set(values: list[str]) -> None:
    if not _PLACES:
        torch.set_float32_matmul_precision("highest" if values == ["ieee"] else values[0])
        return
    for place, value in zip(_PLACES, values, strict=True):
        if place.fp32_precision != value:
            place.fp32_precision = value


def _ieee() -> Callable[[], None]:
    before = _get()
    _set(["ieee"] * len(before))
    return lambda: _set(before)


full_precision = ProcessWide(_ieee)  # IEEE float32 products while any thread is inside
