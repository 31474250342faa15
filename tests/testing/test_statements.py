"""Every trait does what `Traits` says of it."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog

from cvxinv import BasisPursuit, LastLayer, Latent, LeastSquares, MidLayer, refutes, verify
from cvxinv.testing import KINDS, last_layers, latents, mid_layers, statements
from tests.support.draws import drawn
from tests.support.instances import constraints, feasible
from tests.support.oracles import used

PLAIN = ("nnls", "lasso")
UNCONSTRAINED = ("lasso", "last_layers", "basis_pursuits")
HIDDEN = ("mid_layers", "latents", "qps")
CLASSES = {
    "least_squares": (LeastSquares,),
    "nnls": (LastLayer,),
    "lasso": (BasisPursuit,),
    "last_layers": (LastLayer,),
    "basis_pursuits": (BasisPursuit,),
    "mid_layers": (MidLayer,),
    "latents": (Latent,),
    "qps": (MidLayer, Latent),
}
kinds = st.sampled_from(KINDS)
hidden = st.sampled_from(HIDDEN)


def any_of(kinds, **traits):
    """Statements of the kinds."""
    return kinds.flatmap(lambda kind: statements(kind, **traits))


def spread(problem):
    """Ratio of the singular values of W."""
    s = np.linalg.svd(problem.W, compute_uv=False)
    return s[0] / s[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_of_their_classes_and_differ(kind):
    found = drawn(statements(kind), 60)
    assert {type(problem) for problem in found} == set(CLASSES[kind])
    assert {len(problem) for problem in found} == {1, 2, 3}
    assert {problem.W.shape[0] for problem in found} == {1, 2, 3, 4, 5, 6}
    assert {problem.W.shape[1] for problem in found} == {1, 2, 3, 4, 5, 6}
    assert {problem.data.dtype for problem in found} == {np.dtype("f8")}
    assert all(problem.quadratic().finite.all() for problem in found)


@given(any_of(kinds, rows=(2, 3), columns=4, batch=(0, 2), dtype="float32"))
def test_sizes_and_dtype(problem):
    (m, n), B = problem.W.shape, len(problem)
    assert m in (2, 3)
    assert (n, B in (0, 1, 2)) == (4, True)
    assert problem.data.shape == (B, m)
    assert problem.W.dtype == problem.data.dtype == np.float32


def test_a_batch_may_be_empty_and_several_dtypes_are_drawn():
    found = drawn(statements("mid_layers", batch=(0, 1), dtype=("float32", "float64")), 60)
    assert {len(problem) for problem in found} == {0, 1}
    assert {problem.data.dtype.name for problem in found} == {"float32", "float64"}
    assert all(len(problem) == 0 for problem in drawn(statements("qps", batch=0)))
    verify(found[0], np.zeros((len(found[0]), found[0].W.shape[1]), found[0].data.dtype))


@given(any_of(kinds, batch=None))
def test_no_batch_is_one_signal(problem):
    assert problem.data.shape == problem.W.shape[:1]
    masks = (getattr(problem, name, None) for name in ("observed", "support", "rows", "bias"))
    assert all(mask is None or mask.shape == problem.data.shape for mask in masks)
    assert getattr(problem, "columns", None) is None or problem.columns.ndim == 1


@given(any_of(kinds, library="torch", masks=True, bias=True, dtype=("float64", "float32")))
def test_tensors(problem):
    fields = {k: v for k, v in vars(problem).items() if hasattr(v, "ndim")}
    assert {type(v) for v in fields.values()} == {torch.Tensor}
    floats = {v.dtype for v in fields.values() if v.dtype != torch.bool}
    assert floats in ({torch.float64}, {torch.float32})


@given(any_of(kinds, rows=(2, 6), columns=(2, 6), condition=1e4))
def test_condition_is_the_ratio_of_the_singular_values(problem):
    s = np.linalg.svd(problem.W, compute_uv=False)
    np.testing.assert_allclose(s, np.geomspace(1, 1e-4, len(s)), rtol=1e-9)


@given(any_of(kinds, degenerate=True))
def test_degenerate_columns(problem):
    W = problem.W
    multiples = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5]
    pairs = ((W[:, j], c * W[:, k]) for j in range(W.shape[1]) for k in range(j) for c in multiples)
    assert (W == 0).all(axis=0).any() or any((a == b).all() for a, b in pairs)


def test_numbers_in_general_position():
    """Hypothesis draws zeros now and then."""
    found = drawn(statements("lasso", rows=6, columns=4, degenerate=False), 40)
    good = [problem for problem in found if problem.W.any()]
    assert len(good) > 20
    assert all(spread(problem) < 1e3 for problem in good)


@given(any_of(kinds, sparsity=1.0, noise=0.0, bias=False))
def test_without_any_x_there_is_no_signal(problem):
    assert not problem.data.any()


def test_sparsity_is_about_the_share_of_zeros():
    for sparsity in (0.0, 0.5):
        found = drawn(statements("nnls", columns=1, noise=0.0, batch=3, sparsity=sparsity), 100)
        signals = np.concatenate([p.data.any(axis=1) for p in found if p.W.any()])
        assert abs(signals.mean() - (1 - sparsity) * 0.8) < 0.2


def reproduces(problem, b):
    """Whether some x with W x + b = data on the rows that enter meets the constraints, by linear
    programming.
    """
    A, n = problem.W[used(problem)[b]], problem.W.shape[1]
    t = (problem.data - (0 if problem.bias is None else problem.bias))[b, used(problem)[b]]
    C, d = constraints(problem, b)
    columns = getattr(problem, "columns", None)
    free = not isinstance(problem, (LastLayer, MidLayer))
    columns = np.broadcast_to(True if columns is None else columns, (len(problem), n))[b]
    bounds = [(None if free and on else 0, None if on else 0) for on in columns]
    answer = linprog(np.zeros(n), A_ub=C, b_ub=d, A_eq=A, b_eq=t, bounds=bounds, method="highs")
    assert answer.status in (0, 2)
    return answer.status == 0


@given(any_of(st.sampled_from(KINDS[1:]), noise=0.0))
def test_without_noise_some_x_makes_the_signals(problem):
    assert all(reproduces(problem, b) for b in range(len(problem)))


@given(statements("least_squares", noise=0.0, masks=False))
def test_without_noise_least_squares_leave_nothing(problem):
    assert all(reproduces(problem, b) for b in range(len(problem)))


def test_noise_is_seen():
    found = drawn(statements("least_squares", rows=6, columns=2, noise=2.0, masks=False))
    found = [problem for problem in found if problem.data.all()]
    assert len(found) > 10
    assert not all(reproduces(problem, 0) for problem in found)


@pytest.mark.parametrize("kind", KINDS)
def test_bias_and_masks(kind):
    names = {"nnls": "observed", "last_layers": "observed", "lasso": "rows"}
    mask = names.get(kind, "rows")
    for given_ in (False, True):
        for problem in drawn(statements(kind, bias=given_, masks=given_, noise=0.0)):
            assert (problem.bias is not None) == (given_ and kind not in PLAIN)
            if kind not in HIDDEN:
                assert (getattr(problem, mask) is not None) == (given_ and kind not in PLAIN)
            elif not given_:
                np.testing.assert_array_equal(problem.support, problem.x_next > 0)
    if kind not in PLAIN:
        chance = drawn(statements(kind))
        assert {problem.bias is None for problem in chance} == {False, True}


@given(any_of(st.sampled_from(UNCONSTRAINED), weight=1.0, batch=1))
def test_at_the_largest_weight_zero_is_a_solution(problem):
    assert verify(problem, np.zeros((1, problem.W.shape[1]))).optimal(1e-12).all()


@given(any_of(st.sampled_from(UNCONSTRAINED), weight=0.4, batch=1))
def test_below_it_is_not(problem):
    """One weight may be twice another."""
    rows = used(problem)
    t = np.where(rows, problem.data - (0 if problem.bias is None else problem.bias), 0)
    r = t @ problem.W
    assume(r.max() > 0 if isinstance(problem, LastLayer) else r.any())
    assert not verify(problem, np.zeros_like(r)).optimal(1e-6).any()


@given(latents(weight=0.25))
def test_gamma_is_a_share_of_the_largest_column(problem):
    largest = (problem.W**2).sum(axis=0).max()
    assert problem.gamma == 0.25 * (largest or 1.0)


@given(any_of(kinds, weight=0.0))
def test_no_weight(problem):
    assert not np.any(getattr(problem, "lam", 0.0))
    assert not getattr(problem, "gamma", 0.0)


@given(any_of(hidden, matrix_scale=1e-6, dtype=("float64", "float32"), bias=True))
def test_constraints_can_be_met(problem):
    assert all(feasible(problem, b) for b in range(len(problem)))


@given(any_of(hidden, feasible=False, scale=1e3, dtype=("float64", "float32")))
def test_one_signal_is_infeasible_and_refuted_by_its_last_two_rows(problem):
    proof = np.zeros_like(problem.x_next)
    proof[:, -2:] = 1
    np.testing.assert_array_equal(problem.W[-1], -problem.W[-2])
    bad = ~problem.support[:, -1]
    assert bad.sum() == 1
    np.testing.assert_array_equal(refutes(problem, proof), bad)
    assert [feasible(problem, b) for b in range(len(problem))] == list(~bad)


@given(any_of(kinds, finite=False))
def test_one_entry_that_counts_is_not_finite(problem):
    assert (~np.isfinite(problem.data)).sum() == 1
    assert (~problem.quadratic().finite).sum() == 1


@given(any_of(st.sampled_from([k for k in KINDS if k not in HIDDEN]), feasible=False))
def test_without_inequalities_all_is_feasible(problem):
    assert problem.W.shape[0] <= 6


@given(any_of(kinds, zero=True))
def test_zero_signals(problem):
    assert not problem.data.any()
    assert problem.bias is None or not problem.bias.any()


@pytest.mark.parametrize("kind", KINDS)
def test_scales_are_powers_of_two_and_change_no_digit(kind):
    """1000 stands for 1024, and 1e-3 for 1/1024."""
    units = {"W": 2.0**-10, "bias": 2.0**10, "lam": 1.0, "gamma": 2.0**-20}
    traits = {"dtype": ("float64", "float32"), "batch": 2}
    for one, other in zip(
        drawn(statements(kind, **traits)),
        drawn(statements(kind, **traits, scale=1000.0, matrix_scale=1e-3)),
        strict=True,
    ):
        np.testing.assert_array_equal(other.data, one.data * 2.0**10)
        for name, unit in units.items():
            value = getattr(one, name, None)
            if value is not None:
                np.testing.assert_array_equal(getattr(other, name), value * unit)


@given(last_layers(rows=(30, 40), columns=(10, 20)), mid_layers(rows=30, columns=20))
def test_large_statements_come_from_a_seed(one, other):
    assert one.W.shape >= (30, 10)
    assert all(feasible(other, b) for b in range(len(other)))
