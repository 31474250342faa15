"""The errata: every demonstration shows what it says; and claims as printed searched for
violations, smallest ones first.
"""

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import fast
from cvxinv import BasisPursuit, Generator, LastLayer, MidLayer, verify
from cvxinv.guarantees import mutual_coherence, oracle_error
from cvxinv.guarantees.recursion import TROPP
from tests.support import dependence as brute
from tests.support.printed import linearized_admm
from tests.support.tolerances import CLOSED_FORM, FORWARD
from validation.errata import ERRATA
from validation.errata.algorithm_5 import algorithm_5
from validation.tightness.designs import NOISES, designs, noise

SEARCH = settings(
    max_examples=250,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],  # draws that miss a claim's conditions are dropped
)


def found(strategy, violates, options=SEARCH):
    """The smallest instance that Hypothesis finds, or None."""
    try:
        return find(strategy, violates, settings=options)
    except NoSuchExample:
        return None


def matrices(m, n, largest=3):
    """(m, n) matrices of small whole numbers."""
    return st.lists(st.integers(-largest, largest), min_size=m * n, max_size=m * n).map(
        lambda v: np.array(v, float).reshape(m, n)
    )


@pytest.mark.parametrize("erratum", ERRATA, ids=lambda f: f.__name__)
def test_the_demonstration_shows_it(erratum):
    e = erratum()
    assert e.printed
    assert e.corrected
    assert e.demonstrated, [str(m) for m in (*e.printed, *e.corrected)]


# -- Theorem 3 -------------------------------------------------------------------------------------


def violates_lemma_2(instance, weighted):
    """Whether conditions hold, and the support or the error is not as claimed: with one lam, or
    with one per column.
    """
    W, x, e = instance
    eps, norms, s = float(np.linalg.norm(e)), np.linalg.norm(W, axis=0), np.count_nonzero(x)
    if eps == 0 or norms.min() == 0 or 3 * s * mutual_coherence(W) >= 1:
        return False
    sol = fast.solve(BasisPursuit(W, W @ x + e, lam=2 * eps * (norms if weighted else 1.0)))
    bound = TROPP * eps / (norms if weighted else norms.min())
    return bool(
        (sol.support & (x == 0)).any() or (abs(sol.x - x) > bound * (1 + CLOSED_FORM)).any()
    )


def instances(m, n):
    """W, x >= 0 and noise, all of whole numbers."""
    vector = st.lists(st.integers(0, 9), min_size=n, max_size=n).map(lambda v: np.array(v, float))
    return st.tuples(matrices(m, n), vector, matrices(1, m, 2).map(lambda e: e[0] / 10))


def test_the_search_finds_erratum_1_and_nothing_against_the_correction():
    smallest = found(instances(2, 2), lambda i: violates_lemma_2(i, weighted=False))
    assert smallest is not None
    assert not violates_lemma_2(smallest, weighted=True)
    for shape in ((2, 2), (4, 3)):
        assert found(instances(*shape), lambda i: violates_lemma_2(i, weighted=True)) is None


def test_one_lam_for_all_columns_fails_on_ordinary_designs():
    """Not only in a constructed corner: where column norms differ, most draws violate Theorem 3 as
    printed.
    """
    design, rng = (
        next(d for d in designs() if d.name.startswith("Gaussian")),
        np.random.default_rng(0),
    )
    W, eps = design.G.weights[1], 3.0
    z = design.draw(100, rng)
    (x,) = design.G.layers(z)
    norms = np.linalg.norm(W, axis=0)
    violated = {}
    for weighted in (False, True):
        e = np.concatenate(
            [
                noise(kind, design, part, eps, rng)
                for kind, part in zip(NOISES, np.split(z, 4), strict=True)
            ]
        )
        sol = fast.solve(BasisPursuit(W, x @ W.T + e, lam=2 * eps * (norms if weighted else 1.0)))
        bound = TROPP * eps / norms if weighted else np.full(16, TROPP * eps / norms.min())
        violated[weighted] = (
            (sol.support & (x == 0)).any(axis=1) | (np.abs(sol.x - x) >= bound).any(axis=1)
        ).mean()
    assert violated[False] > 0.5
    assert violated[True] == 0


def test_fewer_rows_are_never_less_coherent_at_their_worst():
    """mu_s does not grow with s (a mediant of cosines), so the condition on the rows kept implies
    the printed one.
    """
    rng = np.random.default_rng(0)
    for _ in range(20):
        W = rng.standard_normal((6, 4))
        worst = [
            max(mutual_coherence(W[list(S)]) for S in combinations(range(6), s))
            for s in range(1, 7)
        ]
        assert (np.diff(worst) <= FORWARD).all()


# -- Algorithm 5 -----------------------------------------------------------------------------------


def test_the_search_finds_erratum_3():
    def concave(pair):
        f = [0.5 * np.tanh(t) ** 2 for t in (pair[0], sum(pair) / 2, pair[1])]
        return f[1] > (f[0] + f[2]) / 2 + FORWARD

    pairs = st.tuples(st.integers(0, 10), st.integers(0, 10))
    assert found(pairs, concave) is not None
    assert found(pairs, lambda p: (sum(p) / 2) ** 2 > (p[0] ** 2 + p[1] ** 2) / 2 + FORWARD) is None


def test_the_search_finds_erratum_4():
    def worse(W, step):
        problem = LastLayer(W, np.ones(2))
        returned = algorithm_5(problem, step, 60)[1][-1]
        return np.sum((W @ returned - 1) ** 2) > 2 + FORWARD

    assert found(matrices(2, 2), lambda W: worse(W, 0.5)) is not None
    assert (
        found(matrices(2, 2), lambda W: W.any() and worse(W, 1 / np.linalg.norm(W, 2) ** 2)) is None
    )


def test_the_search_finds_erratum_6():
    def negative(instance, returned):
        W, y = instance
        points = algorithm_5(LastLayer(W, y[0]), 1 / max(np.linalg.norm(W, 2) ** 2, 1), 5)
        return bool((points[returned] < 0).any())

    problems = st.tuples(matrices(2, 2), matrices(1, 2))
    assert found(problems, lambda p: negative(p, returned=1)) is not None
    assert found(problems, lambda p: negative(p, returned=0)) is None


# -- Algorithm 2 -----------------------------------------------------------------------------------


def test_no_violation_of_the_convergence_of_algorithm_2_is_found():
    """With alpha + beta at its smallest, lambda_max(W_S'W_S + rho W_Sc'W_Sc), it converges; with a
    third of that, it does not always.
    """

    def lost(instance, share):
        W, t, kept, rho = instance
        S = np.array(kept)
        problem = MidLayer(W, np.where(S, np.abs(t), 0.0), S, lam=0.1)
        largest = np.linalg.eigvalsh(W[S].T @ W[S] + rho * W[~S].T @ W[~S])[-1]
        if largest == 0:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            x = linearized_admm(problem, 0, 1_000, rho, share * largest)[0][-1]
            return not verify(problem, x[None]).kkt[0] < 1e-3

    problems = st.tuples(
        matrices(3, 2),
        matrices(1, 3),
        st.tuples(*[st.booleans()] * 3),
        st.sampled_from([0.5, 1.0, 2.0]),
    )
    quick = settings(SEARCH, max_examples=100)
    assert found(problems, lambda p: lost(p, 1.0), quick) is None
    assert found(problems, lambda p: lost(p, 1 / 3), quick) is not None


# -- Theorems 1, 2 and 4 ---------------------------------------------------------------------------


def sparks(W):
    return brute.spark(W, np.linalg.matrix_rank)  # of whole numbers: no scaling is needed


def collides(weights, factor):
    """Whether two z of a grid give one signal although both meet the conditions of Theorem 1, with
    `factor` for 1 / 2 in (i).
    """
    G, L, n_0 = Generator(weights), len(weights) - 1, weights[0].shape[1]
    last, seen = sparks(weights[L]), {}
    for z in product((-2.0, -1.0, 0.0, 1.0, 2.0), repeat=n_0):
        s = [int(S.sum()) for S in G.supports(np.array(z))]
        if (
            s[-1] >= factor * last
            or s[0] < n_0
            or brute.over_rows(np.linalg.matrix_rank, min, weights[0], s[0]) < n_0
        ):
            continue
        if any(s[i - 1] >= brute.over_rows(sparks, min, weights[i], s[i]) / 2 for i in range(1, L)):
            continue
        if seen.setdefault(tuple(G(np.array(z))), z) != z:
            return True
    return False


@pytest.mark.parametrize("sizes", [(1, 4, 3), (2, 4, 3), (1, 2, 4, 2)], ids=str)
def test_no_violation_of_theorem_1_is_found(sizes):
    """The search has the power to find one: without condition (i) there are some."""
    networks = st.tuples(*(matrices(m, n, 2) for n, m in pairwise(sizes)))
    assert found(networks, lambda w: collides(w, 0.5)) is None
    assert found(networks, lambda w: collides(w, 10.0)) is not None


def test_the_search_finds_that_theorem_4_needs_full_column_rank():
    def below(W, full):
        """Whether the least-norm answer is better than the printed lower bound, where W has (not)
        full column rank.
        """
        if not W.any() or (np.linalg.matrix_rank(W) == W.shape[1]) != full:
            return False
        x = np.linalg.pinv(W) @ W @ np.ones(W.shape[1])  # no bias
        if not (x > FORWARD).all():
            return False
        return np.sum(np.linalg.pinv(W) ** 2) < W.shape[1] / np.linalg.norm(W, 2) ** 2 * (
            1 - FORWARD
        )

    assert found(matrices(2, 3), lambda W: below(W, full=False)) is not None
    assert found(matrices(3, 2), lambda W: below(W, full=True)) is None
    G = Generator([np.eye(3), np.ones((2, 3))])
    assert oracle_error(G, [np.ones(3, bool)], 1.0).lower[1] == 0
