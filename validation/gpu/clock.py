"""How long work takes on a card: by the host's clock, and between two events on the card."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

ENOUGH = 3.0  # seconds from which there are no more repeats


def milliseconds(work: Callable[[], Any], repeats: int, warm: int) -> dict[str, float]:
    """Medians of both clocks, and the least of the host's; after some calls that do not count."""
    for _ in range(warm):
        work()
    wall, card = list[float](), list[float]()
    while len(wall) < repeats and sum(wall) < 1e3 * ENOUGH:
        first, last = event(), event()
        torch.cuda.synchronize()
        begin = time.perf_counter()
        first.record()
        work()
        last.record()
        torch.cuda.synchronize()
        wall.append(1e3 * (time.perf_counter() - begin))
        card.append(first.elapsed_time(last))
    found = {"wall": statistics.median(wall), "least": min(wall), "card": statistics.median(card)}
    return {name: round(value, 3) for name, value in found.items()}


def event() -> Any:
    """A point in the work of the card."""
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
