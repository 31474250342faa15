"""OSQP on the residual form and on the Gram form of one last layer: what expanding the square buys
(`reference.statements`).

Run as `python -m validation.gram_form`; writes validation/results/gram_form.json.
"""

import statistics
import time

import cvxpy as cp
import numpy as np
from rich.console import Console

from cvxinv.reference import statements
from cvxinv.reference.solvers import SETTINGS
from validation.record import store

M, N, REPEATS, LAM = 784, 392, 5, 1e-3


def seconds(problem: cp.Problem) -> float:
    """Wall time of one solve with OSQP at the reference's tolerances, compilation included in the
    first one only.
    """
    start = time.perf_counter()
    problem.solve(solver=cp.OSQP, warm_start=False, enforce_dpp=True, **SETTINGS["OSQP"])
    return time.perf_counter() - start


def main() -> None:
    """Time both forms on the same noisy data, in turn, and store the medians and their ratio."""
    rng = np.random.default_rng(0)
    W = rng.standard_normal((M, N)) / np.sqrt(M)
    x, t, lam = cp.Variable(N, nonneg=True), cp.Parameter(M), cp.Parameter(N, nonneg=True)
    gram = statements.last_layer(W, t, lam)
    residual = cp.Problem(cp.Minimize(0.5 * cp.sum_squares(W @ x - t) + LAM * cp.sum(x)))
    lam.value = np.full(N, LAM)
    times: dict[str, list[float]] = {"residual": [], "gram": []}
    objectives = []
    for repeat in range(REPEATS + 1):
        signal = W @ np.maximum(rng.standard_normal(N), 0)
        signal += 0.01 * np.linalg.norm(signal) / np.sqrt(M) * rng.standard_normal(M)
        t.value = signal / np.linalg.norm(signal)
        pair = seconds(residual), seconds(gram.problem)
        if repeat:  # the first compiles
            times["residual"].append(pair[0])
            times["gram"].append(pair[1])
            objectives.append(
                abs(residual.value - gram.problem.value - 0.5 * float(t.value @ t.value))
            )
    result = {
        "problem": f"last layer {M} x {N}, lam {LAM}, 1 % noise, OSQP to 1e-9",
        "milliseconds_residual_form": 1e3 * statistics.median(times["residual"]),
        "milliseconds_gram_form": 1e3 * statistics.median(times["gram"]),
        "ratio_median_of_pairs": statistics.median(
            a / b for a, b in zip(times["residual"], times["gram"], strict=True)
        ),
        "largest_difference_of_objectives": max(objectives),
        "repeats": REPEATS,
    }
    Console().print_json(data=store("gram_form", result, ("cvxpy", "osqp", "numpy"), threads=2))


if __name__ == "__main__":
    main()
