"""Ways to solve last layers with one A'A for all signals: `fast` beside rivals of our own.

    sets after ADMM     `fast`: ADMM in batches, then compiled active sets (`fast.compiled`)
    sets from zero      the same without ADMM: block pivoting (Kim, Park 2011), all sets at once
    coordinate descent  cyclic, compiled, on A'A, in float64, with the residual updated on the way

Run as `python -m validation.last_layer`; writes validation/results/last_layer.json. A'A and A't are
given, and no certificate is computed: only the methods differ. Each row is checked by `verify`.
"""

import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any

import numba
import numpy as np
import torch
import typer

import cvxinv
from cvxinv.bench.instances import cases, gaussian
from fast.compiled import active_sets
from fast.core import loop
from fast.core.layer import GramLayer
from fast.core.units import scaled
from fast.methods import graph_admm
from validation.record import store

REPEATS, THREADS = 5, 2
GOAL, ROUNDED = 1e-10, 1e-14
SWEEPS = 2_000
Point = tuple[torch.Tensor, float]  # x (B, n), and what was done for a signal, in the mean


def after_admm(layer: GramLayer) -> Point:
    """What `fast` does."""
    base: Any = graph_admm.method(layer.to(torch.float32))
    x, _ = base.answer(loop.blindly(base, base.cold(), base.fewer))
    best, _ = active_sets.solve(layer, x, layer.no_dual, GOAL, ROUNDED, SWEEPS, easy=base.easy)
    return best.x, float(best.iterations.double().mean()) + base.fewer


def from_zero(layer: GramLayer) -> Point:
    """Active sets alone."""
    zero = torch.zeros_like(layer.lam)
    best, _ = active_sets.solve(layer, zero, layer.no_dual, GOAL, ROUNDED, SWEEPS)
    return best.x, float(best.iterations.double().mean())


@numba.njit(nogil=True, cache=False, fastmath={"reassoc", "contract"})
def sweeps(H: Any, g: Any, lam: Any, x: Any, done: Any) -> None:
    """Coordinate descent for each signal until the largest step of a sweep is at the goal."""
    n = len(H)
    for b in range(len(x)):
        r = g[b].copy()  # A't - A'A x
        for sweep in range(SWEEPS):
            largest = 0.0
            for j in range(n):
                new = max(0.0, x[b, j] + (r[j] - lam[b, j]) / H[j, j])
                step = new - x[b, j]
                if step != 0.0:
                    x[b, j] = new
                    h = H[j]
                    for k in range(n):
                        r[k] -= step * h[k]
                    largest = max(largest, abs(step))
            done[b] = sweep + 1
            if largest <= GOAL:
                break


def coordinate_descent(layer: GramLayer) -> Point:
    """Cyclic coordinate descent, a part of the signals for each thread."""
    x, done = np.zeros(layer.lam.shape), np.zeros(len(layer.lam), np.int64)
    H, g, lam = (a.contiguous().numpy() for a in (layer.gram, layer.g, layer.lam))

    def run(starts: Any) -> None:
        for k in starts:
            if k >= len(x):
                return
            sweeps(H, g[k : k + 16], lam[k : k + 16], x[k : k + 16], done[k : k + 16])

    active_sets.in_threads(run, iter(range(0, len(x) + 32, 16)), -(-len(x) // 16), False)
    return torch.from_numpy(x), float(done.mean())


METHODS: dict[str, Callable[[GramLayer], Point]] = {
    "sets after ADMM": after_admm,
    "sets from zero": from_zero,
    "coordinate descent": coordinate_descent,
}


def measured(problem: Any) -> dict[str, Any]:
    """Median seconds of each method, in turn, and the KKT residuals of what it found."""
    layer, units = scaled(problem.quadratic(), even=False)
    shared = layer.with_gram(least=0)
    assert isinstance(shared, GramLayer)
    times: dict[str, list[float]] = {name: [] for name in METHODS}
    found: dict[str, Point] = {}
    for _ in range(1 + REPEATS):
        for name, run in METHODS.items():
            start = time.perf_counter()
            found[name] = run(shared)
            times[name].append(time.perf_counter() - start)
    rows = {}
    for name, (x, steps) in found.items():
        kkt = cvxinv.verify(problem, units.unscale(x, layer.no_dual)[0]).kkt
        rows[name] = {
            "ms_per_signal": 1e3 * statistics.median(times[name][1:]) / len(problem),
            "mean_steps": steps,
            "worst_kkt": float(kkt.max()),
            "solved": int((kkt <= 1e-8).sum()),
        }
    return rows


def main(signals: Annotated[int, typer.Option(min=1, help="How many.")] = 512) -> None:
    """Measure all networks and write the file."""
    networks = {
        "Gaussian": gaussian((20, 128, 392, 784)),
        "condition 100": gaussian((20, 128, 392, 784), 0, 100.0),
        "gan": cvxinv.mnist_generator("gan"),
    }
    torch.set_num_threads(THREADS)
    rows = {}
    for name, G in networks.items():
        problem = cases(G, signals, dtype=torch.float64)[0].problem
        rows[name] = measured(problem)
    result = {"signals": signals, "networks": rows}
    store("last_layer", result, ("numpy", "torch", "numba"), THREADS)


if __name__ == "__main__":
    typer.run(main)
