"""The command line: results, exit codes, and one clear line for every mistake."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import cvxinv
from cvxinv import cli, draw, problem_file

SIZES = (3, 8, 16, 30)


@pytest.fixture
def G(tmp_path):
    rng = np.random.default_rng(0)
    G = cvxinv.Generator([rng.standard_normal(shape) for shape in zip(SIZES[1:], SIZES[:-1], strict=True)])
    G.save(tmp_path / "g.safetensors")
    return G


@pytest.fixture
def latent():
    return np.random.default_rng(3).standard_normal((4, SIZES[0]))


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments):
        code = cli.main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def complains(answer, *words):
    code, _, err = answer
    assert code == 2
    assert err.startswith("cvxinv: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def mid_layer(B=2):
    rng = np.random.default_rng(1)
    W = rng.standard_normal((12, 5))
    x = np.maximum(rng.standard_normal((B, 5)), 0)
    return cvxinv.MidLayer(W, np.maximum(x @ W.T, 0), lam=0.1)


# -- invert -----------------------------------------------------------------------------------------------------------


def test_invert_writes_what_the_pursuit_finds(run, G, latent):
    y = G(latent)
    np.savez("y.npz", y=y, other=latent)
    code, out, err = run("invert", "g.safetensors", "y.npz", "--out", "result.npz")
    assert (code, err) == (0, "")
    assert "4/4" in out
    assert "result.npz" in out
    with np.load("result.npz", allow_pickle=False) as found:
        np.testing.assert_allclose(found["z"], latent, atol=1e-8)
        np.testing.assert_allclose(found["signal"], y, atol=1e-8)
        assert found["residual"].max() < 1e-8
        assert found["status"].tolist() == ["OPTIMAL"] * 4
        assert found["kkt"].shape == (4, 3)
        assert found["kkt"].max() < 1e-8
        for i, (x, S) in enumerate(zip(G.layers(latent), G.supports(latent), strict=True), start=1):
            np.testing.assert_allclose(found[f"layer_{i}"], x, atol=1e-7)
            np.testing.assert_array_equal(found[f"support_{i}"], S)


@pytest.mark.parametrize(
    "options",
    [
        ["--method", "layered-basis-pursuit", "--lam", "0,0", "--debias"],
        ["--method", "layered-basis-pursuit", "--lam", "theorem3", "--noise", "0"],
        ["--method", "linear-programming", "--noise", "1e-7"],
        ["--no-debias", "--gamma", "0", "--solver", "OSQP"],
        ["--lam", "0", "--jobs", "2"],
    ],
)
def test_methods_and_options(run, G, latent, options):
    np.save("y.npy", G(latent[0]))  # a single signal
    code, _, _ = run("invert", "g.safetensors", "y.npy", *options)
    assert code == 0
    with np.load("inversion.npz") as found:
        np.testing.assert_allclose(found["z"], latent[:1], atol=1e-5)


def test_hidden_pixels_nan_and_zero_signals(run, G, latent):
    y = G(latent)
    seen = np.random.default_rng(0).random(y.shape) > 0.2
    y[~seen] = np.nan
    y[1] = 0
    y[2, np.flatnonzero(seen[2])[0]] = np.nan
    np.save("y.npy", y)
    np.save("mask.npy", seen)
    code, out, _ = run("invert", "g.safetensors", "y.npy", "--mask", "mask.npy")
    assert code == 0
    assert "1 NONFINITE" in out
    with np.load("inversion.npz") as found:
        assert found["status"].tolist() == ["OPTIMAL", "OPTIMAL", "NONFINITE", "OPTIMAL"]
        np.testing.assert_allclose(found["z"][[0, 3]], latent[[0, 3]], atol=1e-7)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--noise", "0.1"], "--noise does not apply"),
        (["--method", "linear-programming", "--lam", "1"], "--lam does not apply"),
        (["--lam", "few"], "--lam"),
        (["--lam", "theorem3"], "theorem3"),
        (["--lam", "1,2,3"], "one per layer"),
        (["--gamma", "-1"], "gamma"),
        (["--jobs", "0"], "--jobs"),
        (["--solver", "GUROBI"], "--solver"),
        (["--method", "guess"], "--method"),
        (["--out", "no/such/folder.npz"], "folder"),
        (["--mask", "absent.npy"], "absent.npy"),
        (["--mask", "y.npy"], "boolean"),
    ],
)
def test_invert_refuses_bad_options(run, G, latent, options, word):
    np.save("y.npy", G(latent))
    complains(run("invert", "g.safetensors", "y.npy", *options), word)


def test_bad_signals(run, G, latent, tmp_path):
    np.save("wide.npy", np.zeros((2, SIZES[-1] + 1)))
    complains(run("invert", "g.safetensors", "wide.npy"), "wide.npy", "(2, 31)")
    np.save("ints.npy", np.zeros((2, SIZES[-1]), dtype=int))
    complains(run("invert", "g.safetensors", "ints.npy"), "ints.npy", "int64")
    np.save("pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    complains(run("invert", "g.safetensors", "pickled.npy"), "pickled.npy", "pickle")
    (tmp_path / "raw.npy").write_bytes(pickle.dumps([1, 2]))
    complains(run("invert", "g.safetensors", "raw.npy"), "raw.npy")
    (tmp_path / "empty.npy").write_bytes(b"")
    complains(run("invert", "g.safetensors", "empty.npy"), "empty.npy")
    complains(run("invert", "g.safetensors", "absent.npy"), "absent.npy", "No such file")
    complains(run("invert", "g.safetensors", tmp_path))
    np.savez("two.npz", a=G(latent), b=G(latent))
    complains(run("invert", "g.safetensors", "two.npz"), "found a, b")
    np.savez("whole.npz", y=G(latent))
    whole = (tmp_path / "whole.npz").read_bytes()
    for length in (10, len(whole) // 2, len(whole) - 5):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        complains(run("invert", "g.safetensors", "cut.npz"), "cut.npz")


@pytest.mark.parametrize("length", [0, 5, 200, -1])
def test_truncated_generator(run, G, latent, tmp_path, length):
    np.save("y.npy", G(latent))
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "g.safetensors").read_bytes()[:length])
    complains(run("invert", "cut.safetensors", "y.npy"), "cut.safetensors")
    complains(run("check", "cut.safetensors"), "cut.safetensors")


def test_usage_errors(run):
    complains(run("invert"), "generator")
    complains(run("nothing"), "nothing")
    complains(run("check", "absent.safetensors"), "absent.safetensors")
    complains(run("demo", "--signals", "0"), "--signals")


# -- verify ---------------------------------------------------------------------------------------------------------


def test_verify_exit_codes(run):
    problem = mid_layer()
    problem_file.save(problem, "problem.npz")
    sol = cvxinv.reference.solve(problem)
    np.savez("x.npz", x=sol.x, dual=sol.dual)
    np.save("x.npy", sol.x)
    np.save("wrong.npy", sol.x + 0.1)
    np.save("shape.npy", sol.x[:, 1:])
    np.savez("names.npz", a=sol.x, b=sol.x)
    np.save("nan.npy", np.full_like(sol.x, np.nan))
    code, out, err = run("verify", "problem.npz", "x.npz")
    assert (code, err) == (0, "")
    assert "2 of 2 optimal" in out
    assert run("verify", "problem.npz", "x.npy")[0] == 0
    assert run("verify", "problem.npz", "wrong.npy")[0] == 1
    assert run("verify", "problem.npz", "wrong.npy", "--tol", "10")[0] == 0
    assert run("verify", "problem.npz", "nan.npy")[0] == 1
    complains(run("verify", "problem.npz", "shape.npy"), "x: expected shape")
    complains(run("verify", "problem.npz", "names.npz"), "'x'")
    complains(run("verify", "absent.npz", "x.npy"), "absent.npz")
    complains(run("verify", "x.npz", "x.npy"), "x.npz", "`problem`")
    complains(run("verify", "problem.npz", "x.npy", "--tol", "0"), "--tol")


def test_stationary_is_not_proven_optimal(run):
    W = np.eye(3)
    problem_file.save(cvxinv.LastLayer(W, np.tanh([0.5, 1.0, 0.2]), "tanh"), "problem.npz")
    np.save("x.npy", np.array([0.5, 1.0, 0.2]))
    code, out, _ = run("verify", "problem.npz", "x.npy")
    assert code == 1
    assert "1 stationary, but not proven optimal" in out


# -- check ------------------------------------------------------------------------------------------------------------


def test_check(run, G, latent):
    code, out, err = run("check", "g.safetensors", "--samples", "5")
    assert (code, err) == (0, "")
    for word in ("3-8-16-30", "Identity", "30 x 16", "5 latent samples", "W_1[S_2, S_1]", "Theorem 2"):
        assert word in out
    np.save("y.npy", G(latent))
    np.save("mask.npy", np.arange(SIZES[-1]) > 2)
    code, out, _ = run("check", "g.safetensors", "y.npy", "--mask", "mask.npy")
    assert code == 0
    assert "4 signals" in out


def test_check_reports_uniqueness(run, G):
    code, out, err = run("check", "g.safetensors", "--samples", "5", "--plot", "conditions.png")
    assert (code, err) == (0, "")
    for word in (
        "Uniqueness of z, 5 signals",
        "spark(W_1[S_2])/2",
        "rank(W_0[S_1]) = n_0",
        "HOLDS",
        "FAILS",
        "UNDECIDED",
        "e.g. signal",
        "conditions.png",
    ):
        assert word in out
    assert os.path.getsize("conditions.png") > 0
    assert "only z gives the signal" in out
    complains(run("check", "g.safetensors", "--plot", "no/such/folder.png"), "folder")


@pytest.mark.parametrize("lost", [1, 4])
def test_check_leaves_out_what_was_not_solved(run, G, latent, lost):
    y = G(latent)
    y[:lost, 0] = np.nan
    np.save("y.npy", y)
    code, out, err = run("check", "g.safetensors", "y.npy", "--plot", "conditions.png")
    assert (code, err) == (0, "")
    assert f"{lost} of 4 signals were not solved" in out
    assert f"Uniqueness of z, {4 - lost} signals" in out


def test_check_of_dead_and_singular_layers(run):
    cvxinv.Generator([np.zeros((4, 2)), np.ones((5, 4))]).save("dead.safetensors")
    code, out, _ = run("check", "dead.safetensors", "--samples", "3")
    assert code == 0
    assert "0 of 3" in out


# -- demo, start-up ---------------------------------------------------------------------------------------------------


def test_demo(run, tmp_path):
    code, out, err = run("demo", "--signals", "1", "--jobs", "1", "--out", "demo.png", "--json", "demo.json")
    assert (code, err) == (0, "")
    assert str(tmp_path / "demo.png") in out
    for word in ("clean", "random mask", "half mask", "x_2", "G(z)", "1/1"):
        assert word in out
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert '"half mask"' in (tmp_path / "demo.json").read_text()
    complains(run("demo", "--out", "no/such/folder.png"), "folder")


def test_pictures_of_exact_and_lost_signals(tmp_path):
    images = np.array([[np.nan, 0.0, 1.0, -1.0], [0.0, 0.0, 0.0, 0.0]])
    panel = draw.Panel("two", images, images > 0, images, np.array([np.nan, np.inf]))
    draw.panels(tmp_path / "p.png", [panel], (2, 2), dpi=20)
    assert (tmp_path / "p.png").stat().st_size > 0
    assert [draw.decibels(v) for v in (np.nan, np.inf, 3.2)] == ["no answer", "exact", "3 dB"]


def test_help_is_light():
    script = """
import sys
from cvxinv.cli import main
main(["--help"])
print([m for m in ("cvxpy", "torch", "matplotlib") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
    for command in ("demo", "invert", "verify", "check", "bench"):
        assert command in done.stdout


def test_as_a_module(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cvxinv", "check", "absent"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "cvxinv: absent: no such file\n")
