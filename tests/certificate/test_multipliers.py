"""Multipliers that are recovered do not depend on how much memory there is."""

import numpy as np
import pytest

from cvxinv import memory
from cvxinv.certificate import multipliers
from tests.support.instances import CONSTRAINED, KINDS, solved


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", CONSTRAINED)
def test_parts_of_a_batch(cls, kind, monkeypatch):
    problem, sol = solved(cls, kind, 2)
    q = problem.quadratic()
    whole = multipliers.multipliers(q, sol.x)
    asked = []

    def tight(count, each, budget=1):
        asked.append(each)
        return memory.parts(count, each, budget)

    monkeypatch.setattr(multipliers, "parts", tight)
    np.testing.assert_allclose(multipliers.multipliers(q, sol.x), whole, atol=1e-10)
    assert not asked or asked[0] >= 8 * problem.W.shape[1] ** 2
