"""How far long work is: what is told, what is shown, and that it changes nothing."""

import time
from functools import partial

import numpy as np
import pytest
import torch
from rich.console import Console

import cvxinv
import fast
from cvxinv import progress, reference
from cvxinv.progress import Display, Meter, automatic, meter, nothing
from tests.support.inversion import small

COUNT = 12
G, Z, Y = small("tanh", COUNT, noise=0.1)
LAYER = cvxinv.MidLayer(G.weights[1], G.layers(Z)[1])
SLOW = partial(fast.solve, method="linearized_admm", rho=1e-2, max_iter=300)
WORK = {
    "invert": partial(cvxinv.invert, G, Y, starts=3),
    "invert, noise known": partial(cvxinv.invert, G, Y, noise=0.1, starts=3),
    "invert, one": partial(cvxinv.invert, G, Y[0], starts=3),
    "hybrid": partial(cvxinv.hybrid, G, Y),
    "latent_pursuit": partial(cvxinv.latent_pursuit, G, Y),
    "latent_pursuit, printed": partial(cvxinv.latent_pursuit, G, Y, SLOW),
    "latent_pursuit, reference": partial(cvxinv.latent_pursuit, G, Y[:2], reference.solve),
    "noisy_pursuit": partial(cvxinv.noisy_pursuit, G, Y),
    "layered_basis_pursuit": partial(cvxinv.layered_basis_pursuit, G, Y, lam=0.0),
    "linear_programming": partial(cvxinv.linear_programming, G, Y[:3]),
    "oracle": partial(cvxinv.oracle, G, Y, G.supports(Z)),
    "fast.solve": partial(fast.solve, LAYER),
    "fast.solve, chunks": partial(fast.solve, LAYER, memory=1 << 15),
    "fast.solve, printed": partial(SLOW, LAYER),
    "reference.solve": partial(reference.solve, LAYER),
    "levenberg_marquardt": partial(fast.levenberg_marquardt, G, Y, starts=3),
    "gradient_descent": partial(fast.gradient_descent, G, Y, steps=500),
    "gradient_descent, search": partial(fast.gradient_descent, G, Y, steps=200, step="search"),
}


def points(found):
    return [getattr(found, name) for name in ("z", "x", "objective") if hasattr(found, name)]


class Told(list):
    def __call__(self, done, total):
        assert type(done) is type(total) is int
        self.append((done, total))


# -- every function --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WORK)
def test_progress_is_told_to_the_end_and_changes_no_number(name):
    told = Told()
    with_it, without = WORK[name](progress=told), WORK[name](progress=False)
    for a, b in zip(points(with_it), points(without), strict=True):
        if a is not None:
            np.testing.assert_array_equal(a, b)
    done, totals = zip(*told, strict=True)
    assert len(set(totals)) == 1
    assert all(np.diff(done) > 0)
    assert done[0] > 0
    assert done[-1] == totals[0]


@pytest.mark.parametrize("name", WORK)
def test_what_the_caller_raises_ends_the_work(name):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        WORK[name](progress=stop)


def test_what_is_counted():
    def told(work):
        found = Told()
        work(progress=found)
        return found

    L, B = G.depth, COUNT
    assert told(WORK["latent_pursuit"]) == [((i + 1) * B, (L + 1) * B) for i in range(L + 1)]
    chunks = told(WORK["fast.solve, chunks"])
    assert len(chunks) > 2
    assert chunks[-1] == (B, B)
    assert told(WORK["fast.solve"]) == [(B, B)]
    assert told(WORK["gradient_descent"])[0] == (100, 500)
    assert told(WORK["gradient_descent, search"])[-1][1] == 6 * 200
    assert {total for _, total in told(WORK["invert"])} == {5 * B}
    assert len(told(WORK["invert"])) > 4


def test_printed_methods_tell_single_signals():
    rng, told, history = np.random.default_rng(0), Told(), Told()
    W = rng.standard_normal((9, 4))
    problem = cvxinv.LastLayer(W, rng.standard_normal((30, 9)))
    fast.solve(problem, method="fista", progress=told)
    fast.solve(problem, method="fista", history=True, progress=history)
    assert 2 < len(told) <= 30
    assert told[-1] == history[-1] == (30, 30)
    assert len(history) >= len(told)


def test_no_signals_are_nothing_to_tell():
    told = Told()
    cvxinv.invert(G, Y[:0], progress=told)
    fast.solve(cvxinv.MidLayer(G.weights[1], LAYER.x_next[:0]), progress=told)
    assert told == []


# -- the meter -------------------------------------------------------------------------------------


def test_a_meter_tells_only_more_and_up_to_all():
    told = Told()
    with meter(told, 10, "pieces") as done:
        for count in (0, 3, 3, 2, 7, 12):
            done.reach(count)
    assert told == [(3, 10), (7, 10), (10, 10)]


def test_the_end_is_not_told_of_work_that_failed():
    told = Told()

    def fail():
        with meter(told, 10, "pieces") as done:
            done.reach(4)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert told == [(4, 10)]


def test_a_part_of_the_work():
    told = Told()
    with meter(told, 10, "pieces") as done:
        tell = done.within(2, 6)
        for count in (0, 1, 150, 300):
            tell(count, 300)
        done.within(8, 0)(0, 0)
    assert told == [(2, 10), (5, 10), (8, 10), (10, 10)]


def test_nobody_reads_a_silent_meter():
    with meter(False, 10, "pieces") as done:
        assert done.silent
        assert done.within(0, 5) is nothing
        done.reach(5)
    with meter(nothing, 10, "pieces") as done:
        assert done.silent
    assert not Meter(lambda done, total: None, 3).silent


@pytest.mark.parametrize("given", [True, False, print])
def test_automatic_is_for_terminals(given, monkeypatch):
    assert automatic(given, long=True) is given
    assert automatic(None, long=True) is False
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert automatic(None, long=True) is True
    assert automatic(None, long=False) is False


# -- what is shown ---------------------------------------------------------------------------------


def test_progress_in_words(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    display = Display(20_000)
    assert str(display) == "0 of 20000 signals"
    for at, count, text in [
        (2.0, 100, "50 per s, 7 min left"),
        (4.0, 19_900, "4.98e+03 per s, 0 s left"),
        (5e6, 19_901, "0.00398 per s, 6.9 h left"),
    ]:
        now[0] = at
        display.done(count)
        assert str(display) == f"{count} of 20000 signals, {text}"


def test_lines_come_however_long_a_piece_takes(monkeypatch, capfd):
    monkeypatch.setattr(progress, "QUIET", 0.01)
    monkeypatch.setattr(progress, "PERIOD", 0.01)
    with meter(True, 10, "pieces"):
        time.sleep(0.3)
    out, err = capfd.readouterr()
    assert len(err.splitlines()) > 1
    assert set(err.splitlines()) == {"0 of 10 pieces"}
    assert out == ""


def test_a_terminal_has_a_spinner(capfd):
    with Display(10, console=Console(stderr=True, force_terminal=True)) as display:
        display.done(5)
        time.sleep(0.2)
    assert "5 of 10 signals" in capfd.readouterr().err


def test_shown_on_stderr(monkeypatch, capfd):
    monkeypatch.setenv("FORCE_COLOR", "1")
    y = torch.as_tensor(Y)
    shown = cvxinv.latent_pursuit(G, y, progress=True)
    out, err = capfd.readouterr()
    assert f"of {(G.depth + 1) * COUNT} layer problems" in err
    assert out == ""
    np.testing.assert_array_equal(shown.z, cvxinv.latent_pursuit(G, y).z)
