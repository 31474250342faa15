"""Generator files from anywhere: whatever `save` did not write is one line that names the file."""

import json
import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from cvxinv import Generator, GeneratorFileError
from tests.support.instances import generator

GOOD = {
    "format": "cvxinv.Generator",
    "version": "1",
    "activation": json.dumps({"name": "identity"}),
}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "g.safetensors"
    generator((2, 3, 4, 4), "plu", biased=True).save(path)
    return path


def rewrite(path, drop=None, metadata=None, **tensors):
    """The file with other tensors or metadata."""
    given = GOOD | (metadata or {})
    kept = {k: v for k, v in {**load_file(path), **tensors}.items() if k != drop}
    save_file(kept, path, metadata={k: v for k, v in given.items() if v is not None})


SPOILED = {
    "truncated header": lambda p: p.write_bytes(p.read_bytes()[:20]),
    "truncated data": lambda p: p.write_bytes(p.read_bytes()[:-8]),
    "empty": lambda p: p.write_bytes(b""),
    "pickle": lambda p: p.write_bytes(pickle.dumps({"weights.0": np.ones((2, 2))})),
    "torch": lambda p: torch.save({"weights.0": torch.ones(2, 2)}, p),
    "numpy": lambda p: p.write_bytes(b"\x93NUMPY" + bytes(200)),
    "no metadata": lambda p: save_file(load_file(p), p),
    "other format": lambda p: rewrite(p, metadata={"format": "pt"}),
    "other version": lambda p: rewrite(p, metadata={"version": "2"}),
    "activation not json": lambda p: rewrite(p, metadata={"activation": "{"}),
    "activation a list": lambda p: rewrite(p, metadata={"activation": "[1]"}),
    "activation unknown": lambda p: rewrite(p, metadata={"activation": '{"name": "relu"}'}),
    "activation parameters": lambda p: rewrite(
        p, metadata={"activation": '{"name": "plu", "beta": 1}'}
    ),
    "activation parameter a word": lambda p: rewrite(
        p, metadata={"activation": '{"name": "plu", "alpha": "x"}'}
    ),
    "activation parameter bad": lambda p: rewrite(
        p, metadata={"activation": '{"name": "plu", "alpha": -1}'}
    ),
    "activation deep": lambda p: rewrite(p, metadata={"activation": "[" * 100_000}),
    "activation deep objects": lambda p: rewrite(p, metadata={"activation": '{"name":' * 100_000}),
    "activation a number": lambda p: rewrite(p, metadata={"activation": "3"}),
    "activation nothing": lambda p: rewrite(p, metadata={"activation": ""}),
    "activation nan": lambda p: rewrite(p, metadata={"activation": '{"name": "plu", "c": NaN}'}),
    "activation inf": lambda p: rewrite(p, metadata={"activation": '{"name": "plu", "c": 1e999}'}),
    "activation a flag": lambda p: rewrite(
        p, metadata={"activation": '{"name": "plu", "c": true}'}
    ),
    "activation twice": lambda p: rewrite(
        p, metadata={"activation": '{"name": "plu", "name": "tanh"}'}
    ),
    "activation a list for a name": lambda p: rewrite(p, metadata={"activation": '{"name": []}'}),
    "image shape a word": lambda p: rewrite(p, metadata={"image_shape": "wide"}),
    "image shape nothing": lambda p: rewrite(p, metadata={"image_shape": ""}),
    "image shape negative": lambda p: rewrite(p, metadata={"image_shape": "-2,-2"}),
    "image shape of another size": lambda p: rewrite(p, metadata={"image_shape": "28,28"}),
    "image shape long": lambda p: rewrite(p, metadata={"image_shape": "9" * 100_000}),
    "no activation": lambda p: rewrite(p, metadata={"activation": None}),
    "weights that are numbered otherwise": lambda p: rewrite(
        p, drop="weights.0", **{"weights.00": np.ones((3, 2))}
    ),
    "bias of another length": lambda p: rewrite(p, **{"biases.1": np.ones(3)}),
    "half precision": lambda p: rewrite(p, **{"weights.0": np.ones((3, 2), np.float16)}),
    "two dtypes": lambda p: rewrite(p, **{"weights.0": np.ones((3, 2), np.float32)}),
    "one weight": lambda p: save_file({"weights.0": np.ones((3, 2))}, p, metadata=GOOD),
    "no weight": lambda p: save_file({}, p, metadata=GOOD),
    "a long name": lambda p: rewrite(p, **{"m" * 10_000: np.ones(3)}),
    "missing weight": lambda p: rewrite(p, drop="weights.0"),
    "missing last weight": lambda p: rewrite(p, drop="weights.2"),
    "missing bias": lambda p: rewrite(p, drop="biases.1"),
    "foreign tensor": lambda p: rewrite(p, extra=np.ones(3)),
    "shapes do not chain": lambda p: rewrite(p, **{"weights.1": np.ones((4, 5))}),
    "integers": lambda p: rewrite(p, **{"weights.0": np.ones((3, 2), int)}),
    "nan": lambda p: rewrite(p, **{"weights.0": np.full((3, 2), np.nan)}),
}


@pytest.mark.parametrize("how", SPOILED)
def test_spoiled_files_are_refused_by_name(saved, how, monkeypatch):
    SPOILED[how](saved)
    for name in ("load", "loads"):
        monkeypatch.setattr(pickle, name, lambda *_, **__: pytest.fail("unpickled"))
    with pytest.raises(GeneratorFileError) as caught:
        Generator.load(saved)
    words = str(caught.value)
    assert words.startswith(f"{saved}: ")
    assert "\n" not in words
    assert len(words) < len(str(saved)) + 400


def test_a_foreign_tensor_is_refused_unread(saved):
    rewrite(saved, foreign=np.ones(8 << 20))  # 64 MiB
    tracemalloc.start()
    with pytest.raises(GeneratorFileError, match="expected weights"):
        Generator.load(saved)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@given(junk=st.binary(max_size=400))
@example(junk=b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
@example(junk=b"\xff" * 8)
def test_random_bytes_are_refused(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("junk") / "g.safetensors"
    path.write_bytes(junk)
    with pytest.raises(GeneratorFileError):
        Generator.load(path)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Generator.load(tmp_path / "nowhere.safetensors")
