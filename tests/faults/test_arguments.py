"""Every array argument of every public function in every odd form: accepted, a status, or refused
by name, as the table says.
"""

from contextlib import nullcontext

import numpy as np
import pytest

from cvxinv import Status
from cvxinv.guarantees import Verdict
from tests.support.calls import CALLS, expected, leaves
from tests.support.faults import cells
from tests.support.pretend import pretended
from tests.support.spoilt import plain, seen, spoilt

CELLS = cells()
# a truth x of any shape; it is x_hat that must have it, too
NOT_ASKED = {("cvxinv.snr", "wrong rank"), ("cvxinv.snr", "empty")}
# parts of `invert`, and slow on a pretended card
NOT_ASKED |= {(name, "other device") for name in ("cvxinv.hybrid", "fast.levenberg_marquardt")}
CASES = [
    (call, fault)
    for call in CALLS
    for (fault, column), cell in CELLS.items()
    if column == call.column and cell != "-" and (call.name, fault) not in NOT_ASKED
]
# the first is False, or True, which is no less than a status
VERDICTS = {"cvxinv.refutes", "cvxinv.Generator.supports", "testing.assert_optimal"}
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.mark.parametrize(
    ("call", "fault"), CASES, ids=[f"{c.name}-{c.argument}-{f}" for c, f in CASES]
)
def test_an_odd_array(call, fault):
    cell = CELLS[fault, call.column]
    with pretended() if fault == "other device" else nullcontext():
        given = spoilt(fault, call.value)
        before = seen(given)
        if cell == "refused":
            refused(call, given)
        else:
            found = dict(leaves(call(given)))
            right = expected(call, fault == "integer", plain(fault, call.value))
            CHECKS[cell](call, found, right)
        assert seen(given) == before


def refused(call, given):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(given)
    assert str(caught.value).startswith((f"{call.argument}: ", f"{call.argument}["))


def accepted(call, found, right):
    assert found.keys() == right.keys()
    for name, a in right.items():
        same(found[name], a, name)


def same(found, right, name):
    if isinstance(right, (np.ndarray, float)):
        np.testing.assert_allclose(found, right, **CLOSE, err_msg=name)
    else:
        assert found == right, name


def companions(call, found, right):
    """The first row may be another; an entry of a list is one row, too."""
    assert found.keys() == right.keys()
    for name, a in right.items():
        if isinstance(a, np.ndarray) and a.ndim:
            same(found[name][1:], a[1:], name)
        elif "{0}" not in name:
            same(found[name], a, name)


def status(call, found, right):
    companions(call, found, right)
    says = {name for name, a in found.items() if _says(a, "{0}" in name)}
    says -= {name for name, a in right.items() if _says(a, "{0}" in name)}  # without the fault, too
    assert says or call.name in VERDICTS


def _says(a, first):
    if isinstance(a, np.ndarray) and a.ndim:
        return a.dtype.kind == "f" and not np.isfinite(a[0]).all()
    return first and a in (Status.NONFINITE, Verdict.UNDECIDED)


CHECKS = {"accepted": accepted, "status": status, "replaced": companions}
