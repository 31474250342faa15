"""Theorems 1 and 2 for batches, single signals, tensors, and input that is degenerate or wrong."""

import numpy as np
import pytest
import torch

import cvxinv
from cvxinv.guarantees import Verdict, uniqueness
from tests.support.spoiled import SIZES, generator, latents, verdicts

HOLDS, FAILS, UNDECIDED = Verdict.HOLDS, Verdict.FAILS, Verdict.UNDECIDED


def same(a, b, at=slice(None)):
    """Two answers agree; the second at one signal."""
    assert np.array_equal(np.asarray(a.injective), np.asarray(b.injective)[at])
    for c, d in zip(a.conditions, b.conditions, strict=True):
        for name in ("cardinality", "verdict", "reason", "independent"):
            assert np.array_equal(np.asarray(getattr(c, name)), np.asarray(getattr(d, name))[at])


@pytest.mark.parametrize("theorem", [1, 2])
def test_one_signal_and_supports_instead_of_latents(theorem):
    G, z = generator(0), latents(0)
    batch = uniqueness(G, z, theorem)
    for b in range(len(z)):
        alone = uniqueness(G, z[b], theorem)
        assert alone.verdict is batch.verdict[b]
        same(alone, batch, b)
        same(uniqueness(G, [S[b] for S in G.supports(z)], theorem), batch, b)
    same(uniqueness(G, G.supports(z), theorem), batch)
    same(uniqueness(G, [S[::-1] for S in G.supports(z[::-1])], theorem), batch)
    same(uniqueness(G, [S.tolist() for S in G.supports(z)], theorem), batch)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors(dtype):
    G, z = generator(1), latents(1)
    found = uniqueness(G.to("cpu", dtype=dtype), torch.tensor(z, dtype=dtype))
    assert all(
        isinstance(a, torch.Tensor)
        for a in (found.injective, found.conditions[0].cardinality, found.conditions[0].independent)
    )
    same(found, uniqueness(G, z))
    same(
        uniqueness(
            G,
            [torch.tensor(S) for S in G.supports(z)],
            observed=torch.ones(SIZES[-1], dtype=torch.bool),
        ),
        uniqueness(G, z),
    )


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_scales(scale):
    G, z = generator(2, kind="repeated"), latents(2)
    scaled = cvxinv.Generator([scale * W for W in G.weights])
    same(uniqueness(scaled, z), uniqueness(G, z))


def test_signals_that_are_not_finite_are_undecided():
    G, z = generator(0), latents(0)
    z[1, 0], z[3, 1] = np.nan, np.inf
    for theorem in (1, 2):
        found = uniqueness(G, z, theorem)
        assert [v is UNDECIDED for v in found.verdict] == [False, True, False, True, False, False]
        assert "nan or inf" in found.reason[1]
        assert not found.injective[1]
        kept = [0, 2, 4, 5]
        same(uniqueness(G, z[kept], theorem), found, kept)


@pytest.mark.parametrize("theorem", [1, 2])
def test_no_signals(theorem):
    found = uniqueness(generator(0), np.zeros((0, 2)), theorem)
    assert found.verdict.shape == found.reason.shape == found.injective.shape == (0,)
    assert str(found)


def test_dead_layers():
    G = cvxinv.Generator([np.zeros((4, 2)), np.ones((5, 4))])
    found = uniqueness(G, np.ones((1, 2)))
    assert verdicts(found)[:, 0].tolist() == [
        HOLDS,
        FAILS,
    ]  # nothing is sparser than zero; rank 0 < 2
    assert uniqueness(G, np.ones(2), 2).verdict is FAILS


def test_what_it_prints():
    text = str(uniqueness(generator(0), latents(0)))
    assert text.count("\n") == 2
    for word in (
        "Theorem 1 (i), s_2 < spark(W_2)/2",
        "(ii), s_1 < spark(W_1[S_2])/2",
        "(iii)",
        "HOLDS",
    ):
        assert word in text


def test_arguments_that_are_wrong():
    G, z = generator(0), latents(0)
    S = G.supports(z)
    for arguments, error, words in (
        (("G", z), TypeError, "G: expected"),
        ((G, z[:, :1]), ValueError, "z_or_supports: expected shape"),
        ((G, S[0]), TypeError, "z_or_supports"),
        ((G, S[:1]), ValueError, "z_or_supports: expected 2 masks"),
        ((G, [S[0], S[0]]), ValueError, r"z_or_supports\[1\]"),
        ((G, [S[0], S[1][:2]]), ValueError, r"z_or_supports\[1\]"),
        ((G, [S[0], 1.0 * S[1]]), TypeError, r"z_or_supports\[1\]"),
        ((G, z, 3), ValueError, "theorem"),
        ((G, z, 1, np.ones(4, bool)), ValueError, "observed"),
        ((G, z, 1, np.ones(5)), TypeError, "observed"),
        ((G, z[0], 1, np.ones((6, 5), bool)), ValueError, "observed"),
    ):
        with pytest.raises(error, match=words):
            uniqueness(*arguments)
    with pytest.raises(ValueError, match="budget"):
        uniqueness(G, z, budget=-1.0)
    with pytest.raises(ValueError, match="tol"):
        uniqueness(G, z, tol=2.0)
