"""MNIST: the four idx files, from a folder or downloaded, checked before use."""

import gzip
import hashlib
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT.parent / "shared" / "data" / "mnist"
URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
LARGEST, AXES = 1 << 26, 3  # bytes of an unpacked file, and axes of what it holds, at most
# SHA-256 of the original gzip files, as the mirror serves them
ORIGINAL = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea37026"
    "5605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cc"
    "a23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


class DataError(ValueError):
    """A data file is not what it should be; the message names the file."""


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one gzipped idx file of unsigned bytes.

    Parameters
    ----------
    path : Path
        The file: two zero bytes, the type code 8, the number of axes, the big-endian sizes, the
        bytes.

    Returns
    -------
    array of uint8
        In the shape that the header gives.

    Raises
    ------
    DataError
        For a file that is no gzip, no idx file of bytes, or has the wrong length.
    """
    try:
        with gzip.open(path) as file:
            raw = file.read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a complete gzip file ({error})") from error
    if len(raw) > LARGEST:
        raise DataError(f"{path}: more than {LARGEST} bytes, which no file of MNIST has")
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08" or len(raw) < 4 + 4 * raw[3]:
        raise DataError(f"{path}: not an idx file of unsigned bytes (it begins with {raw[:4]!r})")
    shape = struct.unpack_from(f">{raw[3]}I", raw, 4)
    data = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    size = math.prod(shape)
    if data.size != size or len(shape) > AXES:
        raise DataError(f"{path}: expected {size} entries for shape {shape}, found {data.size}")
    return data.reshape(shape)


def check(folder: Path) -> None:
    """Compare the four files with the folder's SHA256SUMS, where there is one.

    Raises
    ------
    DataError
        Naming the first file whose checksum differs from the listed one.
    """
    listing = folder / "SHA256SUMS"
    if not listing.is_file():
        return
    for line in listing.read_text().splitlines():
        expected, _, name = line.strip().partition(" ")
        name = name.strip().removeprefix("*")
        if name not in ORIGINAL:
            continue
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != expected:
            raise DataError(
                f"{folder / name}: SHA-256 {found}, but SHA256SUMS lists {expected}; fetch the file"
                " again"
            )


def _download() -> Path:
    import pooch

    folder = Path(pooch.os_cache("cvxinv")) / "mnist"
    try:
        for name, digest in ORIGINAL.items():
            pooch.retrieve(URL + name, known_hash=f"sha256:{digest}", fname=name, path=folder)
    # requests' errors are OSErrors; a wrong checksum is pooch's ValueError and speaks for itself
    except OSError as error:
        raise FileNotFoundError(
            f"MNIST: not in {LOCAL}, and downloading it from {URL} failed ({error}); "
            f"put {', '.join(ORIGINAL)} into a folder and name it in CVXINV_DATA"
        ) from error
    return folder


def folder() -> Path:
    """The folder that holds the four files: CVXINV_DATA, else the shared one beside the project,
    else a download.

    Raises
    ------
    FileNotFoundError
        Where CVXINV_DATA names a folder that lacks a file, or nothing is there and the download
        fails.
    DataError
        Where a checksum differs.
    """
    chosen = os.environ.get("CVXINV_DATA")
    candidate = Path(chosen) if chosen else LOCAL
    missing = [name for name in ORIGINAL if not (candidate / name).is_file()]
    if missing and chosen:
        raise FileNotFoundError(
            f"CVXINV_DATA={chosen}: {', '.join(missing)} not there; unset it to download MNIST"
        )
    if missing:
        return _download()
    check(candidate)
    return candidate


def load(part: str) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Images scaled to [-1, 1] and their labels.

    Parameters
    ----------
    part : {"train", "t10k"}
        60 000 training or 10 000 test images.

    Returns
    -------
    images : array of float32, (N, 784)
    labels : array of uint8, (N,)
    """
    where = folder()
    images = read_idx(where / f"{part}-images-idx3-ubyte.gz")
    labels = read_idx(where / f"{part}-labels-idx1-ubyte.gz").copy()  # writable, as torch wants it
    return (images.reshape(len(images), -1) / np.float32(127.5) - 1).astype(np.float32), labels
