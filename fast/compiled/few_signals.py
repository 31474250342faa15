"""Few signals, as they are stated: active sets from zero, and their certificate."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from . import active_sets
from .certificate import certificate as _certificate
from .many_signals import Signals
from .state import Shared, Statement
from .units import scaled

__all__ = ["Statement", "certificate", "points"]

AT_ONCE = 64  # signals whose certificates a thread computes at a time


def points(q: Statement, goal: float, rounded: float, max_iter: int) -> Any:
    """Points, multipliers and steps, and which signals are solved, to the goal in their units."""
    W, t, d, lam, gamma, unit, norm, s, lengths = scaled(q)
    (B, m), n = t.shape, len(norm)
    some = Signals(
        t,
        q.on,
        d,
        lam,
        g=np.empty((B, 0)),
        x=np.zeros((B, n)),
        eta=np.zeros((B, m)),
        residual=np.full(B, np.inf),
        steps=np.zeros(B, np.int64),
        doubtful=np.zeros(B, np.bool_),
    )
    gram = np.empty((0, 0))
    shared = Shared(W, W.astype(np.float32), gram, unit, gamma, q.nonnegative, easy=False)
    exact = rounded if n <= active_sets.FEW else goal  # where it costs next to nothing
    active_sets.solve_all(shared, some, exact, rounded, max_iter)
    s = s[:, None]
    return some.x / norm * s, some.eta / lengths * s, some.steps, some.residual <= goal


def certificate(q: Statement, x: Any, eta: Any, accuracy: float) -> tuple[Any, Any, bool]:
    """Figures (5, B), support (B, n), and whether all signals are ordinary (`certificate`)."""
    B, n = x.shape
    if B <= AT_ONCE:
        return _certificate(q, x, eta, accuracy)
    figures, support, ordinary = np.empty((5, B)), np.empty((B, n), np.bool_), np.ones(B, np.bool_)

    def run(starts: Iterator[int]) -> None:
        for first in starts:
            if first >= B:
                return
            b = slice(first, first + AT_ONCE)
            some = q._replace(t=q.t[b], on=q.on[b], d=q.d[b], lam=q.lam[b])
            figures[:, b], support[b], ordinary[b] = _certificate(some, x[b], eta[b], accuracy)

    active_sets.in_threads(run, count(0, AT_ONCE), -(-B // AT_ONCE), blas=False)
    return figures, support, bool(ordinary.all())
