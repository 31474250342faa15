"""What does not matter: order, units, companions; on small random statements."""

import numpy as np
from hypothesis import assume, example, given
from hypothesis import strategies as st

import fast
from cvxinv import (
    BasisPursuit,
    Latent,
    LeastSquares,
    MidLayer,
    Status,
)
from tests.support.cases import Case, cases, sizes
from tests.support.engines import engine  # noqa: F401
from tests.support.instances import (
    DATA,
    MASK,
    replaced,
)
from tests.support.oracles import determined, distance
from tests.support.tolerances import SAME_OBJECTIVE, SAME_POINT


@given(case=cases(), order=st.integers(0, 99))
@example(case=Case(MidLayer, 9, 5, 3, "whole", weight=0.1), order=1)
@example(case=Case(LeastSquares, 4, 9, 3), order=2)
def test_order_of_rows_columns_and_signals_does_not_matter(case, order):
    problem, rng = case.build(), np.random.default_rng(order)
    i, j, k = (rng.permutation(size) for size in (case.m, case.n, case.count))
    mask, lam = getattr(problem, MASK[case.cls]), getattr(problem, "lam", 0.0)
    changes = {
        "W": problem.W[np.ix_(i, j)],
        "bias": None if problem.bias is None else problem.bias[i],
        DATA[case.cls]: getattr(problem, DATA[case.cls])[np.ix_(k, i)],
        MASK[case.cls]: mask if mask is None else mask[i] if mask.ndim == 1 else mask[np.ix_(k, i)],
    }
    if case.cls is LeastSquares:
        changes["columns"] = None if problem.columns is None else problem.columns[np.ix_(k, j)]
    elif np.ndim(lam):
        changes["lam"] = lam[j]
    sol, moved = fast.solve(problem), fast.solve(replaced(problem, **changes))
    assert list(moved.status) == list(sol.status[k])
    good = sol.status == Status.OPTIMAL
    error = np.abs(moved.certificate.objective - sol.certificate.objective[k])
    assert (error <= SAME_OBJECTIVE * np.maximum(sizes(problem), sol.certificate.objective)[k])[
        good[k]
    ].all()
    back = np.empty_like(sol.x)
    back[np.ix_(k, j)] = moved.x
    assert (distance(problem, back, sol.x) <= SAME_POINT)[good & determined(problem, 0.05)].all()


@given(
    case=cases(),
    of_matrix=st.sampled_from([1e-6, 0.3, 1e6]),
    of_signal=st.sampled_from([1e-6, 7.0, 1e6]),
)
@example(
    case=Case(BasisPursuit, 9, 5, 3, "whole", weight=0.1, seed=1), of_matrix=1e6, of_signal=1e-6
)
@example(case=Case(Latent, 9, 5, 3, "low rank", weight=0.1), of_matrix=1e-6, of_signal=1e6)
def test_units_do_not_matter(case, of_matrix, of_signal):
    problem = case.build()
    weight = (
        {"gamma": of_matrix**2}
        if case.cls is Latent
        else {"lam": of_matrix * of_signal}
        if case.cls is not LeastSquares
        else {}
    )
    changes = {k: v * getattr(problem, k) for k, v in weight.items()}
    changes |= {
        "bias": None if problem.bias is None else of_signal * problem.bias,
        "W": of_matrix * problem.W,
    }
    sol = fast.solve(problem)
    other = fast.solve(
        replaced(
            problem, **changes, **{DATA[case.cls]: of_signal * getattr(problem, DATA[case.cls])}
        )
    )
    assert list(other.status) == list(sol.status)
    good = sol.status == Status.OPTIMAL
    error = np.abs(other.certificate.objective / of_signal**2 - sol.certificate.objective)
    assert (error <= SAME_OBJECTIVE * np.maximum(sizes(problem), sol.certificate.objective))[
        good
    ].all()
    back = other.x * (of_matrix / of_signal)
    assert (distance(problem, back, sol.x) <= SAME_POINT)[good & determined(problem, 0.05)].all()


@given(case=cases(masked=st.just("each"), count=st.just(3)), which=st.integers(0, 2))
@example(case=Case(MidLayer, 9, 5, 3, "whole", weight=0.1), which=1)
def test_companions_do_not_matter(case, which):
    problem = case.build()
    assume(determined(problem, 0.05)[which])
    sol, alone = fast.solve(problem), fast.solve(problem[which : which + 1])
    assert alone.status[0] is sol.status[which]
    if alone.status[0] is Status.OPTIMAL:
        assert (
            distance(problem[which : which + 1], alone.x, sol.x[which : which + 1]) <= SAME_POINT
        ).all()
