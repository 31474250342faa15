"""Statuses are decided from the data: nothing that a backend claims is looked at."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

import cvxinv
import fast
from cvxinv import Certificate, LastLayer, Latent, MidLayer, Solution, Status, reference
from cvxinv.solution import certified
from tests.support.instances import CLASSES, DATA, generator, instance, replaced, solved, tensors
from tests.support.tolerances import ALONE

OPTIMAL, MAX_ITER = Status.OPTIMAL, Status.MAX_ITER


def judged(problem, returned):
    return certified.judged(problem, returned, 0.0)


def statuses(solution):
    return [s.name for s in solution.status]


def liar(problem):
    """X = 1, called optimal, with a certificate that is zero all over."""
    x = np.ones((len(problem.data), problem.W.shape[1]))
    zero = np.zeros(len(x))
    perfect = Certificate(zero, zero, zero, zero, zero)
    return Solution(x, x > 0, np.full(len(x), OPTIMAL, dtype=object), perfect)


# Two inequalities that contradict each other, z <= -1 and -z <= -1, for the second of two signals.
CONTRADICTION = Latent(
    np.array([[1.0], [-1.0], [1.0]]),
    np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 1.0]]),
    np.array([[False, True, False], [False, False, True]]),
    np.array([1.0, 1.0, 0.0]),
)
PROOF = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])


# -- claims ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("phi", ["identity", "tanh", "plu"])
@pytest.mark.parametrize("run", [cvxinv.latent_pursuit, cvxinv.layered_basis_pursuit])
def test_a_backend_that_lies_convinces_nobody(run, phi):
    G = generator((4, 12, 40), phi, biased=True)
    z = np.random.default_rng(0).standard_normal((3, 4))
    inversion = run(G, G(z), solve=liar)
    assert set(inversion.status) == {MAX_ITER}
    assert (inversion.solutions[-1].certificate.kkt > 1e-6).all()


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("seed", [0, 3])
def test_whatever_form_the_answer_has_it_gets_the_same_certificate(cls, seed):
    problem, ours = solved(cls, "noisy", seed)
    claims = np.full(len(ours.x), Status.NONFINITE, dtype=object)
    nothing = Certificate(*[np.full(len(ours.x), np.nan)] * 5)
    forged = replace(ours, status=claims, certificate=nothing, support=~ours.support)
    forms = [forged, (ours.x, ours.dual), *([ours.x, ours.x.tolist()] if ours.dual is None else [])]
    for returned in forms:
        found = judged(problem, returned)
        assert statuses(found) == statuses(ours)
        np.testing.assert_array_equal(found.x, ours.x)
        np.testing.assert_array_equal(found.support, ours.support)
        np.testing.assert_allclose(found.certificate.kkt, ours.certificate.kkt, atol=1e-15)


@pytest.mark.parametrize("cls", [MidLayer, Latent])
def test_multipliers_are_recovered_where_a_backend_has_none(cls):
    problem, ours = solved(cls, "noisy", 0)
    assert statuses(judged(problem, ours.x)) == statuses(ours)


def test_a_row_is_judged_on_its_own():
    problem, ours = solved(LastLayer, "noisy", 0)
    x = ours.x.copy()
    x[0], x[1] = np.nan, x[1] + 0.1
    data = getattr(problem, DATA[LastLayer]).copy()
    data[2] = np.nan
    found = judged(replaced(problem, y=data), x)
    assert statuses(found) == ["MAX_ITER", "MAX_ITER", "NONFINITE"]
    assert np.isnan(found.x[2]).all(), "a number here would look like an answer"


def test_a_signal_that_is_not_finite_has_no_multipliers():
    problem, ours = solved(MidLayer, "noisy", 0)
    data = problem.x_next.copy()
    data[2] = np.nan
    found = judged(replaced(problem, x_next=data), (ours.x, np.ones_like(data)))
    assert statuses(found)[2] == "NONFINITE"
    assert not found.dual[2].any()
    assert found.dual[:2].any()


# -- proofs of infeasibility -----------------------------------------------------------------------


def test_a_proof_is_believed_where_it_holds():
    found = judged(CONTRADICTION, replace(liar(CONTRADICTION), infeasibility=PROOF))
    assert statuses(found) == ["MAX_ITER", "INFEASIBLE"]
    np.testing.assert_array_equal(found.infeasibility, PROOF)


def test_a_false_proof_beside_a_true_one_is_not_handed_on():
    both = PROOF + np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    found = judged(CONTRADICTION, replace(liar(CONTRADICTION), infeasibility=both))
    assert statuses(found) == ["MAX_ITER", "INFEASIBLE"]
    np.testing.assert_array_equal(found.infeasibility, PROOF)


@pytest.mark.parametrize("solve", [fast.solve, reference.solve])
def test_so_is_the_one_of_our_own_backends(solve):
    found = solve(CONTRADICTION)
    assert statuses(found) == ["OPTIMAL", "INFEASIBLE"]
    np.testing.assert_allclose(found.infeasibility / found.infeasibility.max(), PROOF, atol=1e-9)


@pytest.mark.parametrize("entry", [0, 1, 2])
@pytest.mark.parametrize("size", [1.0, -1.0, 1e-300, np.inf, np.nan])
def test_a_false_proof_beside_an_optimum_leaves_the_optimum(entry, size):
    ours = reference.solve(CONTRADICTION)
    false = np.zeros((2, 3))
    false[:, entry] = size
    found = judged(CONTRADICTION, replace(ours, infeasibility=false))
    assert statuses(found) == ["OPTIMAL", "MAX_ITER"]
    assert found.infeasibility is None


# -- what may be returned --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "error", "text"),
    [
        (3, TypeError, "x, .x, dual. or a cvxinv.Solution, got int"),
        (None, TypeError, "got NoneType"),
        ("x", TypeError, "got str"),
        (({}, None), TypeError, "got tuple"),
        ((1, 2, 3), TypeError, "got tuple"),
        (np.ones((3, 2)), ValueError, r"x of shape \(3, 8\), got \(3, 2\)"),
        (np.ones(8), ValueError, r"x of shape \(3, 8\), got \(8,\)"),
        ((np.ones((3, 8)), np.ones((3, 8))), ValueError, r"dual of shape \(3, 20\)"),
        (np.ones((3, 8)) + 1j, TypeError, "complex128"),
        (np.full((3, 8), "1"), TypeError, "<U1"),
        (Solution(None, None, None, None), TypeError, "got Solution"),
    ],
)
def test_one_clear_error_names_solve(returned, error, text):
    problem = instance(MidLayer, "plain", 0)
    with pytest.raises(error, match=f"^solve: .*{text}"):
        judged(problem, returned)


def test_one_signal_and_tensors():
    problem, ours = solved(MidLayer, "noisy", 0)
    alone = replaced(problem, x_next=problem.x_next[1], support=problem.support[1])
    one = judged(alone, (ours.x[1], ours.dual[1]))
    assert one.status is OPTIMAL
    assert one.x.shape == (8,)
    assert one.certificate.kkt.shape == ()
    found = judged(tensors(problem), (ours.x, torch.from_numpy(ours.dual)))
    assert isinstance(found.x, torch.Tensor)
    assert isinstance(found.certificate.kkt, torch.Tensor)
    assert statuses(found) == statuses(ours)
    np.testing.assert_allclose(found.certificate.kkt, ours.certificate.kkt, atol=ALONE)


# -- our own backends ------------------------------------------------------------------------------


def test_our_own_backends_are_known_and_only_they():
    own = [fast.solve, reference.solve, partial(partial(fast.solve, tol=1e-6), max_iter=9)]
    assert all(certified.is_own(solve) for solve in own)

    class Mine(partial):
        def __call__(self, problem):
            return liar(problem)

    others = [liar, lambda problem: fast.solve(problem), Mine(fast.solve), partial(liar)]
    assert not any(certified.is_own(solve) for solve in others)


@pytest.mark.parametrize("solve", [fast.solve, partial(reference.solve, solver="CLARABEL")])
def test_our_own_backends_are_not_certified_twice(solve, monkeypatch):
    G = generator((4, 12, 40))
    monkeypatch.setattr("cvxinv.pursuits.common.judged", None)
    y = G(np.random.default_rng(0).standard_normal((2, 4)))
    assert set(cvxinv.latent_pursuit(G, y, solve).status) == {OPTIMAL}
