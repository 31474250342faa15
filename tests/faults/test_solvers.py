"""Solvers of somebody else that raise, or return what is no answer."""

import numpy as np
import pytest

import cvxinv
from cvxinv import Status
from tests.support.globals import unchanged
from tests.support.work import generator

G, Y = generator(3)
PURSUITS = {
    "invert": lambda **o: cvxinv.invert(G, Y, starts=2, **o),
    "latent pursuit": lambda **o: cvxinv.latent_pursuit(G, Y, **o),
    "layered basis pursuit": lambda **o: cvxinv.layered_basis_pursuit(G, Y, **o),
    "noisy pursuit": lambda **o: cvxinv.noisy_pursuit(G, Y, **o),
    "oracle": lambda **o: cvxinv.oracle(G, Y, G.supports(cvxinv.invert(G, Y).z), **o),
}


def like(problem, value):
    return np.full((*problem.data.shape[:-1], problem.W.shape[1]), value)


REFUSED = {
    "nothing": lambda p: None,
    "a number": lambda p: 3.0,
    "a text": lambda p: "x",
    "texts": lambda p: like(p, 0.0).astype(str),
    "objects": lambda p: like(p, 0.0).astype(object),
    "a generator": lambda p: (row for row in like(p, 0.0)),
    "a dictionary": lambda p: {"x": like(p, 0.0)},
    "three things": lambda p: (like(p, 0.0), None, None),
    "another shape": lambda p: like(p, 0.0)[..., 1:],
    "the wrong rank": lambda p: like(p, 0.0)[None],
    "complex": lambda p: like(p, 0.0).astype(complex),
    "a masked array": lambda p: np.ma.array(like(p, 0.0), mask=True),
    "a ragged list": lambda p: [[1.0], [1.0, 2.0]],
}
CLAIMS = {
    "nan": lambda p: like(p, np.nan),
    "inf": lambda p: like(p, np.inf),
    "huge": lambda p: like(p, 1e300),
    "negative": lambda p: like(p, -1.0),
    "zero": lambda p: like(p, 0.0),
    "a list": lambda p: like(p, 0.0).tolist(),
    "a dual of nan": lambda p: (like(p, 0.0), np.full(p.data.shape, np.nan)),
}


@pytest.mark.parametrize("pursuit", list(PURSUITS))
@pytest.mark.parametrize("returned", list(REFUSED))
def test_refused(pursuit, returned):
    with unchanged(), pytest.raises((TypeError, ValueError), match=r"^solve: "):
        PURSUITS[pursuit](solve=REFUSED[returned])


@pytest.mark.parametrize("pursuit", list(PURSUITS))
@pytest.mark.parametrize("returned", list(CLAIMS))
def test_judged(pursuit, returned):
    """No status is better than the point: `invert` goes on to eq. 1, pursuits say so."""
    with unchanged():
        inv = PURSUITS[pursuit](solve=CLAIMS[returned])
    assert len(inv.status) == len(Y)
    for z, status, y in zip(inv.z, inv.status, Y, strict=True):
        if status is Status.OPTIMAL:
            np.testing.assert_allclose(G(z), y, atol=1e-6)
    if pursuit != "invert":
        assert Status.OPTIMAL not in list(inv.status)


@pytest.mark.parametrize("pursuit", list(PURSUITS))
@pytest.mark.parametrize("error", ["ZeroDivisionError", "MemoryError", "KeyboardInterrupt"])
def test_raised(pursuit, error):
    kind = {e.__name__: e for e in (ZeroDivisionError, MemoryError, KeyboardInterrupt)}[error]

    def fails(problem):
        raise kind("of the solver")

    with unchanged(), pytest.raises(kind, match="of the solver"):
        PURSUITS[pursuit](solve=fails)
