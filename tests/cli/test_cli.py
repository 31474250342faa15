"""The command line but for `invert`: results, exit codes, and one clear line for every mistake."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import cvxinv
from cvxinv.cli import pictures
from cvxinv.problems import file as problem_file
from tests.support.shell import SIZES, complains


def mid_layer(B=2):
    rng = np.random.default_rng(1)
    W = rng.standard_normal((12, 5))
    x = np.maximum(rng.standard_normal((B, 5)), 0)
    return cvxinv.MidLayer(W, np.maximum(x @ W.T, 0), lam=0.1)


def test_version(run):
    assert run("--version") == (0, f"cvxinv {cvxinv.__version__}\n", "")


# -- verify ----------------------------------------------------------------------------------------


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


# -- check -----------------------------------------------------------------------------------------


def test_check(run, G, latent):
    code, out, err = run("check", "g.safetensors", "--samples", "5")
    assert (code, err) == (0, "")
    for word in (
        "3-8-16-30",
        "Identity",
        "30 x 16",
        "5 latent samples",
        "W_1[S_2, S_1]",
        "Theorem 2",
    ):
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


# -- demo, start-up --------------------------------------------------------------------------------


def test_demo(run, tmp_path):
    code, out, err = run(
        "demo", "--signals", "1", "--jobs", "1", "--out", "demo.png", "--json", "demo.json"
    )
    assert (code, err) == (0, "")
    assert str(tmp_path / "demo.png") in out
    for word in ("GAN", "VAE", "clean", "random mask", "half mask", "x_2", "G(z)", "1/1"):
        assert word in out
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    generators = json.loads((tmp_path / "demo.json").read_text())["generators"]
    assert [*generators] == ["gan", "vae"]
    for name, depth in (("gan", 2), ("vae", 1)):
        settings = generators[name]["settings"]
        assert [*settings] == ["clean", "random mask", "half mask"]
        for setting in settings.values():
            assert len(setting["layers"]) == depth + 2  # z, x_1, .., G(z)
            assert setting["layers"]["z"]["snr dB"]["min"] > 200
    complains(run("demo", "--out", "no/such/folder.png"), "folder")
    complains(run("demo", "--out", "demo.txt"), "demo.txt", ".png")


def test_pictures_of_exact_and_lost_signals(tmp_path):
    images = np.array([[np.nan, 0.0, 1.0, -1.0], [0.0, 0.0, 0.0, 0.0]])
    panel = pictures.Panel("two", images, images > 0, images, np.array([np.nan, np.inf]))
    pictures.panels(tmp_path / "p.png", [[panel], [panel]], (2, 2), dpi=20)
    assert (tmp_path / "p.png").stat().st_size > 0
    assert [pictures.decibels(v) for v in (np.nan, np.inf, 3.2)] == ["no answer", "exact", "3 dB"]


def test_pictures_of_fits_without_an_answer(tmp_path):
    images, z = (
        np.array([[np.nan, 0.0, 1.0, -1.0], [np.nan] * 4]),
        np.array([[1.0, 2.0], [np.nan, np.nan]]),
    )
    error = np.array([[np.inf, 0.1], [np.nan, np.nan]])
    pictures.fit(
        tmp_path / "p.png",
        pictures.Fit(images, np.isfinite(images), images, z, error),
        (2, 2),
        dpi=20,
    )
    assert (tmp_path / "p.png").stat().st_size > 0


def test_help_is_light():
    script = """
import sys
from cvxinv.cli import main
main(["--help"])
print([m for m in ("cvxpy", "torch", "matplotlib") if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
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
