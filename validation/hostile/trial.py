"""Batches of hostile instances: what every backend and `verify` say, judged by exact answers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import Progress

import cvxinv
import fast

from .. import exact
from .draws import draw, literal
from .judge import Call, Case, Judge
from .tally import Tally

BATCH = 8  # signals that share W, and are solved in one call
CAP = 300  # iterations of the printed methods
TOL = 1e-8  # at which `verify` is asked: that of the statuses


def backends(constrained: bool, number: int, reference: dict[str, int]) -> Iterator[Call]:
    """All that solve batch `number`: `fast`, and the solvers of the reference whose turn it is."""
    yield Call("fast", lambda p, _: fast.solve(p), lambda _: "fast.solve(problem)")
    method: Any = "linearized_admm" if constrained else "fista"
    printed = f"fast.solve(problem, method={method!r}, max_iter={CAP})"
    yield Call(method, lambda p, _: fast.solve(p, method=method, max_iter=CAP), lambda _: printed)
    for solver, every in reference.items():
        if number % every == 0:
            yield _reference(solver)


def _reference(solver: str) -> Call:
    code = f"cvxinv.reference.solve(problem, {solver!r})"
    return Call(solver, lambda p, _: cvxinv.reference.solve(p, solver), lambda _: code)


def points(rng: np.random.Generator, W: Any, x: Any, true: Any) -> dict[str, Any]:
    """Points (B, n) that try to be taken for solutions, made from answers x and the exact ones."""
    size = np.abs(x).max(1, keepdims=True)
    size = np.where(size > 0, size, 1.0)
    entry = np.arange(x.shape[1]) == rng.integers(x.shape[1], size=(len(x), 1))
    flat = np.linalg.svd(W)[2][-1]
    return {
        "exact": true,
        "zero": 0 * x,
        "perturbed": x * (1 + 10.0 ** -rng.integers(2, 9) * rng.standard_normal(x.shape)),
        "shrunk": true * (1 - 10.0 ** -rng.integers(2, 7)),
        "one zero": np.where(entry, 0.0, true),
        "one negative": np.where(entry, -size * 10.0 ** rng.integers(-6, 7), x),
        "random": rng.standard_normal(x.shape) * size,
        "flat": x + 10.0 ** rng.integers(3, 13) * size * flat,
        "far": np.full(x.shape, 1e9),
        "huge": np.full(x.shape, 10.0 ** rng.integers(20, 90)),
    }


def probes(rng: np.random.Generator, W: Any, sol: Any, true: Any) -> Iterator[Call]:
    """Calls of `verify` with points, and multipliers, that are made up."""
    x = np.nan_to_num(sol.x)
    made = [(name, point, None) for name, point in points(rng, W, x, true).items()]
    if sol.dual is not None:
        dual = np.nan_to_num(sol.dual)
        noise = rng.standard_normal(dual.shape) * 10.0 ** rng.integers(-12, 13, dual.shape)
        made += [("1000 dual", x, 1000 * dual), ("-dual", x, -dual), ("random dual", x, noise)]
        made += [("exact, random dual", true, np.abs(noise)), ("random pair", made[6][1], noise)]
    for name, point, eta in made:

        def run(problem: Any, k: Any, point: Any = point, eta: Any = eta) -> Any:
            return point[k], cvxinv.verify(problem, point[k], None if eta is None else eta[k])

        def code(k: int, point: Any = point, eta: Any = eta) -> str:
            dual = "" if eta is None else f", {literal(eta[k])}"
            return f"cvxinv.verify(problem, {literal(point[k])}{dual})"

        yield Call(f"verify: {name}", run, code)


def trial(seed: int, number: int, reference: dict[str, int]) -> Tally:
    """Batch `number`: every backend, then `verify`."""
    torch.set_num_threads(1)
    rng = np.random.default_rng([seed, number])
    drawn = draw(rng, BATCH)
    n = drawn.problem.W.shape[1]
    signals = exact.signals(drawn.problem)
    judge = Judge(drawn, [None if s is None else Case(s, exact.solve(s)) for s in signals])
    answers = [np.zeros(n) if c is None or c.truth.x is None else c.truth.x for c in judge.cases]
    infeasible = [c is not None and not c.truth.feasible for c in judge.cases]
    judge.tally.seen["exact: infeasible"] += sum(infeasible)
    best = None
    constrained = isinstance(drawn.problem, cvxinv.MidLayer | cvxinv.Latent)
    for call in backends(constrained, number, reference):
        if (sol := judge.attempt(call)) is not None:
            judge.solution(call, sol)
            best = best or sol
    for call in (
        [] if best is None else probes(rng, drawn.problem.W, best, np.array(answers, float))
    ):
        if (found := judge.attempt(call)) is not None:
            x, certificate = found
            judge.tally.seen["verify"] += len(x)
            for k, optimal in enumerate(certificate.optimal(TOL)):
                judge.point(call, k, x[k], certificate, bool(optimal))
    return judge.tally


def run(
    instances: int,
    seed: int,
    reference: dict[str, int],
    jobs: int = 1,
    console: Console | None = None,
) -> Tally:
    """All batches, spread over processes."""
    tally, batches = Tally(), -(-instances // BATCH)
    calls = (delayed(trial)(seed, k, reference) for k in range(batches))
    console = console or Console(quiet=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("batches", total=batches)
        for k, found in enumerate(Parallel(n_jobs=jobs, return_as="generator")(calls), 1):
            tally.add(found)
            bar.advance(task)
            if not console.is_terminal and k % max(1, batches // 20) == 0:
                console.print(f"{k} of {batches} batches, {tally.failed.total()} failures")
    return tally
