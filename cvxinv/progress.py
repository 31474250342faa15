"""How far long work is: told to a callable as (done, total), or shown on stderr.

Work is counted in pieces that are there anyway: signals, layer problems of signals, steps. Nothing
is computed or cut otherwise because somebody wants to know, and a `Meter` that nobody reads costs
nothing.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
from rich.console import Console
from rich.status import Status

from cvxinv.checks import shown

Report: TypeAlias = Callable[[int, int], Any]  # of (done, total)
Progress: TypeAlias = bool | Report  # as an argument
QUIET, PERIOD = 2.0, 10.0  # seconds to the first line where there is no terminal, and between lines
RECENT = 6  # reports whose pace counts


def nothing(done: int, total: int) -> None:
    """Nobody wants to know."""


class Meter:
    """How many pieces of a piece of work are done; only more than before is told, up to all."""

    def __init__(self, tell: Report = nothing, total: int = 0) -> None:
        self.tell, self.total, self.done = tell, total, 0

    @property
    def silent(self) -> bool:
        """Whether nobody wants to know."""
        return self.tell is nothing

    def reach(self, done: int) -> None:
        """So many pieces are done by now."""
        done = min(done, self.total)
        if done > self.done:
            self.done = done
            self.tell(done, self.total)

    def within(self, begin: int, size: int) -> Report:
        """What takes the reports (done, total) of a part of the work: pieces begin .. begin +
        size.
        """
        if self.silent:
            return nothing
        return lambda done, total: self.reach(begin + size * done // max(1, total))


@contextmanager
def meter(progress: Progress, total: int, unit: str) -> Iterator[Meter]:
    """A meter for work of `total` pieces, of which `unit` says what they are; its end is told
    unless it is an exception.

    Raises
    ------
    TypeError
        Naming `progress`, if it is neither True nor False nor callable.
    """
    if not callable(progress) and not isinstance(progress, (bool, np.bool_)):
        raise TypeError(
            "progress: expected True, False or a callable progress(done, total), got"
            f" {shown(progress)}"
        )
    if callable(progress):
        found = Meter(progress, total)
        yield found
        found.reach(total)
    elif not progress:
        yield Meter()
    else:
        with Display(total, unit) as display:
            found = Meter(lambda done, total: display.done(done), total)
            yield found
            found.reach(total)


def automatic(progress: Progress | None, long: bool) -> Progress:
    """`progress`; where that is None, whether the work is long and somebody sits before it."""
    return (long and Console(stderr=True).is_terminal) if progress is None else progress


class Display:
    """How many pieces are done, how fast, and how long it still takes, on stderr: beside a spinner
    on a terminal, else a line after two seconds and then every ten, whatever a piece takes.
    """

    def __init__(self, total: int, unit: str = "signals", console: Console | None = None) -> None:
        self.total, self.unit = total, unit
        self.console = Console(stderr=True) if console is None else console
        self._times = deque([(time.perf_counter(), 0)], maxlen=RECENT)
        self._spinner: Status | None = None
        self._ended = threading.Event()
        self._lines = threading.Thread(target=self._say_now_and_then, daemon=True)

    def __enter__(self) -> "Display":
        if self.console.is_terminal:
            self._spinner = self.console.status(str(self))
            self._spinner.start()
        else:
            self._lines.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._spinner is not None:
            self._spinner.stop()

    def done(self, count: int) -> None:
        """So many pieces are done by now."""
        self._times.append((time.perf_counter(), count))
        if self._spinner is not None:
            self._spinner.update(str(self))

    def __str__(self) -> str:
        (begin, before), (end, count) = self._times[0], self._times[-1]
        so_far = f"{count} of {self.total} {self.unit}"
        if count == before:
            return so_far
        pace = (count - before) / max(end - begin, 1e-9)
        return f"{so_far}, {pace:.3g} per s, {_duration((self.total - count) / pace)} left"

    def _say_now_and_then(self) -> None:
        wait = QUIET
        while not self._ended.wait(wait):
            self.console.print(str(self), highlight=False, soft_wrap=True)
            wait = PERIOD


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
