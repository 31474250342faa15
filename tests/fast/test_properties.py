"""Properties of `fast.solve` on small random statements, degenerate ones included: proofs,
agreement with the reference, invariances.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, example, given
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
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    DATA,
    MASK,
    chosen,
    feasible,
    objective,
    replaced,
)
from tests.support.oracles import determined, distance, refutes
from tests.support.tolerances import GAP, KKT, KKT_FLOAT32, SAME_OBJECTIVE, SAME_POINT

STYLES = ("normal", "whole", "low rank")
WEIGHTS = (0.0, 1e-6, 0.1, 1.0, 10.0)


@dataclass(frozen=True)
class Case:
    """What a statement is drawn from; `build` makes it, so that examples can be written down."""

    cls: type
    m: int
    n: int
    count: int = 2
    style: str = "normal"
    masked: str = "each"
    biased: bool = True
    weight: float = 0.0
    seed: int = 0
    dtype: str = "float64"

    def build(self):
        """Entries are normal, or whole numbers from -2 to 2 (ties, zero rows, copies of columns),
        or of low rank.
        """
        rng = np.random.default_rng(self.seed)

        def numbers(*shape):
            return (
                rng.standard_normal(shape)
                if self.style == "normal"
                else rng.integers(-2, 3, shape).astype(float)
            ).astype(self.dtype)

        rank = 1 if self.style == "low rank" else 0
        W = numbers(self.m, rank) @ numbers(rank, self.n) if rank else numbers(self.m, self.n)
        data, bias = numbers(self.count, self.m), numbers(self.m) if self.biased else None
        mask = {
            "all": None,
            "shared": rng.random(self.m) < 0.6,
            "each": rng.random(data.shape) < 0.6,
        }[self.masked]
        options = {
            MASK[self.cls]: mask,
            "bias": bias,
            "W": W,
            DATA[self.cls]: np.abs(data) if self.cls in CONSTRAINED else data,
        }
        if self.cls is LeastSquares:
            return self.cls(
                **options, columns=rng.random((self.count, self.n)) < 0.7 if self.weight else None
            )
        weight = (
            self.weight * rng.random(self.n).astype(self.dtype)
            if self.cls is BasisPursuit and self.seed % 2
            else self.weight
        )
        return self.cls(**options, **{"gamma" if self.cls is Latent else "lam": weight})


def cases(classes=CLASSES, **fixed):
    drawn = {
        "cls": st.sampled_from(classes),
        "m": st.integers(1, 12),
        "n": st.integers(1, 12),
        "count": st.integers(1, 3),
        "style": st.sampled_from(STYLES),
        "masked": st.sampled_from(["all", "shared", "each"]),
        "biased": st.booleans(),
        "weight": st.sampled_from(WEIGHTS),
        "seed": st.integers(0, 999),
    }
    # a basis pursuit with a tiny weight has a test of its own
    return st.builds(Case, **{**drawn, **fixed}).filter(
        lambda case: case.cls is not BasisPursuit or case.weight != 1e-6
    )


def sizes(problem):
    """What objectives are compared with: their value at zero, and that of the size of the
    inequalities.
    """
    zero = np.zeros((len(getattr(problem, DATA[type(problem)])), problem.W.shape[1]))
    return objective(problem, zero) + (0 if problem.bias is None else 0.5 * (problem.bias**2).sum())


# -- proofs and agreement --------------------------------------------------------------------------


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


# -- invariances -----------------------------------------------------------------------------------


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
    sol, alone = fast.solve(problem), fast.solve(chosen(problem, slice(which, which + 1)))
    assert alone.status[0] is sol.status[which]
    if alone.status[0] is Status.OPTIMAL:
        assert (
            distance(chosen(problem, slice(which, which + 1)), alone.x, sol.x[which : which + 1])
            <= SAME_POINT
        ).all()
