"""Several threads at once: each has its own answer, and nothing that they share is changed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch

from tests.support.globals import unchanged
from tests.support.work import KINDS, same, work

THREADS = 8


def at_once(kinds):
    """What each of the threads gives, all of which begin together."""
    gate = Barrier(THREADS)

    def run(k):
        gate.wait()
        return work(kinds[k % len(kinds)], k)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.mark.parametrize("kind", ["fast", "reference", "invert", "all of them"])
def test_at_once(kind):
    kinds = KINDS if kind == "all of them" else [kind]
    expected = [work(kinds[k % len(kinds)], k) for k in range(THREADS)]
    with unchanged():
        found = at_once(kinds)
    assert [same(a, b) for a, b in zip(found, expected, strict=True)] == THREADS * [True]


def test_at_once_with_threads_of_torch():
    before = torch.get_num_threads()
    expected = [work("fast", k) for k in range(THREADS)]
    torch.set_num_threads(2)
    try:
        with unchanged():
            found = at_once(["fast"])
    finally:
        torch.set_num_threads(before)
    assert [same(a, b) for a, b in zip(found, expected, strict=True)] == THREADS * [True]


def test_one_that_raises():
    """A thread whose solver raises harms no other."""
    expected = work("fast", 1)
    gate = Barrier(2)

    def fail():
        gate.wait()
        with pytest.raises(ZeroDivisionError):
            work("invert", 0, solve=lambda problem: 1 / 0)

    def right():
        gate.wait()
        return work("fast", 1)

    with unchanged(), ThreadPoolExecutor(2) as pool:
        other, found = pool.submit(fail), pool.submit(right)
        other.result()
    assert same(found.result(), expected)
