"""The fixed instances: what they are called, that they stay the same, that they can be solved."""

import re

import numpy as np
import pytest
import torch

import fast
from cvxinv import BasisPursuit, LastLayer, reference
from cvxinv.testing import KINDS, Case, hard_cases

CASES = hard_cases()


@pytest.mark.parametrize("case", CASES)
def test_the_reference_solves_all(case):
    case.check(reference.solve(case.problem))


def test_all_kinds_have_cases_with_names_of_their_own():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) > 100
    assert {name.split("-")[0] for name in names} == set(KINDS)
    assert {"nnls-plain", "lasso-wide", "qps-mask-MidLayer", "latents-empty_support"} <= set(names)
    assert all(case.__name__ == case.name for case in CASES)


def test_pytest_shows_the_names(pytestconfig, request):
    ids = [item.callspec.id for item in request.session.items if "solves_all" in item.name]
    assert not ids or set(ids) <= {case.name for case in CASES}
    assert [case.name for case in hard_cases("nnls")] == [
        case.name for case in CASES if case.name.startswith("nnls-")
    ]


def test_they_are_the_same_at_every_call():
    for one, other in zip(CASES, hard_cases(), strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.problem.W, other.problem.W)
        np.testing.assert_array_equal(one.problem.data, other.problem.data)


def test_plain_kinds_are_plain():
    for case in hard_cases(["nnls", "lasso"]):
        assert case.problem.bias is None
        if isinstance(case.problem, LastLayer):
            assert (case.problem.lam, case.problem.observed) == (0.0, None)
        else:
            assert isinstance(case.problem, BasisPursuit)
            assert case.problem.lam > 0
            assert case.problem.rows is None


def test_wrong_answers_are_seen():
    case = hard_cases("lasso")[0]
    assert isinstance(case, Case)
    with pytest.raises(AssertionError, match="row 0: KKT"):
        case.check(np.zeros((3, 8)))


def test_tensors():
    for case, of_numpy in zip(hard_cases(library="torch"), CASES, strict=True):
        assert case.name == of_numpy.name
        arrays = [a for a in vars(case.problem).values() if hasattr(a, "ndim")]
        assert {type(a) for a in arrays} == {torch.Tensor}
        np.testing.assert_array_equal(case.problem.W, of_numpy.problem.W)
    case = hard_cases("nnls", library="torch")[0]
    case.check(fast.solve(case.problem))
    with pytest.raises(ValueError, match="library: expected one of 'numpy', 'torch', got 'jax'"):
        hard_cases("nnls", library="jax")


def test_kinds_are_checked():
    with pytest.raises(ValueError, match="problems: expected one of 'least_squares'"):
        hard_cases("ridge")
    with pytest.raises(TypeError, match=re.escape("problems: expected one or some of least_sq")):
        hard_cases(3)
