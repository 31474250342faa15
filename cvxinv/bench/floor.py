"""The GEMM floor: what the matrix products alone cost that a solve of each problem was seen to
need.

Counted, at the machine's measured rate: two pairs of products X W', Y W in float64 (a start and a
certificate), and

* last layer: 20 products X H with the shared Gram matrix H (n x n) in float32,
* midlayer: 50 pairs X W', Y W in float32,
* latent: 3 formations of all Hessians, the 0/1 masks (B x m) times the row-wise outer products of W
  (m x n^2), in float64.

Nothing else is counted: no elementwise work, factorisation, or transfer.
"""

from collections.abc import Callable
from statistics import median
from typing import Any

from cvxinv.bench.instances import Case
from cvxinv.bench.measure import Kind, Row, timed
from cvxinv.problems import LastLayer, MidLayer

GRAM_PRODUCTS, PAIRS, HESSIANS, CERTIFYING_PAIRS = 20, 50, 3, 2


def floor(case: Case, repeats: int) -> Row:
    """The row of the floor; its note says what was counted."""
    import torch

    problem, device = case.problem, case.problem.data.device
    m, n = problem.W.shape

    def ones(shape: tuple[int, int], dtype: torch.dtype) -> Any:
        return torch.ones(shape, dtype=dtype, device=device)

    def cost(product: Callable[[], Any]) -> float:
        product()
        return median(timed(product, device.type)[0].seconds for _ in range(repeats))

    def pair(dtype: torch.dtype) -> float:
        X, Y, W = (ones(shape, dtype) for shape in ((case.batch, n), (case.batch, m), (m, n)))
        return cost(lambda: (X @ W.T, Y @ W))

    def product(rows: int, inner: int, columns: int, dtype: torch.dtype) -> float:
        X, Y = ones((rows, inner), dtype), ones((inner, columns), dtype)
        return cost(lambda: X @ Y)

    if isinstance(problem, LastLayer):
        total = GRAM_PRODUCTS * product(case.batch, n, n, torch.float32)
        note = f"{GRAM_PRODUCTS} Gram products in float32"
    elif isinstance(problem, MidLayer):
        total, note = PAIRS * pair(torch.float32), f"{PAIRS} pairs of products in float32"
    else:
        total = HESSIANS * product(case.batch, m, n * n, torch.float64)
        note = f"{HESSIANS} Hessian formations in float64"
    total += CERTIFYING_PAIRS * pair(torch.float64)
    note += f", {CERTIFYING_PAIRS} pairs in float64"
    return Row(
        case.name, "GEMM floor", Kind.FLOOR, total, case.batch, case.batch, repeats, note=note
    )
