"""The batched loop on a method that is no solver: each row of x shrinks by a rate of its own.

All is known in advance, from a loop in Python over one row alone.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from fast.core import loop

FOREVER = 1 << 40


class State(NamedTuple):
    """Where a row is; a row that is nan from the start stays so."""

    x: torch.Tensor  # (B, 1)
    steps: torch.Tensor  # (B,) those done


@dataclass(frozen=True, eq=False)
class Shrink:
    """x <- rate x, to be 0 in the end; nan from step `breaks` on."""

    rate: torch.Tensor  # (B, 1)
    breaks: torch.Tensor  # (B,)

    capturable = False

    def start(self, x=None, dual=None):
        """From 1 everywhere if nothing else is given."""
        return State(torch.ones_like(self.rate) if x is None else x, torch.zeros_like(self.breaks))

    def step(self, state):
        steps, x = state.steps + 1, self.rate * state.x
        return State(torch.where((steps < self.breaks)[:, None], x, torch.nan), steps)

    def residual(self, state):
        return state.x.abs()[:, 0]

    def answer(self, state):
        return state.x, 10 * state.x

    @property
    def layer(self):
        return self

    def objective(self, x):
        return x[:, 0] ** 2


def shrink(*rates, breaks=()):
    breaks = [*breaks, *[FOREVER] * (len(rates) - len(breaks))]
    return Shrink(torch.tensor(rates, dtype=torch.float64)[:, None], torch.tensor(breaks))


def alone(rate, breaks, goal, max_iter, every, patience):
    """(x, iterations, residuals at all looks) of one row, by the words of `loop.run`."""
    x, done, waited, seen = 1.0, 0, 0, [1.0]
    best, at, mark = 1.0, 0, 1.0
    while abs(best) > goal and waited < patience and done < max_iter:
        for _ in range(min(every, max_iter - done)):
            done += 1
            x = rate * x if done < breaks else math.nan
        seen.append(abs(x))
        if abs(x) < abs(best):
            best, at = x, done
        waited = 0 if abs(x) < 0.5 * mark else waited + 1
        mark = abs(x) if waited == 0 else mark
        if math.isnan(x) or math.isinf(x):
            break
    return best, at, seen


def check(method, goal=1e-3, max_iter=200, every=1, patience=FOREVER):
    start, records = method.start(), loop.History()
    before = State(*(a.clone() for a in start))
    found = loop.run(method, start, goal, max_iter, every, patience, records)
    history = records.lines
    assert all(torch.equal(a, b) for a, b in zip(start, before, strict=True)), "changed in place"
    longest = 1  # looks of the row that was looked at most
    for b, (rate, breaks) in enumerate(zip(method.rate[:, 0], method.breaks, strict=True)):
        x, at, seen = alone(float(rate), int(breaks), goal, max_iter, every, patience)
        longest = max(longest, len(seen))
        assert float(found.x[b, 0]) == x
        assert float(found.dual[b, 0]) == 10 * x
        assert float(found.residual[b]) == abs(x)
        assert int(found.iterations[b]) == at
        seen += [seen[-1]] * (len(history) - len(seen))  # it keeps the line of its last look
        recorded = [float(line.residual[b]) for line in history]
        assert recorded == pytest.approx(seen, rel=0, abs=0, nan_ok=True)
    assert len(history) == longest
    last = (longest - 1) * every
    assert history[-1].iteration == (last if last <= max_iter else max_iter)
    return found, history


rates = st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=12)


@given(
    rates,
    st.lists(st.integers(1, 40), max_size=3),
    st.sampled_from([0.0, 1e-6, 0.3, 2.0]),
    st.integers(0, 60),
    st.integers(1, 9),
    st.sampled_from([1, 3, FOREVER]),
)
@example([0.5, 0.9, -0.5], [], 1e-6, 60, 7, FOREVER)  # the cap is no multiple of `every`
@example([0.5, 0.25], [], 0.25, 60, 1, FOREVER)  # exactly at the goal
@example([0.99, 0.4, 2.0], [], 1e-6, 60, 1, 3)  # out of patience; done; diverging
@example([0.1] * 9 + [0.9], [], 1e-3, 60, 2, FOREVER)  # nine of ten are dropped
@example([0.5, 0.5], [1], 1e-6, 60, 1, FOREVER)  # nan at the first step, 1 is the answer
@example([0.5], [7], 1e-6, 60, 3, 1)  # nan later
@example([0.5], [], 2.0, 60, 1, 1)  # done before it starts
@example([0.5], [], 1e-6, 0, 1, 1)  # no step allowed
@example([0.9, 0.5, *[0.99] * 11], [], 1e-6, 60, 1, 3)  # out of patience, but not yet dropped
def test_every_row_goes_as_if_it_were_alone(rates, breaks, goal, max_iter, every, patience):
    method = shrink(*rates, breaks=breaks[: len(rates)])
    check(method, goal, max_iter, every, patience)


def test_what_is_dropped_from_the_batch_changes_no_answer(monkeypatch):
    method = shrink(0.1, 0.9, 0.3, math.nan, 0.99, 0.0, 1.1)
    answers = []
    for share in (0.0, 0.5, 1.0):  # at once, by half, never
        monkeypatch.setattr(loop, "COMPACT", share)
        answers.append(check(method, patience=20)[0])
    for other in answers[1:]:
        assert torch.equal(other.x, answers[0].x)
        assert torch.equal(other.iterations, answers[0].iterations)


def test_finished_rows_cost_nothing():
    """Of 100 rows, 99 are done after one step: they take no part in the other 43."""
    worked = []

    class Counted(Shrink):
        def step(self, state):
            worked.append(len(state.x))
            return super().step(state)

    rate = torch.tensor([[0.0]] * 99 + [[0.85]], dtype=torch.float64)
    loop.run(Counted(rate, torch.full((100,), FOREVER)), shrink(*rate[:, 0]).start(), 1e-3, 500)
    assert worked == [100] + [1] * 42


def test_histories_keep_the_line_with_which_a_row_finished():
    _, history = check(shrink(0.1, 0.5), goal=0.2, every=1)
    assert [line.iteration for line in history] == [0, 1, 2, 3]
    assert [line.residual.tolist() for line in history] == [
        [1.0, 1.0],
        [0.1, 0.5],
        [0.1, 0.25],
        [0.1, 0.125],
    ]
    assert history[-1].objective.tolist() == pytest.approx([0.01, 0.125**2])


def test_a_row_that_is_not_finite_at_the_start_has_no_residual_and_spoils_nothing():
    method = shrink(0.5, 0.5)
    start = method.start()
    start.x[0] = torch.nan
    found = loop.run(method, start, 1e-3, 50)
    assert found.residual.tolist() == [math.inf, 0.5**10]
    assert found.iterations.tolist() == [0, 10]


def test_no_rows_at_all():
    method = Shrink(torch.zeros(0, 1), torch.zeros(0, dtype=torch.int64))
    assert loop.run(method, method.start(), 1e-3, 50).x.shape == (0, 1)


def test_steps_without_a_look_are_the_same_steps():
    method = shrink(0.5, -0.9, math.nan)
    state = method.start()
    for _ in range(7):
        state = method.step(state)
    blind = loop.blindly(method, method.start(), 7)
    assert all(torch.equal(a, b) for a, b in zip(blind, state, strict=True)) is False  # nan != nan
    assert torch.equal(blind.x.nan_to_num(), state.x.nan_to_num())
