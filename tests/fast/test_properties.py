"""Properties of `fast.solve` on small random statements, degenerate ones included: proofs, and
agreement with the reference.
"""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import fast
from cvxinv import (
    BasisPursuit,
    LastLayer,
    Latent,
    LeastSquares,
    MidLayer,
    Status,
    reference,
    verify,
)
from tests.support.cases import Case, cases, sizes
from tests.support.instances import (
    CONSTRAINED,
    feasible,
    replaced,
)
from tests.support.oracles import determined, distance, refutes
from tests.support.tolerances import GAP, KKT, KKT_FLOAT32, SAME_OBJECTIVE, SAME_POINT


@given(case=cases())
@example(case=Case(LastLayer, 1, 1, masked="all", biased=False))
@example(case=Case(MidLayer, 12, 3, 3, "whole", weight=1.0))
@example(case=Case(Latent, 8, 2, 3, "low rank"))
@example(case=Case(BasisPursuit, 3, 12, 3, "low rank", weight=0.1, seed=1))
@example(case=Case(LeastSquares, 5, 7, 2, "whole", weight=0.1))
@example(case=Case(LastLayer, 1, 1, 1, "whole", "shared", True, 0.1, 685))  # no row enters
@example(case=Case(LastLayer, 4, 1, 1, "low rank", "all", True, 0.1, 700))  # W = 0
@example(case=Case(LeastSquares, 4, 12, 3, "low rank", "shared", True, 1.0, 804))  # A = 0
@example(case=Case(MidLayer, 1, 5, 3, "low rank", "each", True, 1e-6, 561))
@example(case=Case(MidLayer, 1, 6, 2, "whole", "each", True, 1.0, 916))
@example(case=Case(MidLayer, 4, 5, 3, "low rank", "all", False, 0.0, 338))
@example(
    case=Case(MidLayer, 9, 1, 2, "low rank", "all", True, 10.0, 591)
)  # infeasible, with zero rows
@example(
    case=Case(MidLayer, 12, 5, 1, "whole", "shared", True, 0.0, 775)
)  # a proof holds without entries at rounding level
@example(case=Case(Latent, 6, 4, 1, "low rank", "shared", True, 0.1, 119))
@example(case=Case(Latent, 8, 4, 2, "low rank", "each", True, 10.0, 638))
@example(
    case=Case(Latent, 4, 5, 3, "normal", "each", False, 0.0, 265)
)  # more unknowns than rows, and no prior
@example(case=Case(Latent, 6, 6, 1, "low rank", "each", False, 0.0, 197))
def test_every_signal_is_solved_or_refuted(case):
    problem = case.build()
    sol = fast.solve(problem)
    for b in range(case.count):
        if feasible(problem, b):
            assert sol.status[b] is Status.OPTIMAL, (b, sol.certificate.kkt[b])
        else:
            assert sol.status[b] is Status.INFEASIBLE, (b, sol.status[b])
            refutes(problem, b, sol.infeasibility[b])
    good = sol.status == Status.OPTIMAL
    assert (sol.certificate.kkt[good] <= KKT).all()
    assert (sol.certificate.violation[good] <= KKT).all()
    assert not (sol.certificate.gap[good] > GAP).any()
    assert verify(problem, sol.x, sol.dual).optimal(KKT)[good].all()
    assert case.cls not in (LastLayer, MidLayer) or (sol.x >= 0).all()
    assert (
        case.cls is not LeastSquares or problem.columns is None or not sol.x[~problem.columns].any()
    )


@given(case=cases())
@example(case=Case(MidLayer, 4, 4, 3, "whole", seed=3))
@example(case=Case(BasisPursuit, 12, 12, 3, "whole", weight=1.0, seed=1))
@example(case=Case(LeastSquares, 12, 12, 3, "low rank", biased=False))
def test_agrees_with_the_reference(case):
    problem = case.build()
    sol, expected = fast.solve(problem), reference.solve(problem)
    good = (sol.status == Status.OPTIMAL) & (expected.status == Status.OPTIMAL)
    assert (sol.status[good == 0] != Status.OPTIMAL).all()
    error = np.abs(sol.certificate.objective - expected.certificate.objective)
    assert (error <= SAME_OBJECTIVE * np.maximum(sizes(problem), expected.certificate.objective))[
        good
    ].all()
    only = good & determined(problem, 0.05)
    assert (distance(problem, sol.x, expected.x) <= SAME_POINT)[only].all()


@given(case=cases(), restart=st.booleans(), rho=st.sampled_from([1e-2, 0.3, 1.0]))
@example(case=Case(LastLayer, 12, 4, style="whole"), restart=True, rho=1.0)
@example(case=Case(Latent, 6, 3, style="whole", weight=1.0, biased=False), restart=False, rho=0.3)
def test_the_printed_methods_claim_only_what_the_default_finds(case, restart, rho):
    problem = case.build()
    method = "linearized_admm" if case.cls in CONSTRAINED else "fista"
    sol, best = (
        fast.solve(problem, max_iter=500, method=method, restart=restart, rho=rho),
        fast.solve(problem),
    )
    good = sol.status == Status.OPTIMAL
    assert (best.status[good] == Status.OPTIMAL).all()
    assert list(good) == list(verify(problem, sol.x, sol.dual).optimal(KKT))
    error = np.abs(sol.certificate.objective - best.certificate.objective)
    assert (error <= SAME_OBJECTIVE * np.maximum(sizes(problem), best.certificate.objective))[
        good
    ].all()
    assert np.isfinite(sol.x).all()


@given(case=cases(dtype=st.just("float32")))
@example(case=Case(MidLayer, 12, 3, 3, "whole", weight=1.0, dtype="float32"))
@example(case=Case(LeastSquares, 9, 4, 2, dtype="float32"))
def test_float32(case):
    problem = case.build()
    sol = fast.solve(problem)
    assert sol.x.dtype == np.float32
    good = sol.status == Status.OPTIMAL
    assert (sol.certificate.kkt[good] <= KKT_FLOAT32).all()
    well = determined(problem, 0.05) & np.array([feasible(problem, b) for b in range(case.count)])
    assert (
        sol.certificate.kkt[well] <= KKT_FLOAT32
    ).all()  # the gap is beyond what x in float32 can reach, at times
    wide = replaced(
        problem,
        **{
            k: v.astype(np.float64)
            for k, v in vars(problem).items()
            if getattr(v, "dtype", None) == np.float32
        },
    )
    error = np.abs(sol.certificate.objective - fast.solve(wide).certificate.objective)
    assert (error <= 10 * KKT_FLOAT32 * np.maximum(sizes(wide), sol.certificate.objective))[
        good
    ].all()


@given(case=cases(classes=CONSTRAINED, biased=st.just(True)))
@example(case=Case(MidLayer, 3, 1, 3, "whole"))
@example(case=Case(Latent, 12, 1, 3))
@example(case=Case(Latent, 12, 12, 3, "low rank"))
def test_infeasible_exactly_where_linear_programming_says_so(case):
    problem = case.build()
    for size in (1e-6, 1e6):
        sol = fast.solve(replaced(problem, bias=size * problem.bias, x_next=size * problem.x_next))
        assert list(sol.status == Status.INFEASIBLE) == [
            not feasible(problem, b) for b in range(case.count)
        ]


@pytest.mark.parametrize(("m", "n", "weight"), [(1, 2, 1e-6), (3, 5, 1e-3), (3, 5, 1e-6)])
def test_basis_pursuit_with_small_weights(m, n, weight):
    """The vertex of least l1 norm has to be found among many points that fit equally well."""
    problem = Case(BasisPursuit, m, n, 1, masked="all", weight=weight, seed=2).build()
    sol, expected = fast.solve(problem), reference.solve(problem)
    assert sol.status[0] is expected.status[0] is Status.OPTIMAL, sol.certificate.kkt
    error = np.abs(sol.certificate.objective - expected.certificate.objective)
    assert (
        error <= SAME_OBJECTIVE * np.maximum(sizes(problem), expected.certificate.objective)
    ).all()
