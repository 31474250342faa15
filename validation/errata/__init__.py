"""Where the paper as printed is wrong: each erratum as a counterexample that a reader can run,
beside the corrected claim on the same data.

Run as `python -m validation.errata`; writes validation/results/errata.json.
"""

from collections.abc import Callable

from validation.errata.algorithm_5 import e3, e4, e6
from validation.errata.erratum import Erratum
from validation.errata.hypotheses import e8, e9, e10
from validation.errata.slips import e11, e12
from validation.errata.theorem_3 import e1, e2, e5, e7

ERRATA: tuple[Callable[[], Erratum], ...] = (e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12)
