"""Byte budgets: how many signals of a batch are worked on at a time."""

from collections.abc import Iterator
from typing import Any

BUDGET = 2**28  # bytes, 256 MiB: systems of n = 1 000 unknowns for 8 signals, 4 copies


def room(like: Any, cpu: int = BUDGET) -> int:
    """Bytes for arrays beside this one: half of what a GPU has left, and so many on a CPU, whose
    caches are small.
    """
    return _left(like.device) // 2 if getattr(like, "is_cuda", False) else cpu


def _left(device: Any) -> int:
    """Bytes that a GPU has for new tensors: what is free, and what torch keeps of freed ones."""
    import torch

    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


def signals_per_part(bytes_per_signal: int, budget: int = BUDGET) -> int:
    """How many signals fit into a budget of bytes, at least one."""
    return max(1, int(budget) // max(1, int(bytes_per_signal)))


def parts(count: int, bytes_per_signal: int, budget: int = BUDGET) -> Iterator[slice]:
    """Slices that cut `count` signals into parts that fit into the budget; one part at least."""
    size = signals_per_part(bytes_per_signal, budget)
    for k in range(0, max(1, count), size):
        yield slice(k, k + size)
