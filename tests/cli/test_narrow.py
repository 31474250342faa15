"""Every command on a narrow console, and its help."""

import io

import numpy as np
import pytest
from rich.console import Console

import cvxinv
from cvxinv.cli.common import show, table
from cvxinv.problems import file as problem_file
from tests.support.shell import SIZES

COMMANDS = ("demo", "convert", "invert", "verify", "check", "bench")


@pytest.fixture
def narrow(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    return run


def test_signals_keep_their_numbers(narrow, G, latent):
    np.save("y.npy", G(latent))
    code, out, _ = narrow("invert", "g.safetensors", "y.npy", "--noise", "0.01")
    assert code == 0
    for i in range(len(latent)):
        assert f"signal: {i}\n" in out
    assert out.count("error bar of z: ") == len(latent)
    assert "…" not in out


def test_verify_names_its_signals(narrow):
    problem = cvxinv.MidLayer(np.eye(3), np.ones((2, 3)))
    problem_file.save(problem, "p.npz")
    np.save("x.npy", np.ones((2, 3)))
    code, out, _ = narrow("verify", "p.npz", "x.npy")
    assert code == 0
    assert "signal: 1\n" in out
    assert out.count("verdict: optimal") == 2
    assert "…" not in out


@pytest.mark.parametrize("options", [["--samples", "3"], ["y.npy"]])
def test_check_loses_no_column(narrow, G, latent, options):
    np.save("y.npy", G(latent))
    code, out, _ = narrow("check", "g.safetensors", *options)
    assert code == 0
    assert f"shape: {SIZES[-1]} x {SIZES[-2]}\n" in out
    assert "matrix: W_1[S_2, S_1]\n" in out
    assert "…" not in out


def test_pursuits_fit(narrow, G, latent):
    np.save("y.npy", G(latent))
    out = narrow("invert", "g.safetensors", "y.npy", "--method", "latent-pursuit")[1]
    assert "OPTIMAL" in out
    assert "…" not in out


@pytest.mark.parametrize("width", [20, 30, 40, 80])
def test_no_cell_is_lost(width):
    out = table("a title", "name", "one", "two")
    out.add_row("first", "1.234567890e-10", r"W\[S]")
    out.add_row("", "-", "[green]good[/]")
    console = Console(file=io.StringIO(), width=width)
    show(console, out)
    text = console.file.getvalue()
    for word in ("a title", "name", "one", "two", "first", "1.234567890e-10", "W[S]", "good"):
        assert word in text


@pytest.mark.parametrize("command", COMMANDS)
def test_h_is_help(narrow, command):
    code, out, err = narrow(command, "-h")
    assert (code, err) == (0, "")
    assert f"cvxinv {command}" in out


def test_there_are_no_other_commands(run):
    out = run("-h")[1]
    for command in COMMANDS:
        assert f" {command} " in out
