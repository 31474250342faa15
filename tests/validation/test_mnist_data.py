"""The MNIST reader of the validation scripts: format, checksums, and what it says when data are
missing. No network.
"""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from validation import mnist


def write_idx(path: Path, data: np.ndarray) -> None:
    header = bytes([0, 0, 8, data.ndim]) + struct.pack(f">{data.ndim}I", *data.shape)
    path.write_bytes(gzip.compress(header + data.tobytes()))


def write_all(folder: Path, count: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    arrays = {}
    for name in mnist.ORIGINAL:
        shape = (count, 28, 28) if "images" in name else (count,)
        arrays[name] = rng.integers(0, 256 if "images" in name else 10, shape).astype(np.uint8)
        write_idx(folder / name, arrays[name])
    return arrays


@pytest.mark.parametrize("shape", [(5,), (3, 28, 28), (0, 4)])
def test_idx_round_trip(tmp_path, shape):
    data = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    write_idx(tmp_path / "a.gz", data)
    read = mnist.read_idx(tmp_path / "a.gz")
    assert read.dtype == np.uint8
    assert read.shape == shape
    np.testing.assert_array_equal(read, data)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            gzip.compress(b"\x00\x00\x0d\x01" + struct.pack(">I", 1) + b"1234", mtime=0),
            "not an idx file of unsigned bytes",
        ),
        (gzip.compress(b"\x00\x00", mtime=0), "not an idx file of unsigned bytes"),
        (
            gzip.compress(b"\x00\x00\x08\x01" + struct.pack(">I", 5) + b"12", mtime=0),
            "expected 5 entries",
        ),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], "not a complete gzip file"),
        (b"plain", "not a complete gzip file"),
    ],
)
def test_malformed_files_are_named(tmp_path, raw, message):
    path = tmp_path / "bad.gz"
    path.write_bytes(raw)
    with pytest.raises(mnist.DataError, match=message) as error:
        mnist.read_idx(path)
    assert "bad.gz" in str(error.value)


def test_images_are_scaled_to_plus_minus_one(tmp_path, monkeypatch):
    arrays = write_all(tmp_path)
    monkeypatch.setenv("CVXINV_DATA", str(tmp_path))
    images, labels = mnist.load("t10k")
    assert images.shape == (3, 784)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    np.testing.assert_array_equal(
        np.rint((images + 1) * 127.5), arrays["t10k-images-idx3-ubyte.gz"].reshape(3, 784)
    )
    np.testing.assert_array_equal(labels, arrays["t10k-labels-idx1-ubyte.gz"])


def test_checksums_beside_the_files_are_checked(tmp_path, monkeypatch):
    write_all(tmp_path)
    monkeypatch.setenv("CVXINV_DATA", str(tmp_path))
    sums = {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in mnist.ORIGINAL
    }
    listing = tmp_path / "SHA256SUMS"
    listing.write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    assert mnist.folder() == tmp_path
    victim = "train-labels-idx1-ubyte.gz"
    write_idx(tmp_path / victim, np.zeros(3, np.uint8))
    with pytest.raises(
        mnist.DataError, match=f"{victim}: SHA-256 .* SHA256SUMS lists {sums[victim]}"
    ):
        mnist.load("train")


def test_a_chosen_folder_without_the_files_is_an_error(tmp_path, monkeypatch):
    write_all(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    monkeypatch.setenv("CVXINV_DATA", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"CVXINV_DATA=.*: t10k-images-idx3-ubyte\.gz not there"
    ):
        mnist.folder()


def test_missing_data_say_what_to_do(tmp_path, monkeypatch):
    pooch = pytest.importorskip("pooch")

    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no network")

    monkeypatch.delenv("CVXINV_DATA", raising=False)
    monkeypatch.setattr(mnist, "LOCAL", tmp_path / "absent")
    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(FileNotFoundError, match=r"no network.*CVXINV_DATA"):
        mnist.folder()
