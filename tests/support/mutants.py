"""Files of every kind that is read, and what becomes of their bytes."""

import gzip
import io
import json
import pickle
import random
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from cvxinv import Generator, MidLayer, problem_file
from cvxinv.problems.npz import Arrays
from validation.mnist import read_idx

MARKER = "unpickled"  # a file that is there if anything was unpickled
RNG = np.random.default_rng(0)
PROBLEM = MidLayer(RNG.random((6, 4)), RNG.random((3, 6)), RNG.random((3, 6)) < 0.5, lam=0.1)
G = Generator([RNG.standard_normal((8, 3)), RNG.standard_normal((12, 8))], activation="tanh")
SIGNALS = G(RNG.standard_normal((2, 3)))
STATE = {"0.weight": G.weights[0], "2.weight": G.weights[1], "2.bias": np.ones(12)}
IMAGES = RNG.integers(0, 256, (3, 5, 4)).astype(np.uint8)


class Payload:
    """What leaves a trace when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(MARKER),)


PICKLE = pickle.dumps(Payload())


@dataclass(frozen=True)
class Kind:
    """A kind of file: how a good one is written, what reads any, and how many times its size
    reading may take.
    """

    suffix: str
    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    times: int = 16
    named: bool = True  # whether what is wrong begins with the name of the file


def read_all(path: Path) -> dict[str, Any]:
    found = Arrays(path)
    return {name: found[name] for name in found}


def write_idx(path: Path) -> None:
    head = struct.pack(">HBB3I", 0, 8, 3, *IMAGES.shape)
    path.write_bytes(gzip.compress(head + IMAGES.tobytes(), mtime=0))


CORPUS = {
    "generator": Kind(".safetensors", G.save, Generator.load),
    "problem": Kind(".npz", lambda p: problem_file.save(PROBLEM, p), problem_file.load),
    "signals": Kind(".npz", lambda p: np.savez(p, y=SIGNALS), read_all),
    "solution": Kind(".npz", lambda p: np.savez(p, x=np.zeros((3, 4))), read_all),
    "array": Kind(".npy", lambda p: np.save(p, SIGNALS), read_all),
    "state dict": Kind(
        ".safetensors",
        lambda p: save_file(STATE, p),
        lambda p: Generator.from_state_dict(p, "tanh"),
        named=False,
    ),
    "checkpoint": Kind(
        ".pt",
        lambda p: torch.save({k: torch.tensor(a) for k, a in STATE.items()}, p),
        lambda p: Generator.from_state_dict(p, "tanh"),
        named=False,
    ),
    "images": Kind(".gz", write_idx, read_idx),
}


# -- mutations -------------------------------------------------------------------------------------

Mutation = Callable[[bytes, random.Random], bytes]
HUGE = [2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, 10**12, 99_999_999, 0xFFFF, 0]


def flipped(data: bytes, draw: random.Random) -> bytes:
    """Some bits are others."""
    out = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 8])):
        out[draw.randrange(len(out))] ^= 1 << draw.randrange(8)
    return bytes(out)


def cut(data: bytes, draw: random.Random) -> bytes:
    """The end, the beginning or the middle is missing."""
    a, b = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    return draw.choice([data[:a], data[a:], data[:a] + data[b:]])


def longer(data: bytes, draw: random.Random) -> bytes:
    """Bytes are put in, of the file itself or of none."""
    a, b, c = (draw.randrange(len(data) + 1) for _ in range(3))
    return (
        data[:a] + draw.choice([data[b:c], draw.randbytes(16), bytes(300), b"\xff" * 9]) + data[a:]
    )


def huge(data: bytes, draw: random.Random) -> bytes:
    """A number of 2, 4 or 8 bytes, or one in a text, is huge."""
    digits = [i for i in range(len(data)) if data[i : i + 1].isdigit()]
    if digits and draw.random() < 0.5:
        a = draw.choice(digits)
        return data[:a] + str(draw.choice(HUGE)).encode() + data[a + 1 :]
    form = draw.choice(["<H", ">H", "<I", ">I", "<Q", ">Q"])
    size = struct.calcsize(form)
    a = draw.randrange(min(len(data), 400) - size)
    number = struct.pack(form, draw.choice(HUGE) % 256**size)
    return data[:a] + number + data[a + size :]


def swapped(data: bytes, draw: random.Random) -> bytes:
    """Two pieces have changed places."""
    a, b, c, d = sorted(draw.randrange(len(data) + 1) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def pickled(data: bytes, draw: random.Random) -> bytes:
    """A pickle that leaves a trace, alone, in the file, or as an array of objects."""
    array = io.BytesIO()
    np.save(array, np.array([Payload()], dtype=object), allow_pickle=True)
    a = draw.randrange(len(data) + 1)
    archive = {name: array.getvalue() for name in ("x.npy", "y.npy", "W.npy", "problem.npy")}
    return draw.choice(
        [
            PICKLE,
            array.getvalue(),
            data[:a] + PICKLE + data[a:],
            gzip.compress(PICKLE),
            zipped(archive, draw),
            zipped({"data.pkl": PICKLE, "version": b"3"}, draw),
            zipped({"archive/data.pkl": PICKLE, "archive/version": b"3"}, draw),
        ]
    )


def archived(data: bytes, draw: random.Random) -> bytes:
    """An archive that lies: members twice, swapped, with other names, methods and sizes."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return zipped({draw.choice(["file", "../file", "y.npy", ""]): data}, draw)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    names = [*members]
    a, b = draw.choice(names), draw.choice(names)
    members[a], members[b] = members[b], members[a]
    odd = ["../../etc/x.npy", "/x.npy", "x.npy/", "\0.npy", "é.npy", "W.NPY", "y.npy.npy"]
    if draw.random() < 0.5:
        members[draw.choice(odd)] = members.pop(a)
    return draw.choice([flipped, huge, bytes_of])(zipped(members, draw), draw)


def bomb(data: bytes, draw: random.Random) -> bytes:
    """Much of nothing, compressed: more than the file says, and more than memory should take."""
    return draw.choice(bombs())


@cache
def bombs() -> list[bytes]:
    """256 MiB as an image, others as arrays and as headers."""
    images, head = io.BytesIO(), io.BytesIO()
    with gzip.GzipFile(fileobj=images, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(struct.pack(">HBB3I", 0, 8, 3, 3, 5, 4))
        for _ in range(256):
            file.write(bytes(1 << 20))
    said = {"descr": "<f8", "fortran_order": False, "shape": (10**9,)}
    np.lib.format.write_array_header_1_0(head, said)
    names = ("y.npy", "x.npy", "W.npy", "problem.npy")
    members = dict.fromkeys(names, head.getvalue() + bytes(1 << 22))
    return [
        images.getvalue(),
        head.getvalue(),
        zipped(members, random.Random(0), zipfile.ZIP_DEFLATED),
        zipped(dict.fromkeys(names, head.getvalue()), random.Random(0), zipfile.ZIP_LZMA),
        struct.pack("<Q", 100_000_000) + b"{" + b" " * 1000,
        struct.pack("<Q", 10**15) + b"{}",
        struct.pack("<Q", 60_000) + b'{"a":' * 12_000,
    ]


def worded(data: bytes, draw: random.Random) -> bytes:
    """A header of text says something else: types, shapes, offsets, names."""
    old = [
        b"F64",
        b"<f8",
        b"shape",
        b"weights",
        b"tanh",
        b"data_offsets",
        b"descr",
        b"False",
        b"|b1",
    ]
    new = [
        b"I64",
        b"O",
        b"|O",
        b"'",
        b'"',
        b"V9",
        b"<U9",
        b"{",
        b"True",
        b"NaN",
        b"-1",
        b"",
        b"\xff",
    ]
    new.append(json.dumps({"a": [1] * 50}).encode())
    there = [word for word in old if word in data] or [data[:1]]
    return data.replace(draw.choice(there), draw.choice(new), draw.choice([1, -1]))


def bytes_of(data: bytes, draw: random.Random) -> bytes:
    return data


def zipped(members: dict[str, bytes], draw: random.Random, method: int | None = None) -> bytes:
    """An archive, compressed in one way or another."""
    out = io.BytesIO()
    methods = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    method = draw.choice(methods) if method is None else method
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


MUTATIONS: dict[str, Mutation] = {
    "flipped": flipped,
    "cut": cut,
    "longer": longer,
    "huge": huge,
    "swapped": swapped,
    "worded": worded,
    "pickled": pickled,
    "archived": archived,
    "bomb": bomb,
}
FEW = {"bomb": 12, "pickled": 40}  # cases, at most: these are all they have


def good(kind: str) -> bytes:
    """The bytes of a good file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"good{CORPUS[kind].suffix}"
        CORPUS[kind].write(path)
        return path.read_bytes()


def mutants(kind: str, mutation: str, count: int) -> Iterator[tuple[int, bytes]]:
    """Seeds, and the file as its mutation makes it by them."""
    data = good(kind)
    for seed in range(min(count, FEW.get(mutation, count))):
        yield seed, MUTATIONS[mutation](data, random.Random(f"{kind} {mutation} {seed}"))
