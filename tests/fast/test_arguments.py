"""Arguments of `fast.solve`: what is wrong with one is said in its name."""

import numpy as np
import pytest

import fast
from cvxinv import (
    LastLayer,
    Latent,
    LinearProgram,
    MidLayer,
    Status,
)

W = np.random.default_rng(0).standard_normal((9, 4))
Y = np.random.default_rng(1).standard_normal((3, 9))
LAST, MID = LastLayer(W, Y), MidLayer(W, np.abs(Y))
BAD = [
    (ValueError, "method", lambda: fast.solve(LAST, method="admm")),
    (ValueError, "method", lambda: fast.solve(MID, method="fista")),
    (ValueError, "method", lambda: fast.solve(Latent(W, Y), method="fista")),
    (ValueError, "rho", lambda: fast.solve(MID, method="linearized_admm", rho=-1.0)),
    (ValueError, "rho", lambda: fast.solve(MID, method="linearized_admm", rho=0.0)),
    (TypeError, "rho", lambda: fast.solve(MID, method="linearized_admm", rho="1")),
    (ValueError, "alpha_beta", lambda: fast.solve(MID, method="linearized_admm", alpha_beta=-1.0)),
    (
        ValueError,
        "alpha_beta",
        lambda: fast.solve(MID, method="linearized_admm", alpha_beta=np.nan),
    ),
    (ValueError, "tol", lambda: fast.solve(LAST, tol=0.0)),
    (ValueError, "tol", lambda: fast.solve(LAST, tol=-1e-8)),
    (ValueError, "tol", lambda: fast.solve(LAST, tol=np.inf)),
    (TypeError, "tol", lambda: fast.solve(LAST, tol=True)),
    (TypeError, "tol", lambda: fast.solve(LAST, tol="1e-8")),
    (ValueError, "max_iter", lambda: fast.solve(LAST, max_iter=-1)),
    (ValueError, "max_iter", lambda: fast.solve(LAST, max_iter=-1, method="fista")),
    (TypeError, "max_iter", lambda: fast.solve(LAST, max_iter=10.0)),
    (ValueError, "x0", lambda: fast.solve(LAST, x0=np.ones((3, 5)))),
    (ValueError, "x0", lambda: fast.solve(LAST, x0=np.ones(4))),
    (ValueError, "x0", lambda: fast.solve(LastLayer(W, Y[0]), x0=np.ones((1, 4)))),
    (TypeError, "x0", lambda: fast.solve(LAST, x0=np.ones((3, 4), bool))),
    (TypeError, "x0", lambda: fast.solve(LAST, x0="zero")),
    (ValueError, "history", lambda: fast.solve(LAST, history=True)),
    (ValueError, "rho", lambda: fast.solve(MID, rho=1.0)),
    (ValueError, "alpha_beta", lambda: fast.solve(MID, alpha_beta=2.0)),
    (ValueError, "restart", lambda: fast.solve(LAST, restart=True)),
    (ValueError, "memory", lambda: fast.solve(LAST, memory=0)),
    (ValueError, "memory", lambda: fast.solve(LAST, memory=-5)),
    (TypeError, "memory", lambda: fast.solve(LAST, memory=1e9)),
    (TypeError, "problem", lambda: fast.solve(Y)),
    (TypeError, "problem", lambda: fast.solve(LinearProgram(W, np.abs(Y)))),
]


@pytest.mark.parametrize(
    ("error", "name", "call"), BAD, ids=[f"{i}-{name}" for i, (_, name, _) in enumerate(BAD)]
)
def test_wrong_arguments_are_named(error, name, call):
    with pytest.raises(error, match=rf"^{name}\b"):
        call()


def test_numbers_may_be_of_any_kind():
    sol = fast.solve(
        MID,
        np.float32(1e-6),
        np.int64(4000),
        "linearized_admm",
        rho=np.float64(1),
        alpha_beta=100,
        memory=np.int64(1 << 20),
    )
    assert list(sol.status) == [Status.OPTIMAL] * 3
