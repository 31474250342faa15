"""Arrays in .npy and .npz files from anywhere: nothing is unpickled, and only what is asked for is
read.

An .npz file is a zip archive. Its list of members is looked at first: twice the same name, or a
member that is no array, is refused. An array is read once its header, the size that the archive
declares and that of the file fit together: a small file cannot fill the memory.
"""

import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Any

import numpy as np

from cvxinv.errors import ProblemFileError, one_line

# an array decompresses to at most so many bytes, or so many times the size of its file
LARGEST, RATIO = 1 << 28, 64
# not LZMA: a few bytes ask for a dictionary of 4 GiB
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)


class Arrays(Mapping[str, Any]):
    """The arrays of an .npz file by name; that of an .npy file under the empty name.

    Raises
    ------
    ProblemFileError
        Naming the file: malformed, truncated, with pickled objects, foreign or double members.
    OSError
        For a file that is not there or cannot be read.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path
        with self._opened() as file:
            self._members = _members(file) if _is_archive(file) else {"": None}

    def __getitem__(self, name: str) -> Any:
        """The array called `name`, read now."""
        member = self._members[name]
        with self._opened() as file:
            size = os.fstat(file.fileno()).st_size
            if member is None:
                return _array(file, size)
            if (taken := member.file_size) > max(LARGEST, RATIO * size):
                raise ValueError(f"{name!r} would take {taken} bytes, of a file of {size}")
            with zipfile.ZipFile(file) as archive, archive.open(member) as stream:
                return _array(stream, taken)

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """The file; whatever its content makes the readers raise is a `ProblemFileError`."""
        with open(self.path, "rb") as file:
            try:
                yield file
            except Exception as error:  # of zip, zlib, bz2, lzma, tokenizer, NumPy, ..
                raise ProblemFileError(
                    f"{fspath(self.path)}: not a readable .npy or .npz file ({one_line(error)})"
                ) from error


def _is_archive(file: Any) -> bool:
    start = file.read(4)
    file.seek(0)
    return start in (b"PK\x03\x04", b"PK\x05\x06")


def _members(file: Any) -> dict[str, zipfile.ZipInfo | None]:
    """The members of an archive by the names of their arrays."""
    found: dict[str, zipfile.ZipInfo | None] = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name == member.filename:
                raise ValueError(f"{name!r} is no array")
            if member.compress_type not in METHODS:
                raise ValueError(f"{name!r} is compressed in a way that NumPy does not write")
            if name in found:
                raise ValueError(f"{name!r} is there twice")
            found[name] = member
    return found


def _array(stream: Any, size: int) -> Any:
    """The array that fills the `size` bytes of a stream."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version} of the format is none that plain arrays need")
    if dtype.hasobject:
        raise ValueError("it holds pickled objects")
    declared = stream.tell() + math.prod(shape) * dtype.itemsize
    if declared != size:
        raise ValueError(f"its header declares {declared} bytes, and there are {size}")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)
