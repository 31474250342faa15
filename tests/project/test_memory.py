"""Parts of a batch: they cover it, in order, and none is larger than the budget allows."""

import pytest

from cvxinv.memory import parts, signals_per_part


@pytest.mark.parametrize("count", [0, 1, 7, 64])
@pytest.mark.parametrize(("each", "budget"), [(1, 1), (8, 24), (10, 9), (1, 10**9)])
def test_parts(count, each, budget):
    size = signals_per_part(each, budget)
    assert size == 1 or size * each <= budget < (size + 1) * each
    cut = [list(range(count))[part] for part in parts(count, each, budget)]
    assert [b for part in cut for b in part] == list(range(count))
    assert all(1 <= len(part) <= size for part in cut) or (count == 0 and cut == [[]])
