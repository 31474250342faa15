"""`cvxinv bench`: its instances, that rivals are never trusted and never crash a run, and the table
and JSON it leaves.
"""

import json
import os

import numpy as np
import pytest

import cvxinv
import fast
from cvxinv import cli, reference
from cvxinv.bench import measure, rivals
from cvxinv.bench.gram import Answer, one_by_one, programs
from cvxinv.bench.instances import Case, cases, gaussian
from cvxinv.bench.measure import Kind, Row
from cvxinv.bench.rivals import Rival
from tests.support.tolerances import KKT, OPTIMAL

torch = pytest.importorskip("torch")
SIZES, B = (3, 6, 24, 60), 4


def reference_solve(problem, tol=KKT, max_iter=None, method="auto", rho=None):
    return reference.solve(problem, "CLARABEL" if problem.convex else None)


@pytest.fixture
def backend(monkeypatch):
    if not hasattr(fast, "solve"):
        monkeypatch.setattr(fast, "solve", reference_solve, raising=False)


def make(sizes=SIZES, batch=B, **options):
    return cases(gaussian(sizes), batch, dtype=torch.float64, **options)


def quadratic(case):
    return measure.in_numpy(case.problem.quadratic())


def wrong(q):
    return Answer(np.ones((q.size, q.W.shape[1])))


def right(q):
    """What quadprog finds, without quadprog: x of the reference, one signal at a time."""
    found = reference.solve(cvxinv.LastLayer(q.W, q.t, lam=float(q.lam[0, 0])))
    return Answer(found.x)


# -- instances -------------------------------------------------------------------------------------


def test_gaussian_weights():
    G = gaussian((20, 100, 400))
    assert G.sizes == (20, 100, 400)
    assert G.biases is None
    for W in G.weights:
        assert W.std() * np.sqrt(len(W)) == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(G.weights[0], gaussian((20, 100, 400)).weights[0])
    assert not np.array_equal(G.weights[0], gaussian((20, 100, 400), seed=1).weights[0])


@pytest.mark.parametrize("condition", [1.0, 100.0])
def test_conditioned_weights(condition):
    for W, drawn in zip(
        gaussian(SIZES, 0, condition).weights, gaussian(SIZES).weights, strict=True
    ):
        values = np.linalg.svd(W, compute_uv=False)
        assert values[0] == pytest.approx(np.linalg.norm(drawn, 2))
        assert values[0] / values[-1] == pytest.approx(condition)
        np.testing.assert_allclose(
            np.diff(np.log(values)), np.log(1 / condition) / (len(values) - 1), atol=1e-10
        )


@pytest.mark.parametrize(
    "G",
    [gaussian(SIZES), gaussian((3, 6, 8, 24, 60)), cvxinv.mnist_generator()],
    ids=["three", "four", "mnist"],
)
def test_without_noise_the_data_are_the_layers(G):
    """Each problem's data are what the layer before computes from its own: the true layers, on
    their supports.
    """
    last, *middle, latent = cases(G, B, 0.0, dtype=torch.float64)
    names = ["midlayer"] if G.depth == 2 else [f"midlayer x_{i}" for i in range(G.depth - 1, 0, -1)]
    assert [c.name for c in (last, *middle, latent)] == ["last layer", *names, "latent"]
    chain = [latent.problem, *(case.problem for case in reversed(middle))]
    for before, after in zip(chain, [*chain[1:], last.problem], strict=True):
        t = before.x_next @ after.W.T + (0 if after.bias is None else after.bias)
        if after is last.problem:
            torch.testing.assert_close(after.y, t)
        else:
            torch.testing.assert_close(after.x_next, t.clamp(min=0))
            assert torch.equal(after.support, t > 0)
    for i, problem in enumerate([*chain, last.problem]):
        assert tuple(problem.W.shape) == G.weights[i].shape


def test_noise_is_relative_and_on_the_support():
    clean, noisy = make(batch=200, noise=0.0), make(batch=200, noise=0.05)
    for a, b in zip(clean, noisy, strict=True):
        a, b, rows = a.problem.data, b.problem.data, a.problem.quadratic().rows
        assert torch.equal(a[~rows], b[~rows])
        ratio = (b - a).square().sum(1).sqrt() / a.square().sum(1).sqrt()
        assert float(ratio[torch.isfinite(ratio)].median()) == pytest.approx(0.05, rel=0.2)


def test_the_first_signals_of_a_case():
    for case in make():
        few = case.head(2)
        assert (case.batch, few.batch, few.name) == (B, 2, case.name)
        assert torch.equal(few.problem.data, case.problem.data[:2])
        assert torch.equal(few.problem.quadratic().rows, case.problem.quadratic().rows[:2])


# -- rivals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rival", rivals.RIVALS, ids=lambda r: r.name)
@pytest.mark.parametrize("position", range(3), ids=["last layer", "midlayer", "latent"])
@pytest.mark.parametrize("condition", [None, 30.0])
def test_rivals_solve_or_say_so(rival, position, condition):
    pytest.importorskip(rival.module)
    case = cases(gaussian(SIZES, 0, condition), B, dtype=torch.float64)[position]
    q = quadratic(case)
    if not rival.applies(q):
        assert rival.last_layer_only
        return
    answer = rival.solve(q)
    assert answer.x.shape == (B, case.problem.W.shape[1])
    kkt = cvxinv.verify(case.problem, answer.x, answer.dual).kkt.numpy()
    failed = np.isnan(answer.x).any(axis=1)
    assert not failed.any() or answer.note
    assert kkt[~failed].max(initial=0) <= OPTIMAL


def test_gram_forms():
    """The Gram matrices formed one by one and all at once are the same, and the shared one is
    shared.
    """
    last, mid, latent = make((3, 40, 60, 90))
    shared = list(programs(quadratic(last)))
    assert all(p.H is shared[0].H and p.shared for p in shared)
    for case in (mid, latent):  # 40 unknowns and 3
        q = quadratic(case)
        for b, p in enumerate(programs(q)):
            A = q.W[q.rows[b]]
            np.testing.assert_allclose(p.H, A.T @ A + q.gamma * np.eye(len(p.H)), atol=1e-12)
            np.testing.assert_allclose(p.f, q.lam[b] - A.T @ q.t[b][q.rows[b]], atol=1e-12)
            np.testing.assert_array_equal(p.C, q.W[~q.rows[b]])
            assert not p.shared


def test_a_signal_that_fails_does_not_spoil_the_others():
    def start(q):
        calls = iter(range(q.size))

        def step(program):
            if next(calls) == 1:
                raise ValueError("no thanks")
            return np.zeros(len(program.f)), 0.0, 7

        return step

    answer = one_by_one(start)(quadratic(make()[1]))
    assert np.isnan(answer.x).any(axis=1).tolist() == [False, True, False, False]
    assert answer.note == "no thanks"
    assert answer.iterations.tolist() == [7, 0, 7, 7]


# -- the race --------------------------------------------------------------------------------------


def row(solver, seconds, kkt, solved=B, timed=B, kind=Kind.RIVAL):
    return Row("last layer", solver, kind, seconds, timed, B, 1, kkt, solved)


def test_the_best_rival_is_the_fastest_that_solved_everything():
    good, slow, bad, few = (
        row("good", 2, 1e-9),
        row("slow", 3, 1e-15),
        row("bad", 1, 1e-3, 2),
        row("few", 1.5, 1e-9, 2, 2),
    )
    assert measure.best([bad, slow, good]) is good
    assert measure.best([bad, few, slow]) is slow
    assert measure.best([bad, row("worse", 0.5, 1.0, 0)]) is bad
    assert measure.best([few]) is few
    assert measure.best([row("fast", 1, 0, kind=Kind.FAST)]) is None


def test_totals():
    first = [
        row("fast", 1, 0, kind=Kind.FAST),
        row("r", 10, 0),
        row("A5", 100, 0, kind=Kind.PRINTED),
    ]
    other = [*first, row("A2", 50, 0, kind=Kind.RHO_ONE)]
    expected = {Kind.FAST: 2, Kind.RIVAL: 20, Kind.PRINTED: 200, Kind.RHO_ONE: 150}
    assert {kind: measure.total([first, other], kind) for kind in expected} == expected
    assert np.isnan(measure.total([first, first[:1]], Kind.RIVAL))


def test_rivals_that_crash_or_lie_are_rows(backend, monkeypatch):
    def crash(q):
        raise MemoryError("too big")

    def early(q):  # right on few signals only
        return right(q) if q.size < B else wrong(q)

    field = {"crash": crash, "wrong": wrong, "early": early, "other early": early, "right": right}
    monkeypatch.setattr(
        rivals, "RIVALS", tuple(Rival(name, "numpy", solve) for name, solve in field.items())
    )
    said = []
    rows = measure.race(make()[0], KKT, 2, 2, said.append)
    own, found = rows[0], {r.solver: r for r in rows[1:]}
    assert own.kind is Kind.FAST
    assert own.valid
    assert found["crash"].note == "failed on 2 of 2: too big"
    assert (found["crash"].kkt, found["crash"].solved) == (np.inf, 0)
    assert not found["wrong"].valid
    assert (found["wrong"].timed, found["wrong"].batch) == (2, B)
    assert measure.best(rows).solver == "right"  # whichever came first on two signals
    assert (found["right"].timed, found["right"].repeats, found["right"].solved) == (B, 2, B)
    assert said


def test_a_race_without_rivals(backend, monkeypatch):
    monkeypatch.setattr(rivals, "RIVALS", (Rival("absent", "no_such_module", wrong),))
    (own,) = measure.race(make()[0], KKT, 1, 2, lambda text: None)
    assert own.kind is Kind.FAST


def test_lasso_needs_a_whole_last_layer():
    case = make()[0]
    masked = Case(
        "last layer", cvxinv.LastLayer(case.problem.W, case.problem.y, observed=case.problem.y > 0)
    )
    assert rivals.RIVALS[0].applies(quadratic(case))
    assert not rivals.RIVALS[0].applies(quadratic(masked))


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = cli.main(["bench", "--threads", os.environ["OMP_NUM_THREADS"], *map(str, arguments)])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_bench(run, backend, monkeypatch, tmp_path):
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


def test_bench_of_a_stored_generator(run, backend, monkeypatch, tmp_path):
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


def test_instances_are_torch_tensors_of_the_dtype():
    for case in cases(gaussian(SIZES), 2, dtype=torch.float32):
        assert case.problem.data.dtype == case.problem.W.dtype == torch.float32
