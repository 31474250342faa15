"""Parts of a batch: they cover it, in order, and none is larger than the budget allows."""

import numpy as np
import pytest
import torch

from cvxinv.memory import BUDGET, parts, room, signals_per_part
from tests.support.pretend import pretended


@pytest.mark.parametrize("count", [0, 1, 7, 64])
@pytest.mark.parametrize(("each", "budget"), [(1, 1), (8, 24), (10, 9), (1, 10**9)])
def test_parts(count, each, budget):
    size = signals_per_part(each, budget)
    assert size == 1 or size * each <= budget < (size + 1) * each
    cut = [list(range(count))[part] for part in parts(count, each, budget)]
    assert [b for part in cut for b in part] == list(range(count))
    assert all(1 <= len(part) <= size for part in cut) or (count == 0 and cut == [[]])


def test_room_on_a_cpu_is_what_the_caller_says():
    for like in (np.ones(2), torch.ones(2)):
        assert (room(like), room(like, 7)) == (BUDGET, 7)


def test_room_on_a_gpu_is_half_of_what_is_left_there():
    with pretended(free=3 << 20, cached=5 << 20):
        assert room(torch.ones(2, device="cuda:1"), 7) == 4 << 20
