"""What a certificate says in words, and which tolerances it takes."""

import numpy as np
import pytest

from cvxinv import LastLayer, verify

BAD = [
    (np.nan, ValueError),
    (-1.0, ValueError),
    (np.inf, ValueError),
    (True, TypeError),
    ("1e-8", TypeError),
    (None, TypeError),
]
W = np.eye(2)
BATCH = LastLayer(W, np.array([[1.0, 2.0], [1.0, 2.0], [np.nan, 0.0], [3.0, 4.0]]))
X = np.array([[1.0, 2.0], [1.0, 2.001], [0.0, 0.0], [3.0, -4.0]])


@pytest.mark.parametrize(("tol", "error"), BAD)
def test_tolerances_are_finite_numbers(tol, error):
    c = verify(BATCH, X)
    for ask in (c.optimal, c.stationary, c.report):
        with pytest.raises(error, match=r"^tol: expected"):
            ask(tol)


def test_a_report_says_which_signals_fail_which_criterion():
    c = verify(BATCH, X)
    lines = c.report(1e-6).splitlines()
    assert [line.split(":")[0] for line in lines] == ["signal 1", "signal 2", "signal 3"]
    assert "KKT residual" in lines[0]
    assert "> 1e-06" in lines[0]
    assert "violation" not in lines[0]
    assert "inf" in lines[1]
    assert "violation" in lines[2]
    assert verify(BATCH, X).report(1e300).count("\n") == 0
    alone = verify(LastLayer(W, np.array([1.0, 2.0])), np.array([1.0, 2.0]))
    assert alone.report(1e-8) == "all criteria hold to 1e-08"
    weighted = verify(LastLayer(W, np.array([1.0, 2.0]), lam=1.0), np.array([0.01, 1.0]))
    assert "gap" in weighted.report(1e-6)
    assert "signal" not in weighted.report(1e-6)


def test_a_statement_that_is_not_convex_is_stationary_at_best():
    c = verify(LastLayer(W, np.zeros((1, 2)), "tanh"), np.zeros((1, 2)))
    assert not c.optimal().any()
    assert c.stationary().all()
    assert "not convex" in c.report()
    assert repr(c) == "Certificate(1 signal: 1 stationary to 1e-06)"


def test_certificates_print_short():
    assert repr(verify(BATCH, X)) == "Certificate(4 signals: 1 optimal to 1e-06)"
    one = verify(LastLayer(W, np.array([1.0, 2.0])), np.array([1.0, 2.0]))
    assert repr(one) == "Certificate(objective 0, kkt 0, violation 0, gap nan)"
