"""`cvxinv invert`: results, pictures, and one clear line for every mistake."""

import pickle

import numpy as np
import pytest
import torch

import cvxinv
from tests.support.shell import SIZES, complains


def test_invert_writes_what_the_pursuit_finds(run, G, latent):
    y = G(latent)
    np.savez("y.npz", y=y, other=latent)
    code, out, err = run(
        "invert", "g.safetensors", "y.npz", "--method", "latent-pursuit", "--out", "result.npz"
    )
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
        ["--method", "latent-pursuit", "--no-debias", "--gamma", "0", "--solver", "OSQP"],
        ["--method", "latent-pursuit", "--lam", "0", "--solver", "CLARABEL", "--jobs", "2"],
        ["--noise", "0.01", "--starts", "2", "--seed", "1"],
        ["--noise", "1e-6", "--prior", "1"],
        ["--solver", "CLARABEL", "--jobs", "1"],
    ],
)
def test_methods_and_options(run, G, latent, options):
    np.save("y.npy", G(latent[0]))  # a single signal
    code, _, _ = run("invert", "g.safetensors", "y.npy", *options)
    assert code == 0
    with np.load("inversion.npz") as found:
        np.testing.assert_allclose(found["z"], latent[:1], atol=1e-5)


@pytest.mark.parametrize("method", ["latent-pursuit", "invert"])
def test_where_and_how_it_is_computed(run, G, latent, method):
    np.save("y.npy", G(latent))
    before = torch.get_num_threads()
    options = ("--method", method, "--device", "cpu", "--dtype", "float32", "--threads", before + 1)
    try:
        code, _, _ = run("invert", "g.safetensors", "y.npy", *options)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
    assert code == 0
    with np.load("inversion.npz") as found:
        assert found["z"].dtype == np.float32
        np.testing.assert_allclose(found["z"][[0, 3]], latent[[0, 3]], atol=1e-3)


@pytest.mark.gpu
def test_on_a_gpu(run, G, latent):
    np.save("y.npy", G(latent))
    np.save("mask.npy", np.arange(SIZES[-1]) > 2)
    options = ("--mask", "mask.npy", "--device", "cuda")
    assert run("invert", "g.safetensors", "y.npy", *options)[0] == 0
    with np.load("inversion.npz") as found:
        np.testing.assert_allclose(found["z"][[0, 3]], latent[[0, 3]], atol=1e-7)


@pytest.mark.parametrize("method", ["latent-pursuit", "invert"])
def test_hidden_pixels_nan_and_zero_signals(run, G, latent, method):
    y = G(latent)
    seen = np.random.default_rng(0).random(y.shape) > 0.2
    y[~seen] = np.nan
    y[1] = 0
    y[2, np.flatnonzero(seen[2])[0]] = np.nan
    np.save("y.npy", y)
    np.save("mask.npy", seen)
    code, out, _ = run("invert", "g.safetensors", "y.npy", "--mask", "mask.npy", "--method", method)
    assert code == 0
    assert "NONFINITE" in out
    with np.load("inversion.npz") as found:
        expected = ["OPTIMAL", "NOT_IDENTIFIABLE", "NONFINITE", "OPTIMAL"]
        assert found["status"].tolist() == expected
        np.testing.assert_allclose(found["z"][[0, 3]], latent[[0, 3]], atol=1e-7)


def test_invert_writes_and_tells_how_sure_it_is(run, G, latent):
    y = G(latent) + 0.05 * np.random.default_rng(0).standard_normal((4, SIZES[-1]))
    np.save("y.npy", y)
    code, out, err = run(
        "invert",
        "g.safetensors",
        "y.npy",
        "--noise",
        "0.05",
        "--picture",
        "p.png",
        "--shape",
        "5x6",
    )
    assert (code, err) == (0, "")
    for word in (
        "STATIONARY",
        "better ones may exist",
        "error bar",
        "agreement",
        "4 of 4 are not reproduced",
        "p.png",
    ):
        assert word in out
    assert (run.folder / "p.png").read_bytes().startswith(b"\x89PNG")
    expected = cvxinv.invert(G, y, noise=0.05)
    with np.load("inversion.npz", allow_pickle=False) as found:
        assert found["method"] == "invert"
        np.testing.assert_array_equal(found["identifiable"], True)
        for name in (
            "z",
            "objective",
            "residual",
            "noise",
            "covariance",
            "standard_error",
            "condition",
            "agreement",
        ):
            np.testing.assert_allclose(found[name], getattr(expected, name), err_msg=name)
        assert (np.abs(found["z"] - latent) < 5 * found["standard_error"]).all()


@pytest.mark.parametrize("method", ["invert", "latent-pursuit"])
def test_not_one_signal_inverted_is_a_failure(run, G, method):
    """A file with its bytes swapped, say."""
    np.save("y.npy", np.full((2, SIZES[-1]), 1e200))
    code, out, _ = run("invert", "g.safetensors", "y.npy", "--method", method)
    assert code == 1
    assert "no signal was inverted" in out
    assert "2 of 2 are not reproduced" in out
    with np.load("inversion.npz") as found:
        assert set(found["status"]) <= {"MAX_ITER", "NOT_IDENTIFIABLE"}


def test_many_signals_are_reported_by_quantiles(run, G):
    np.save("y.npy", G(np.random.default_rng(5).standard_normal((9, SIZES[0]))))
    code, out, _ = run("invert", "g.safetensors", "y.npy")
    assert code == 0
    assert "median" in out
    assert "largest" in out


def test_picture_of_a_pursuit_with_hidden_pixels(run, G, latent):
    np.save("y.npy", G(latent))
    np.save("mask.npy", np.arange(SIZES[-1]) > 2)
    options = (
        "--method",
        "latent-pursuit",
        "--mask",
        "mask.npy",
        "--picture",
        "p.png",
        "--shape",
        "5x6",
    )
    assert run("invert", "g.safetensors", "y.npy", *options)[0] == 0
    assert (run.folder / "p.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--method", "latent-pursuit", "--noise", "0.1"], "--noise does not apply"),
        (["--method", "latent-pursuit", "--starts", "3"], "--starts does not apply"),
        (["--method", "layered-basis-pursuit", "--prior", "1"], "--prior does not apply"),
        (["--method", "linear-programming", "--seed", "1"], "--seed does not apply"),
        (["--lam", "0"], "--lam does not apply to invert"),
        (["--debias"], "--debias does not apply to invert"),
        (["--noise", "-1"], "noise: expected a finite number >= 0"),
        (["--starts", "-1"], "--starts"),
        (["--seed", "-1"], "--seed"),
        (["--prior", "1"], "--prior: needs --noise"),
        (["--prior", "0", "--noise", "1"], "prior"),
        (["--jobs", "2"], "--solver"),
        (["--shape", "5x6"], "--shape: needs --picture"),
        (["--picture", "p.png"], "30 pixels are no square"),
        (["--picture", "p.png", "--shape", "4x6"], "H times W = 30"),
        (["--picture", "p.png", "--shape", "wide"], "'wide'"),
        (["--picture", "no/such/p.png", "--shape", "5x6"], "folder"),
        (
            ["--picture", "p.foo", "--shape", "5x6"],
            "p.foo: expected a picture that ends in one of .avif",
        ),
        (["--method", "linear-programming", "--lam", "1"], "--lam does not apply"),
        (["--method", "latent-pursuit", "--lam", "few"], "--lam"),
        (["--method", "latent-pursuit", "--lam", "theorem3"], "theorem3"),
        (["--method", "latent-pursuit", "--lam", "1,2,3"], "one per layer"),
        (["--method", "latent-pursuit", "--gamma", "-1"], "gamma"),
        (["--jobs", "0"], "--jobs"),
        (["--solver", "GUROBI"], "--solver"),
        (["--device", "tpu"], "--device: expected cpu or cuda"),
        (["--device", "cuda", "--solver", "OSQP"], "--device: CVXPY computes on the CPU"),
        (["--dtype", "float16"], "--dtype"),
        (["--threads", "0"], "--threads"),
        (["--method", "latent-pursuit", "--jobs", "2"], "--jobs: these are processes of CVXPY"),
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
    np.save("halves.npy", np.zeros((2, SIZES[-1]), dtype=np.float16))
    complains(run("invert", "g.safetensors", "halves.npy"), "halves.npy", "float16")
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


def test_notes_are_printed_and_kept(run, latent):
    rng = np.random.default_rng(0)
    G = cvxinv.Generator(
        [rng.standard_normal((12, 3)), rng.standard_normal((30, 12))], None, "tanh"
    )
    G.save("tanh.safetensors")
    y = G(latent)
    y[1:] *= 255
    np.save("y.npy", np.concatenate([y, *[y[1:]] * 3]))
    code, out, _ = run("invert", "tanh.safetensors", "y.npy")
    assert code == 0
    flat = " ".join(out.split())
    assert "signal 1: y lies outside [-1, 1], the range of tanh, at " in flat
    assert "and so on: notes on 12 of 13 signals are in the file" in flat
    with np.load("inversion.npz") as found:
        assert found["notes"][0] == ""
        assert found["notes"][1].startswith("y lies outside")
