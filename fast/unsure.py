"""Answers of which the certificate is not yet sure, and what can be asked of them."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cvxinv.certificate.farkas import refuted
from cvxinv.problems import LayerProblem, Quadratic
from cvxinv.rows import store, take
from cvxinv.solution.certified import Answer, certified

from .core import loop
from .core.layer import ConstrainedLayer, Layer
from .core.units import TINY, TINY_GAMMA, Units
from .methods import infeasible, last_resort

LOWER = 1e-14  # relative difference of objectives that says that one is lower


@dataclass(eq=False)
class Unsure:
    """The best points so far, and what is needed to certify them."""

    problem: LayerProblem
    q: Quadratic
    layer: Layer
    units: Units
    best: loop.Result

    def __post_init__(self) -> None:
        self.proof = torch.zeros_like(self.layer.t[:, :0] if not self.q.constrained else self.q.t)

    def certified(self) -> Answer:
        """Their certificate."""
        x, dual = self.units.unscale(self.best.x, self.best.dual)
        proof = self.proof if self.q.constrained and bool(self.proof.any()) else None
        eta = dual if self.q.constrained else None
        return certified(self.problem, x, eta, proof, self.best.iterations, self.q)

    def unresolved(self) -> Tensor:
        """(B,) bool: signals whose answer hangs on weights too small for the tolerance to see them:
        more entries than rows, and a lam that alone chooses among points that fit equally well; or
        a gamma that A'A has lost.
        """
        layer, x = self.layer, self.best.x
        largest = layer.lam.amax(1)
        tiny = (largest > 0) & (largest < TINY)
        if bool(tiny.any()):
            tiny &= (x != 0).sum(1) > layer.rows.values.sum(1)
        gamma = layer.gamma.values.amin()
        return tiny | ((gamma > 0) & (gamma < TINY_GAMMA))

    def fit(self, b: Tensor, found: Answer, tol: float) -> None:
        """Fits on the faces of the rows b, kept where the certificate thinks better of them: the
        lower of two objectives that it calls optimal, else the smaller KKT residual.
        """
        new = last_resort.on_face(take(self.layer, b), take(self.best, b))
        problem: Any = self.problem[b]
        q, layer, units = take(self.q, b), take(self.layer, b), take(self.units, b)
        part = Unsure(problem, q, layer, units, new).certified()
        here, there = part.certificate, take(found.certificate, b)
        proven, before = part.proven(tol), found.proven(tol)[b]
        lower = here.objective <= there.objective * (1 + LOWER)
        nearer = here.kkt < there.kkt
        better = torch.where(proven & before, lower, proven | (~before & nearer))
        store(self.best, b[better], take(new, better))

    def refute(self, layer: ConstrainedLayer, b: Tensor) -> Tensor:
        """Look for proofs that no point satisfies the inequalities of the rows b, whose answer is
        then the point of least violation; the rows for which there is none.
        """
        x, p = infeasible.least_violation(layer)
        p = self.units.multipliers(p)
        proven = refuted(take(self.q, b), p)
        bad = b[proven]
        self.proof[bad] = p[proven]
        nothing = torch.zeros_like(self.best.dual[bad])
        worst = torch.full_like(self.best.residual[bad], torch.inf)
        none = loop.Result(x[proven], nothing, worst, self.best.iterations[bad])
        store(self.best, bad, none)
        return b[~proven]
