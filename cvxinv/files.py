"""Files that are whole or not there: a disk that is full, or Ctrl-C, leaves the old one."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path


@contextmanager
def draft(path: str | PathLike[str]) -> Iterator[Path]:
    """A new file beside `path`, to be written; it takes the place of `path` at the end, or goes
    where the work fails. What is no file (a pipe, say) is written to as it is.

    Raises
    ------
    OSError
        Before the work: the folder is not there, or folder or file cannot be written.
    """
    target = Path(path).resolve()  # of a link, not the link
    if target.exists() and not target.is_file():
        yield target
        return
    new = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        if target.exists():
            target.open("r+b").close()
        new.open("xb").close()
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
    try:
        yield new
        if target.exists():
            shutil.copymode(target, new)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
