"""Instances of the benchmark in small, and rivals that lie or tell the truth."""

import numpy as np
import torch

import cvxinv
from cvxinv import reference
from cvxinv.bench import measure
from cvxinv.bench.gram import Answer
from cvxinv.bench.instances import cases, gaussian

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
