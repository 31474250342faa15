"""Long work in parts: how large they are, and what is said while they are computed."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType

from rich.console import Console
from rich.status import Status

FIRST, GROWTH = 4, 8  # signals of the first part; a part is at most so many times the one before
# that a part should take: at 20 to 40 ms a signal, parts of half of that are a third slower
SECONDS = 3.0
QUIET, PERIOD = 2.0, 10.0  # seconds to the first line where there is no terminal, and between lines
RECENT = 6  # parts whose pace counts


def parts(count: int, seconds: float = SECONDS) -> Iterator[slice]:
    """Slices of `count` signals, each of which takes about `seconds`: the first is small, and each
    next one as large as the pace of the one before allows. One empty slice where there is none.
    """
    begin, size = 0, FIRST
    while True:
        started = time.perf_counter()
        yield slice(begin, min(begin + size, count))
        pace = (time.perf_counter() - started) / size
        begin += size
        if begin >= count:
            return
        size = max(1, int(min(GROWTH * size, seconds / max(pace, 1e-9))))


class Progress:
    """How many signals are done, how fast, and how long it still takes, on stderr: beside a spinner
    on a terminal, else a line after two seconds and then every ten, whatever a part takes.
    """

    def __init__(self, total: int, console: Console | None = None) -> None:
        self.total = total
        self.console = Console(stderr=True) if console is None else console
        self._times = deque([(time.perf_counter(), 0)], maxlen=RECENT)
        self._spinner: Status | None = None
        self._ended = threading.Event()
        self._lines = threading.Thread(target=self._say_now_and_then, daemon=True)

    def __enter__(self) -> "Progress":
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
        """So many signals are done by now."""
        self._times.append((time.perf_counter(), count))
        if self._spinner is not None:
            self._spinner.update(str(self))

    def __str__(self) -> str:
        (begin, before), (end, count) = self._times[0], self._times[-1]
        so_far = f"{count} of {self.total} signals"
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
