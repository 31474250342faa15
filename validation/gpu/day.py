"""Parts of a run, each under its own limit, and the file of what they found."""

import json
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from rich.console import Console

from cvxinv import record

TOTAL = 450.0  # seconds for all parts of a call, which is to end within eight minutes
PACKAGES = ("torch", "numpy")
DEPTH = -8  # of the tracebacks that are kept

T = TypeVar("T")


@dataclass(frozen=True)
class Part(Generic[T]):
    """Some rows, (name, what was found), for sizes of type T."""

    name: str
    limit: float  # seconds
    rows: Callable[[T], Iterator[tuple[str, Any]]]


class TooLateError(Exception):
    """The limit is reached."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """`TooLateError` after so many seconds, as soon as Python has a word again."""

    def late(*_: Any) -> None:
        raise TooLateError(f"after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def origin() -> dict[str, Any]:
    """What runs, and on what."""
    run = record.run(PACKAGES, "python -m validation.gpu")
    return run | {"card": torch.cuda.get_device_name()}


@dataclass
class Day:
    """The parts that were run, in a file that is rewritten after each of them."""

    path: Path
    origin: dict[str, Any]
    console: Console
    parts: dict[str, Any] = field(default_factory=dict)
    begin: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        """Go on where an earlier call of the same program on the same card ended."""
        if not self.path.exists():
            return
        before = json.loads(self.path.read_text())
        if all(before.get(k) == self.origin[k] for k in ("commit", "versions", "card", "small")):
            self.parts = before["parts"]

    @property
    def done(self) -> bool:
        """Whether nothing is missing."""
        return all(found["outcome"] == "done" for found in self.parts.values())

    def run(self, part: Part[T], sizes: T) -> None:
        """Run a part, unless that is done, and write the file."""
        if self.parts.get(part.name, {}).get("outcome") == "done":
            return
        begin, rows = time.perf_counter(), dict[str, Any]()
        outcome, trace = "done", None
        try:
            with limit(min(part.limit, TOTAL - (begin - self.begin))):
                for name, found in part.rows(sizes):
                    rows[name] = found
        except TooLateError as late:
            outcome = f"late: {late}"
        except Exception as error:  # whatever it is, the other parts go on
            outcome, trace = f"raised: {error!r}", traceback.format_exc(limit=DEPTH)
        seconds = round(time.perf_counter() - begin, 2)
        self.parts[part.name] = {"outcome": outcome, "seconds": seconds, "rows": rows}
        if trace is not None:
            self.parts[part.name]["trace"] = trace
        record.write(self.path, self.origin | {"parts": self.parts})
        self.console.print(f"{part.name}: {outcome}, {seconds} s", style="bold", markup=False)
        for name, found in rows.items():
            self.console.print(f"    {name}: {found}", markup=False, highlight=False)
