"""The reference as anybody's solver: `check_solver` finds nothing."""

import pytest

from cvxinv import reference
from cvxinv.testing import KINDS, check_solver


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *[(kind, {"dtypes": "float64"}) for kind in KINDS],
        ("lasso", {"library": "torch"}),
        ("latents", {"library": "torch", "batch": None}),
    ],
)
def test_the_reference_conforms(kind, options):
    check_solver(reference.solve, kind, max_examples=4, **options)
