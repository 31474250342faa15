"""Few signals, as they are stated: active sets from zero, and their certificate."""

from typing import Any

import numpy as np

from . import active_sets
from .certificate import certificate
from .many_signals import Signals
from .state import Shared, Statement
from .units import scaled

__all__ = ["Statement", "certificate", "points"]


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
