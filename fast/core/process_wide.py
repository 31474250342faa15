"""A setting that belongs to the process, for as long as any thread needs it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class ProcessWide:
    """A setting that the first thread to come in makes, and the last to go out takes back.

    Several threads may solve at once, each of which would else restore what another one has set.
    """

    def __init__(self, make: Callable[[], Callable[[], None]]) -> None:
        self._make = make  # makes the setting, and returns what takes it back
        self._lock = threading.Lock()
        self._inside = 0
        self._take_back: Callable[[], None] = lambda: None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """The setting, for a `with` statement."""
        with self._lock:
            if self._inside == 0:
                self._take_back = self._make()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._take_back()
