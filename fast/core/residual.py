"""How far a point with its multipliers is from a solution: the natural residual, once for all.

Zero exactly where the KKT conditions hold; in the layer's units, in which columns, rows and signals
compare. `cvxinv.newton.natural` is the same for the certificate.
"""

import torch
from torch import Tensor

from cvxinv import newton


def columns(x: Tensor, r: Tensor, lam: Tensor, nonnegative: bool) -> Tensor:
    """x - prox(x + r), entry by entry: zero exactly where r is in the subdifferential at x."""
    entries: Tensor = newton.natural(x, r, lam, nonnegative)
    return entries


def rows(eta: Tensor, over: Tensor, unit: Tensor) -> Tensor:
    """Largest entry of min(eta, d - C x) with `over` = C x - d, in units of the rows, (B,)."""
    return torch.minimum(eta / unit, over * -unit).abs_().amax(1)


def largest(entries: Tensor) -> Tensor:
    """Largest size of an entry of each row, (B,)."""
    return entries.abs().amax(1)
