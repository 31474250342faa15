"""Theorems 1 and 2 per signal, layer and condition: against their definition, against exhaustive
search, and on the shipped generator.
"""

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cvxinv
from cvxinv.guarantees import Verdict, uniqueness
from tests.support import dependence as brute
from tests.support.spoiled import SIZES, generator, latents, verdicts

HOLDS, FAILS, UNDECIDED = Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED


def expected(G, supports, seen, theorem, generic=False):
    """The verdicts by definition, with spark by brute force."""
    rows, sizes = [*supports[1:], seen], [int(S.sum()) for S in supports]
    out = []
    for i in range(G.depth, 0, -1):
        kept, s = rows[i - 1], sizes[i - 1]
        m = int(kept.sum())
        holds = (
            s < m
            if theorem == 2
            else s < (m + 1) / 2
            if generic
            else s < brute.spark(G.weights[i][kept]) / 2
        )
        out.append(HOLDS if holds else FAILS)
    n_0, (S, s) = G.sizes[0], (supports[0], sizes[0])
    out.append(
        HOLDS
        if (s >= n_0 if theorem == 2 or generic else brute.rank(G.weights[0][S]) == n_0)
        else FAILS
    )
    return out


# -- against the definitions -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gaussian", "repeated", "zero_column", "rank_two", "singular"])
@pytest.mark.parametrize("bias", [False, True], ids=["", "bias"])
@pytest.mark.parametrize("theorem", [1, 2])
def test_verdicts_are_those_of_the_definition(kind, bias, theorem):
    for seed in range(4):
        G, z = generator(seed, kind=kind, bias=bias), latents(seed)
        seen = np.random.default_rng(seed).random((len(z), SIZES[-1])) < 0.8
        for observed in (None, seen[0], seen):
            found = uniqueness(G, z, theorem, observed)
            rows = np.broadcast_to(True if observed is None else observed, seen.shape)
            for b in range(len(z)):
                truth = expected(G, [S[b] for S in G.supports(z)], rows[b], theorem)
                assert verdicts(found)[:, b].tolist() == truth
                assert found.verdict[b] is (HOLDS if set(truth) == {HOLDS} else FAILS)


def test_random_weights_by_eq_3():
    for seed in range(4):
        G, z = generator(seed), latents(seed)
        found = uniqueness(G, z, generic=True)
        for b in range(len(z)):
            assert verdicts(found)[:, b].tolist() == expected(
                G, [S[b] for S in G.supports(z)], np.ones(SIZES[-1], bool), 1, True
            )
        assert "(n + 1)/2" in found.conditions[0].statement


@given(
    st.integers(0, 2**6 - 1), st.integers(0, 2**7 - 1), st.integers(0, 2**5 - 1), st.integers(0, 2)
)
@example(0, 0, 0, 0)
@example(2**6 - 1, 2**7 - 1, 2**5 - 1, 0)
@example(0, 2**7 - 1, 0, 1)
@example(2**6 - 1, 0, 2**5 - 1, 2)
def test_any_supports(first, second, pixels, seed):
    G = generator(seed, kind=("gaussian", "repeated", "rank_two")[seed])
    S = [
        np.array([k >> j & 1 for j in range(n)], dtype=bool)
        for k, n in zip((first, second, pixels), SIZES[1:], strict=True)
    ]
    for theorem in (1, 2):
        found = uniqueness(G, S[:2], theorem, S[2])
        assert [c.verdict for c in found.conditions] == expected(G, S[:2], S[2], theorem)
        assert [int(c.cardinality) for c in found.conditions] == [
            S[1].sum(),
            S[0].sum(),
            S[0].sum(),
        ]


def sparsest(W, t, s):
    """All x with W x = t and at most s nonzeros, found by trying every set of columns; None if
    there are infinitely many.
    """
    found = []
    for k in range(s + 1):
        for T in map(list, combinations(range(W.shape[1]), k)):
            x = np.zeros(W.shape[1])
            x[T] = np.linalg.lstsq(W[:, T], t)[0] if len(W) else 0
            if np.linalg.norm(W @ x - t) > 1e-9 * max(1, np.linalg.norm(t)):
                continue
            if k and (not len(W) or np.linalg.matrix_rank(W[:, T], tol=1e-9) < k):
                return None
            if not any(np.allclose(x, y, atol=1e-7) for y in found):
                found.append(x)
    return found


def test_what_holds_is_true():
    """Where (i) and (ii) hold, an exhaustive search over all sparse solutions of each layer finds
    the layer itself, and nothing else.
    """
    held = 0
    for seed in range(12):
        G = generator(seed, (2, 5, 9, 8), kind=("gaussian", "repeated")[seed % 2])
        z = latents(seed)
        found, layers = uniqueness(G, z), G.layers(z)
        for c in found.conditions[:2]:
            for b in np.flatnonzero(c.verdict == HOLDS):
                x = layers[c.layer - 1][b]
                S = layers[c.layer][b] > 0 if c.layer < G.depth else np.ones(G.sizes[-1], bool)
                W = G.weights[c.layer][S]
                only = sparsest(W, W @ x, int(c.cardinality[b]))
                assert only is not None
                assert len(only) == 1
                np.testing.assert_allclose(only[0], x, atol=1e-7)
                held += 1
    assert held > 30


def test_independent_columns_are_told_apart_from_the_verdict():
    W0, W1 = np.random.default_rng(0).standard_normal((4, 2)), np.eye(4)
    found = uniqueness(cvxinv.Generator([W0, W1]), [np.array([True, True, True, False])])
    assert found.verdict is FAILS  # 3 >= (4 + 1)/2, by the convention spark = n + 1
    assert "no columns are dependent" in found.reason
    assert found.injective
    assert (
        uniqueness(cvxinv.Generator([W0, W1]), [np.array([True, True, False, False])]).verdict
        is HOLDS
    )
    assert not uniqueness(
        cvxinv.Generator([W0, W1[:, [0, 0, 1, 2]]]), [np.array([True, True, False, False])]
    ).injective


# -- what the budget buys --------------------------------------------------------------------------


def test_budget_decides_what_coherence_leaves_open():
    rng = np.random.default_rng(0)
    G = cvxinv.Generator([rng.standard_normal((16, 2)), rng.standard_normal((8, 16))])
    S = np.arange(16) < np.array([[1], [3], [4], [5]])
    found = uniqueness(G, [S], budget=0.0)
    assert found.conditions[0].verdict.tolist() == [HOLDS, UNDECIDED, UNDECIDED, FAILS]
    assert "known only to lie in" in found.conditions[0].reason[1]
    assert found.verdict.tolist() == [
        FAILS,
        UNDECIDED,
        UNDECIDED,
        FAILS,
    ]  # rank W_0[S_1] < 2 for the first
    found = uniqueness(G, [S])
    assert found.conditions[0].verdict.tolist() == [HOLDS, HOLDS, HOLDS, FAILS]
    assert found.verdict.tolist() == [FAILS, HOLDS, HOLDS, FAILS]


def test_signals_that_share_their_rows_are_all_decided():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((9, 16))
    W[:, 0] = W[:, 1:7] @ rng.standard_normal(6)  # spark 7: s = 3 holds, s = 4 fails
    S = np.arange(16) < np.array([[3], [4]])
    found = uniqueness(cvxinv.Generator([rng.standard_normal((16, 2)), W]), [S])
    assert found.conditions[0].verdict.tolist() == [HOLDS, FAILS]


def test_the_budget_is_for_all_signals_together():
    rng = np.random.default_rng(0)
    G = cvxinv.Generator(
        [rng.standard_normal((80, 2)), rng.standard_normal((60, 80)), rng.standard_normal((90, 60))]
    )
    S = [rng.random((20, 80)) < 0.1, rng.random((20, 60)) < 0.6]
    start = time.monotonic()
    found = uniqueness(G, S, budget=1.0)
    assert time.monotonic() - start < 30
    assert UNDECIDED in found.conditions[1].verdict


@pytest.mark.slow
def test_shipped_generator():
    G, z = cvxinv.mnist_generator(), np.random.default_rng(0).standard_normal((64, 20))
    start = time.monotonic()
    one, two = uniqueness(G, z, budget=1.0), uniqueness(G, z, 2)
    assert time.monotonic() - start < 60
    s_2 = G.supports(z)[1].sum(axis=1)
    assert (
        (one.conditions[0].verdict == HOLDS) == (s_2 < 393 / 2)
    ).all()  # W_2 has 392 independent columns
    assert set(one.conditions[1].verdict) == {HOLDS, FAILS, UNDECIDED}
    assert (one.conditions[2].verdict == HOLDS).all()
    assert (two.verdict == HOLDS).all()
    assert one.injective.sum() == 61
