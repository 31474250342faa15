import numpy as np
import pytest
import torch

from cvxinv.pursuits import debias
from tests.support.instances import generator
from tests.support.tolerances import CLOSED_FORM, FORWARD

SIGNALS = 7


def case(phi, seed=0):
    """Signals with noise, starts nearby and the true supports, which determine z, and a mask for
    each signal.
    """
    rng = np.random.default_rng(seed)
    G = generator((4, 12, 30, 80), phi, biased=True)
    z = rng.standard_normal((100, 4))
    z = z[G.supports(z)[0].sum(axis=1) > 5][:SIGNALS]
    y = G(z) + 0.05 * rng.standard_normal((SIGNALS, 80))
    return G, y, z + 0.1 * rng.standard_normal(z.shape), G.supports(z), rng.random(y.shape) < 0.8


@pytest.mark.parametrize("phi", ["identity", "tanh", "sigmoid", "plu", "leaky_relu"])
def test_the_frozen_generator_is_affine_up_to_phi(phi):
    G, _, z, _, _ = case(phi)
    J, k = debias.frozen(G, G.supports(z))
    np.testing.assert_allclose(
        G.activation((J @ z[:, :, None])[:, :, 0] + k), G(z), rtol=FORWARD, atol=FORWARD
    )


@pytest.mark.parametrize("phi", ["identity", "tanh", "plu"])
@pytest.mark.parametrize("masked", [False, True])
def test_batches_are_cut_into_chunks_without_a_trace(phi, masked, monkeypatch):
    G, y, z, supports, seen = case(phi)
    seen = seen if masked else None
    whole = debias.debias(G, y, z, supports, seen)
    monkeypatch.setattr(debias, "COPIES", 10**6)
    cut = debias.debias(G, y, z, supports, seen)
    as_tensors = [torch.tensor(S) for S in supports]
    tensors = debias.debias(
        G, torch.tensor(y), torch.tensor(z), as_tensors, torch.tensor(seen) if masked else None
    )
    np.testing.assert_allclose(cut, whole, atol=CLOSED_FORM)
    np.testing.assert_allclose(tensors, whole, atol=CLOSED_FORM)
    for b in range(SIGNALS):
        alone = debias.debias(
            G, y[b], z[b], [S[b] for S in supports], None if seen is None else seen[b]
        )
        np.testing.assert_allclose(alone, whole[b], atol=CLOSED_FORM)


def test_no_start_no_debiasing():
    """A signal whose pursuit failed keeps its nan; an empty batch stays one; what was given is not
    written to.
    """
    G, y, z, supports, _ = case("plu")
    z[2] = np.nan
    given = z.copy()
    fitted = debias.debias(G, y, z, supports, None)
    np.testing.assert_array_equal(z, given)
    assert np.isnan(fitted[2]).all()
    assert np.isfinite(np.delete(fitted, 2, axis=0)).all()
    assert (np.delete(fitted != z, 2, axis=0)).any()
    assert debias.debias(G, y[:0], z[:0], [S[:0] for S in supports], None).shape == (0, 4)
