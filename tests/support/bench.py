"""Instances of the benchmark in small, rows of a table, and rivals that lie or tell the truth."""

import os

import numpy as np
import torch

import cvxinv
from cvxinv import reference
from cvxinv.bench import measure
from cvxinv.bench.gram import Answer
from cvxinv.bench.instances import cases, gaussian
from cvxinv.bench.measure import Kind, Row
from cvxinv.bench.result import Result
from cvxinv.bench.summary import Run

SIZES, B = (3, 6, 24, 60), 4


def make(sizes=SIZES, batch=B, **options):
    return cases(gaussian(sizes), batch, dtype=torch.float64, **options)


def quadratic(case):
    return measure.in_numpy(case.problem.quadratic())


def wrong(q):
    return Answer(np.ones((q.size, q.W.shape[1])))


def right(q):
    """What quadprog finds, without quadprog: x of the reference, one signal at a time."""
    found = reference.solve(cvxinv.LastLayer(q.W, q.t, lam=float(q.lam[0, 0])))
    return Answer(found.x)


def crash(q):
    raise MemoryError("too big")


def die(q):
    os._exit(1)


def row(solver, times, kkt=0.0, solved=B, timed=B, kind=Kind.RIVAL, **others):
    """A row that was measured in so many seconds per repeat."""
    times = (times,) if isinstance(times, int | float) else tuple(times)
    middle = float(np.median(times))
    return Row(
        "last layer",
        solver,
        kind,
        middle,
        timed,
        B,
        len(times),
        kkt,
        solved,
        times=times,
        **others,
    )


def problem(fast=(1.0, 2.0, 4.0), rival=(10.0, 40.0, 120.0), floor=0.5, **others):
    """The rows of a problem, of fast, a rival, the same in processes, the paper's and the floor."""
    return [
        row("fast", fast, kind=Kind.FAST, **others),
        row("DAQP", rival),
        row("DAQP, 2 processes", [t / 2 for t in rival], kind=Kind.PROCESSES),
        row("Algorithm 5 (FISTA)", 100.0, 1.0, 0, kind=Kind.PRINTED),
        row("GEMM floor", floor, float("nan"), 0, kind=Kind.FLOOR),
    ]


def result(*groups, seeds=(0,), **settings):
    """A result whose seeds all have these problems."""
    stated = {"generator": "G", "batch": B, "tolerance": 1e-8, "seeds": [*seeds], "processes": 2}
    about = {"date": "2026-11-29", "commit": "0123456789"}
    return Result(stated | settings, about, [Run(seed, [*groups]) for seed in seeds])
