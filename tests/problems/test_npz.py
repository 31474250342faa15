"""Files from anywhere: what is no statement is one line that names the file, and costs nothing."""

import bz2
import io
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cvxinv import MidLayer
from cvxinv.errors import ProblemFileError
from cvxinv.problems import file as problem_file
from cvxinv.problems.npz import Arrays

PROBLEM = MidLayer(np.arange(6.0).reshape(3, 2), np.ones((2, 3)), lam=0.5)
MEBI = 1 << 20


def npy(a, **options):
    stream = io.BytesIO()
    np.save(stream, a, **options)
    return stream.getvalue()


def header(text, version=1):
    """An .npy file without data whose header is `text`."""
    text = text.encode("latin1") + b"\n"
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path, changes=(), method=zipfile.ZIP_DEFLATED):
    """The archive with some members replaced, added or (None) left out."""
    content = list({**members(path), **dict(changes)}.items())
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content:
            if data is not None:
                archive.writestr(name, data)


def doubled(path):
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("lam.npy", npy(np.asarray(9.0)))


def encrypted(path):
    """The archive with the encryption bit of all members set."""
    data = bytearray(path.read_bytes())
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(sign)
        while start >= 0:
            data[start + at] |= 1
            start = data.find(sign, start + 1)
    path.write_bytes(data)


OBJECTS = np.array([[None]])
DEEP = {"problem": "LastLayer", "W": np.eye(2), "y": np.ones(2)}
HOSTILE = {
    "empty": lambda p: p.write_bytes(b""),
    "text": lambda p: p.write_text("hello"),
    "pickle": lambda p: p.write_bytes(pickle.dumps([1, 2])),
    "a safetensors file": lambda p: p.write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}"),
    "truncated": lambda p: p.write_bytes(p.read_bytes()[:-30]),
    "half": lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
    "no members": lambda p: rewritten(p, dict.fromkeys(members(p))),
    "a plain array": lambda p: p.write_bytes(npy(np.ones(3))),
    "a member that is no npy": lambda p: rewritten(p, {"readme.txt": b"hello"}),
    "a member that is called npy": lambda p: rewritten(p, {"lam.npy": b"hello"}),
    "an empty member": lambda p: rewritten(p, {"lam.npy": b""}),
    "a folder": lambda p: rewritten(p, {"lam/": b""}),
    "a foreign member": lambda p: rewritten(p, {"mu.npy": npy(np.ones(3))}),
    "a long name": lambda p: rewritten(p, {"m" * 1000 + ".npy": npy(np.ones(3))}),
    "a member twice": doubled,
    "pickled entries": lambda p: rewritten(
        p, {"W.npy": npy(np.array([[None]]), allow_pickle=True)}
    ),
    "a structured array": lambda p: rewritten(p, {"W.npy": npy(np.zeros(2, "f8,i4"))}),
    "dates": lambda p: rewritten(p, {"lam.npy": npy(np.datetime64("2020-01-01"))}),
    "complex numbers": lambda p: rewritten(p, {"W.npy": npy(np.ones((3, 2), complex))}),
    "nan": lambda p: rewritten(p, {"W.npy": npy(np.full((3, 2), np.nan))}),
    "a flag for a number": lambda p: rewritten(p, {"lam.npy": npy(np.asarray(True))}),
    "an array for a number": lambda p: rewritten(p, {"lam.npy": npy(np.ones(2))}),
    "shapes that do not fit": lambda p: rewritten(p, {"W.npy": npy(np.ones((4, 2)))}),
    "encrypted": encrypted,
    "broken data": lambda p: rewritten(p, {"W.npy": npy(PROBLEM.W)[:-1]}),
    "data left over": lambda p: rewritten(p, {"W.npy": npy(PROBLEM.W) + b"\0"}),
    "a huge shape": lambda p: rewritten(
        p,
        {"W.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (10**9, 10**9), }")},
    ),
    "a huger shape": lambda p: rewritten(
        p,
        {"W.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999, 8), }")},
    ),
    "a negative shape": lambda p: rewritten(
        p,
        {
            "W.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -1), }")
            + bytes(16)
        },
    ),
    "a deep header": lambda p: rewritten(p, {"W.npy": header("(" * 9000)}),
    "a long header": lambda p: rewritten(p, {"W.npy": header(" " * 100_000, 2)}),
    "another version": lambda p: rewritten(p, {"W.npy": header("{}", 9)}),
    "deep JSON": lambda p: np.savez(p, **DEEP, activation='{"name":' * 100_000),
    "JSON of a number": lambda p: np.savez(p, **DEEP, activation="3"),
    "JSON twice": lambda p: np.savez(p, **DEEP, activation='{"name": "plu", "name": "tanh"}'),
    "JSON without a name": lambda p: np.savez(p, **DEEP, activation='{"alpha": 0.1}'),
    "JSON with nan": lambda p: np.savez(p, **DEEP, activation='{"name": "plu", "c": NaN}'),
    "JSON with a list": lambda p: np.savez(p, **DEEP, activation='{"name": ["plu"]}'),
    "JSON with a flag": lambda p: np.savez(p, **DEEP, activation='{"name": "plu", "c": true}'),
    "a name as bytes": lambda p: np.savez(p, **{**DEEP, "problem": b"LastLayer"}),
}


@pytest.fixture
def saved(tmp_path):
    problem_file.save(PROBLEM, tmp_path / "p.npz")
    return tmp_path / "p.npz"


@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_files_are_refused_in_one_line(saved, how, monkeypatch):
    HOSTILE[how](saved)
    for name in ("load", "loads"):
        monkeypatch.setattr(pickle, name, lambda *_, **__: pytest.fail("unpickled"))
    with pytest.raises(ProblemFileError) as caught:
        problem_file.load(saved)
    words = str(caught.value)
    assert words.startswith(f"{saved}: ")
    assert "\n" not in words
    assert len(words) < len(str(saved)) + 400


def test_the_file_that_is_spoiled_is_a_good_one(saved):
    rewritten(saved)
    assert repr(problem_file.load(saved)) == repr(PROBLEM)


def peak(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def refused(path, words):
    with pytest.raises(ProblemFileError, match=words):
        problem_file.load(path)


def test_a_large_foreign_member_is_refused_unread(saved):
    rewritten(saved, {"mu.npy": npy(np.zeros(8 * MEBI))})  # 64 MiB
    assert peak(lambda: refused(saved, "no field 'mu'")) < MEBI


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_bomb_is_refused_unread(saved, method):
    big = npy(np.zeros(256 * MEBI // 8))
    rewritten(saved, {"W.npy": big}, method)
    assert saved.stat().st_size < 2 * MEBI
    assert peak(lambda: refused(saved, "would take")) < MEBI


@pytest.mark.parametrize("shape", ["(300000, 2)", "(3, 99999)", "(3, 1)", "()"])
def test_a_header_that_lies_is_refused_before_memory_is_taken(saved, shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    rewritten(saved, {"W.npy": header(text) + bytes(48)})
    assert peak(lambda: refused(saved, "header declares")) < MEBI


def test_masks_that_compress_well_are_no_bombs(tmp_path):
    problem = MidLayer(np.ones((784, 1)), np.ones((2_000, 784)), np.ones((2_000, 784), bool))
    problem_file.save(problem, tmp_path / "p.npz")
    assert (tmp_path / "p.npz").stat().st_size < problem.x_next.nbytes / 64
    np.testing.assert_array_equal(problem_file.load(tmp_path / "p.npz").support, problem.support)


def test_what_is_not_there_is_an_oserror(tmp_path):
    for path in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(OSError, match=r"none\.npz|directory"):
            problem_file.load(path)


@given(at=st.integers(0, 10_000), new=st.integers(0, 255))
@example(at=0, new=0)
@example(at=30, new=47)
def test_a_byte_changed_is_an_error_or_a_statement(at, new, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    problem_file.save(PROBLEM, path)
    data = bytearray(path.read_bytes())
    data[at % len(data)] = new
    path.write_bytes(data)
    try:
        found = problem_file.load(path)
    except ProblemFileError as error:
        found = str(error)
    assert isinstance(found, MidLayer) or found.startswith(str(path))


def test_arrays_are_read_one_by_one(saved):
    found = Arrays(str(saved))
    assert set(found) == {"problem", "W", "x_next", "support", "lam"}
    assert len(found) == 5
    assert "y" not in found
    np.testing.assert_array_equal(found["W"], PROBLEM.W)
    np.save(saved.with_suffix(".npy"), PROBLEM.W)
    np.testing.assert_array_equal(Arrays(Path(saved).with_suffix(".npy"))[""], PROBLEM.W)


def test_broken_bzip2_is_no_oserror(saved):
    rewritten(saved, method=zipfile.ZIP_BZIP2)
    data = saved.read_bytes()
    at = data.find(bz2.compress(npy(PROBLEM.W))[:10])
    assert at > 0
    saved.write_bytes(data[: at + 12] + b"\xff" * 12 + data[at + 24 :])
    refused(saved, "not a readable")
