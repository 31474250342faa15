"""`cvxinv bench`: the table and the JSON that it leaves."""

import json
import os
from pathlib import Path

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

STORED = Path(__file__).parents[2] / "validation/results/bench_gaussian.json"
OSQP = Rival("OSQP", "osqp", one_by_one(rivals.osqp))


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = cli.main(["bench", "--threads", os.environ["OMP_NUM_THREADS"], *map(str, arguments)])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def size(**others):
    """Options of a run of a second."""
    options = {"sizes": "-".join(map(str, SIZES)), "batch": B, "repeats": 2, "rival-signals": 2}
    options |= {"processes": 1, "seed": 0, "max-iter": 100} | others
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def test_bench(run, monkeypatch, tmp_path):
    absent = Rival("absent", "no_such_module", wrong)
    monkeypatch.setattr(rivals, "RIVALS", (OSQP, Rival("wrong", "numpy", wrong), absent))
    code, out, err = run(
        *size(processes=2, **{"max-iter": 20_000}),
        *("--seed", 3, "--scaling", "--largest-batch", 8, "--json", "b.json", "--out", "b.png"),
    )
    assert (code, err) == (0, "")
    for word in (
        "3-6-24-60",
        "seeds 0 / 3",
        "in processes",
        "first call of fast",
        "last layer",
        "midlayer",
        "latent",
        "OSQP",
        "OSQP, 2 processes",
        "best",
        "2 timed, scaled",
        "Algorithm 2, rho = 1",
        "GEMM floor",
        "all",
    ):
        assert word in out
    assert out.index("in processes") < out.index("Seed 0") < out.index("Seed 3")
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
        "summary",
        "seeds",
        "scaling",
    }
    assert {"python", "cvxinv", "torch", "numpy", "osqp"} <= set(record["versions"])
    assert record["not installed"] == ["absent"]
    assert record["settings"]["tolerance"] == KKT
    names = ["last layer", "midlayer", "latent"]
    assert [line["problem"] for line in record["summary"]] == [*names, "all"]
    assert [seed["seed"] for seed in record["seeds"]] == record["settings"]["seeds"] == [0, 3]
    for seed in record["seeds"]:
        check_seed(seed, first=seed["seed"] == 0)
    ratios = [seed["total"]["best per-signal solvers"]["ratio to fast"] for seed in record["seeds"]]
    assert record["summary"][-1]["ratio"] == ratios
    grown = record["scaling"]
    assert [(entry["problem"], entry["batch"]) for entry in grown["batches"]] == [
        (name, k) for name in names for k in (1, 8)
    ]
    assert [w["sizes"] for w in grown["widths"]] == [
        [3, 3, 12, 60],
        [3, 6, 24, 60],
        [3, 12, 48, 60],
    ]
    assert [problem["rows"][0]["batch"] for problem in grown["one signal"]] == [1, 1, 1]


def check_seed(seed, first):
    solvers = [[entry["solver"] for entry in problem["rows"]] for problem in seed["problems"]]
    raced = ["fast", "OSQP", "wrong", "OSQP, 2 processes"]
    printed = ["Algorithm 2, rho = 0.01", "Algorithm 2, rho = 1"]
    assert solvers[0] == [*raced, "Algorithm 5 (FISTA)", "GEMM floor"]
    assert solvers[1] == solvers[2] == [*raced, *printed, "GEMM floor"]
    assert [problem["best per-signal solver"] for problem in seed["problems"]] == ["OSQP"] * 3
    for problem in seed["problems"]:
        own, osqp, bad, team, *_, floor = problem["rows"]
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
            "times",
            "on_device",
            "first_call",
        }
        assert own["valid"]
        assert own["kkt"] <= KKT
        assert own["note"] == f"{B} OPTIMAL"
        assert own["certifying"] > 0
        assert own["on_device"] is None
        assert (own["first_call"] is not None) is first
        assert osqp["valid"]
        assert team["valid"]
        for row in (osqp, team):
            pairs = zip(row["times"], own["times"], strict=True)
            assert row["ratio to fast"] == pytest.approx(np.median([a / b for a, b in pairs]))
        assert not bad["valid"]
        assert floor["kkt"] is None
        assert floor["seconds"] > 0
    assert list(seed["total"]) == [
        "fast",
        "best per-signal solvers",
        "best per-signal solvers in processes",
        "Algorithms 5 and 2 as printed",
        "Algorithms 5 and 2, rho = 1",
        "GEMM floor",
    ]
    fast_total = sum(problem["rows"][0]["seconds"] for problem in seed["problems"])
    assert seed["total"]["fast"] == {"seconds": pytest.approx(fast_total), "ratio to fast": 1.0}


def test_a_run_is_compared_with_an_older_one(run, monkeypatch, tmp_path):
    monkeypatch.setattr(rivals, "RIVALS", (OSQP,))
    assert run(*size(), "--json", "b.json")[0] == 0
    for factor, code in ((100, 0), (0.01, 1)):  # that fast took then
        record = json.loads((tmp_path / "b.json").read_text())
        for problem in record["seeds"][0]["problems"]:
            own = problem["rows"][0]
            own["seconds"] *= factor
            own["times"] = [factor * t for t in own["times"]]
        (tmp_path / "old.json").write_text(json.dumps(record))
        found, out, err = run(*size(), "--compare", "old.json", "--json", "new.json")
        assert (found, err) == (code, "")
        assert ("REGRESSION, " in out) is bool(code)
        assert (tmp_path / "new.json").exists()
        (tmp_path / "new.json").unlink()


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
    assert [seed["seed"] for seed in record["seeds"]] == [0, 1]
    for seed in record["seeds"]:
        assert seed["total"]["best per-signal solvers"] == {"seconds": None, "ratio to fast": None}
        assert all(problem["rows"][0]["valid"] for problem in seed["problems"])


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
        (("--seed", "-1"), "--seed"),
        (("--compare", "absent.json"), "absent.json"),
        (("--compare", __file__), "expected a file that `cvxinv bench --json` wrote"),
        (("--compare", STORED, "--batch", "8"), "batch 512 then, 8 now"),
        (("--compare", STORED, "--threads", "2", "--seed", "7"), "no seed in common"),
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
    monkeypatch.setattr(rivals, "RIVALS", (OSQP,))
    code, out, _ = run(*size(repeats=1, device="cuda"))
    assert code == 0
    assert "OSQP" in out
    assert "between CUDA events" in out
