"""`cvxinv bench`: the table and the JSON that it leaves."""

import json
import os

import numpy as np
import pytest

import cvxinv
from cvxinv import cli
from cvxinv.bench import rivals
from cvxinv.bench.gram import one_by_one
from cvxinv.bench.instances import gaussian
from cvxinv.bench.rivals import Rival
from tests.support.bench import SIZES, B, wrong
from tests.support.tolerances import KKT


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = cli.main(["bench", "--threads", os.environ["OMP_NUM_THREADS"], *map(str, arguments)])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_bench(run, monkeypatch, tmp_path):
    absent = Rival("absent", "no_such_module", wrong)
    monkeypatch.setattr(
        rivals,
        "RIVALS",
        (
            Rival("OSQP", "osqp", one_by_one(rivals.osqp)),
            Rival("wrong", "numpy", wrong),
            absent,
        ),
    )
    size = (
        "--sizes",
        "-".join(map(str, SIZES)),
        "--batch",
        B,
        "--repeats",
        2,
        "--rival-signals",
        2,
    )
    code, out, err = run(
        *size, "--scaling", "--largest-batch", 8, "--json", "b.json", "--out", "b.png"
    )
    assert (code, err) == (0, "")
    for word in (
        "3-6-24-60",
        "last layer",
        "midlayer",
        "latent",
        "OSQP",
        "best",
        "2, scaled",
        "Algorithm 2, rho = 1",
        "GEMM floor",
        "all",
    ):
        assert word in out
    assert 'absent: not installed (pip install "cvxinv[bench]")' in out
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    record = json.loads((tmp_path / "b.json").read_text())
    assert set(record) == {
        "command",
        "date",
        "commit",
        "versions",
        "not installed",
        "machine",
        "settings",
        "floor",
        "problems",
        "total",
        "scaling",
    }
    assert {"python", "cvxinv", "torch", "numpy", "osqp"} <= set(record["versions"])
    assert record["not installed"] == ["absent"]
    assert record["settings"]["tolerance"] == KKT
    solvers = [[entry["solver"] for entry in problem["rows"]] for problem in record["problems"]]
    assert solvers[0] == ["fast", "OSQP", "wrong", "Algorithm 5 (FISTA)", "GEMM floor"]
    assert (
        solvers[1]
        == solvers[2]
        == [
            "fast",
            "OSQP",
            "wrong",
            "Algorithm 2, rho = 0.01",
            "Algorithm 2, rho = 1",
            "GEMM floor",
        ]
    )
    assert [problem["best per-signal solver"] for problem in record["problems"]] == ["OSQP"] * 3
    for problem in record["problems"]:
        own, osqp, bad, *_, floor = problem["rows"]
        assert set(own) == {
            "problem",
            "solver",
            "kind",
            "seconds",
            "timed",
            "batch",
            "repeats",
            "kkt",
            "solved",
            "iterations",
            "note",
            "valid",
            "ratio to fast",
            "certifying",
        }
        assert own["valid"]
        assert own["kkt"] <= KKT
        assert own["note"] == f"{B} OPTIMAL"
        assert own["certifying"] > 0
        assert osqp["valid"]
        assert not bad["valid"]
        assert floor["kkt"] is None
        assert floor["seconds"] > 0
    assert list(record["total"]) == [
        "fast",
        "best per-signal solvers",
        "Algorithms 5 and 2 as printed",
        "Algorithms 5 and 2, rho = 1",
        "GEMM floor",
    ]
    fast_total = sum(problem["rows"][0]["seconds"] for problem in record["problems"])
    assert record["total"]["fast"] == {"seconds": pytest.approx(fast_total), "ratio to fast": 1.0}
    grown = record["scaling"]
    assert [(entry["problem"], entry["batch"]) for entry in grown["batches"]] == [
        (name, k) for name in ("last layer", "midlayer", "latent") for k in (1, 8)
    ]
    assert [w["sizes"] for w in grown["widths"]] == [
        [3, 3, 12, 60],
        [3, 6, 24, 60],
        [3, 12, 48, 60],
    ]
    assert [problem["rows"][0]["batch"] for problem in grown["one signal"]] == [1, 1, 1]


def test_bench_of_a_stored_generator(run, monkeypatch, tmp_path):
    monkeypatch.setattr(rivals, "RIVALS", ())
    G = gaussian((3, 6, 24, 60), seed=2)
    cvxinv.Generator(G.weights, [0.01 * np.ones(len(W)) for W in G.weights], "tanh").save(
        "g.safetensors"
    )
    code, out, err = run(
        "--generator",
        "g.safetensors",
        "--batch",
        B,
        "--repeats",
        1,
        "--json",
        "b.json",
        "--dtype",
        "float64",
    )
    assert (code, err) == (0, "")
    assert "Tanh" in out
    record = json.loads((tmp_path / "b.json").read_text())
    assert record["scaling"] is None
    assert record["total"]["best per-signal solvers"] == {"seconds": None, "ratio to fast": None}
    assert all(problem["rows"][0]["valid"] for problem in record["problems"])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--sizes", "3-x-4"), "--sizes"),
        (("--sizes", "3-4"), "at least three"),
        (("--condition", "0.5"), "--condition"),
        (("--generator", "mnist", "--condition", "10"), "--generator"),
        (("--generator", "absent"), "absent"),
        (("--device", "tpu"), "--device"),
        (("--json", "no/such/folder.json"), "folder"),
        (("--scaling", "--out", "no/such/folder.png"), "folder"),
        (("--batch", "0"), "--batch"),
    ],
)
def test_bad_options(run, options, word):
    code, _, err = run(*options)
    assert code == 2
    assert err.startswith("cvxinv: ")
    assert err.count("\n") == 1
    assert word in err


@pytest.mark.gpu
def test_bench_on_cuda(run, monkeypatch):
    monkeypatch.setattr(rivals, "RIVALS", rivals.RIVALS[4:5])
    code, out, _ = run(
        "--sizes", "-".join(map(str, SIZES)), "--batch", B, "--repeats", 1, "--device", "cuda"
    )
    assert code == 0
    assert "OSQP" in out
