"""Output files: opened before the work, never in place of another file, whole or not there."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from cvxinv.files import draft

HOW = "--overwrite replaces it"


class InterruptedRunError(Exception):
    """Ctrl-C ended a run; the message says what was kept."""


@contextmanager
def output(path: Path, overwrite: bool) -> Iterator[Path]:
    """A new file beside `path`, to be written; it takes the place of `path` at the end, or goes
    where the work fails.

    Raises
    ------
    OSError
        Before the work: the folder is not there or cannot be written, or `path` exists and must
        not be replaced.
    """
    check_target(path, overwrite)
    with draft(path) as new:
        yield new
        check_target(path, overwrite)  # another run may have been faster


def check_folder(path: Path) -> None:
    """Complain before long work, not after it, if a file cannot be written there."""
    if not path.resolve().parent.is_dir():
        raise FileNotFoundError(2, "the folder does not exist", str(path.parent))


def check_target(path: Path, overwrite: bool) -> None:
    """The same, and if there is a file already."""
    check_folder(path)
    if path.exists() and not path.is_file():
        raise FileExistsError(17, "is no file that could be replaced", str(path))
    if path.exists() and not overwrite:
        raise FileExistsError(17, f"exists already: {HOW}", str(path))


@contextmanager
def one_interrupt() -> Iterator[Callable[[], None]]:
    """The first Ctrl-C interrupts, as ever. Those after it do nothing, nor does any after a call of
    what is yielded: they must not cost what is being kept.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def interrupt(number: int, frame: FrameType | None) -> None:
        ignore()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield ignore
    finally:
        signal.signal(signal.SIGINT, before)
