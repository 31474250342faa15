"""Graphs that are kept from call to call, on the pretended card."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

import fast
from cvxinv.bench.instances import cases, gaussian
from cvxinv.rows import SHARED
from fast.core import graphs
from tests.support.pretend import memory, pretended
from tests.support.tolerances import SAME_POINT


class At(NamedTuple):
    x: Tensor
    y: Tensor


@dataclass(frozen=True, eq=False)
class Inner:
    t: Tensor


@dataclass(frozen=True, eq=False)
class Rotation:
    W: Tensor = field(metadata=SHARED)
    inner: Inner
    weight: float

    def step(self, at: At) -> At:
        return At(at.y @ self.W + self.inner.t, self.weight * at.x)


def drawn(seed, B=4, n=3, weight=0.5):
    """A method and a state."""
    rng = np.random.default_rng([seed, B, n])
    W, t, x, y = (torch.tensor(rng.standard_normal(shape)) for shape in [(n, n), *[(B, n)] * 3])
    return Rotation(W, Inner(t), weight), At(x, y)


def on(card, method, state):
    inner = Inner(method.inner.t.to(card))
    return replace(method, W=method.W.to(card), inner=inner), At(*(a.to(card) for a in state))


@pytest.fixture
def machine():
    with pretended() as machine:
        yield machine
    graphs.forget()


def agrees(drawn, card="cuda:0", count=5):
    """Steps on the card are those of the CPU, from start to end, however often."""
    method, state = drawn
    there = graphs.kept(*on(card, method, state), count)
    here = graphs.plain(method.step)(state, count)
    for a, b, begin in zip(there, here, state, strict=True):
        np.testing.assert_allclose(memory(a), b, rtol=1e-12)
        assert a.device == torch.device(card)
        assert not torch.equal(b, begin)
    return there


def test_what_was_captured_serves_others_of_the_same_shapes(machine):
    first = agrees(drawn(0))
    before = [memory(a).clone() for a in first]
    for seed, count in [(1, 5), (2, 1), (0, 7)]:
        agrees(drawn(seed), count=count)
    assert len(machine.graphs) == 1
    for a, b in zip(first, before, strict=True):  # an answer is the caller's own
        assert torch.equal(memory(a), b)


@pytest.mark.parametrize("changed", [{"B": 5}, {"n": 2}, {"weight": 0.25}, {"card": "cuda:1"}])
def test_others_are_captured_anew(machine, changed):
    agrees(drawn(0))
    card = changed.get("card", "cuda:0")
    agrees(drawn(0, **{k: v for k, v in changed.items() if k != "card"}), card)
    agrees(drawn(1))
    assert [str(graph.device) for graph in machine.graphs] == ["cuda:0", card]


def test_few_are_kept_and_small_ones_only(machine, monkeypatch):
    monkeypatch.setattr(graphs, "MOST", 2)
    for B in (1, 2, 1, 3, 1, 2):  # 2 has gone when it comes back
        agrees(drawn(0, B=B))
    assert len(machine.graphs) == 4
    monkeypatch.setattr(graphs, "LARGEST", 0)
    agrees(drawn(0, B=2))
    assert len(machine.graphs) == 5
    monkeypatch.undo()
    graphs.forget()
    agrees(drawn(0, B=2))
    assert len(machine.graphs) == 6


def test_a_second_solve_captures_nothing(machine):
    for seed in range(3):
        case = cases(gaussian((6, 40, 90)), 160, seed=seed, dtype=torch.float64)[0]
        W, y = case.problem.W, case.problem.y
        here = fast.solve(case.problem)
        there = fast.solve(replace(case.problem, W=W.to("cuda"), y=y.to("cuda"), bias=None))
        np.testing.assert_allclose(memory(there.x), here.x, atol=SAME_POINT)
    assert len(machine.graphs) == 1
