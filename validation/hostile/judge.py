"""What exact answers say of those of a backend: failures, and code that rebuilds them; figures."""

import math
import signal as signals
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from cvxinv import Status

from .. import exact
from .draws import Drawn
from .tally import Tally

PROMISE = 1e-6  # relative: what excess and violation of a point that is called optimal may be
ROUNDING = 1e-12  # relative: what a lower bound may owe to rounding
FLAT = 1e-12  # of the size of x: what A x may be for t = d = 0 by rounding alone
SECONDS = 5.0  # of processor time: a call that takes longer hangs
REACH = 10**12  # times the size of the data: where a point counts as far out
FAR = ", far out only"
# What `verify` promises where there is no gap, for the tol of 1e-8 that statuses have: no point
# that is better is within tol / N units s / D of x, N <= kkt, nor within tol / 2e-12.
TOL, LEAST_RESIDUAL = 1e-8, 2e-12
BEYOND = ", farther than promised"
MAX = sys.float_info.max


class HangError(Exception):
    """A call took longer than it may."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `HangError` inside once so much processor time is used: a busy machine is no hang."""

    def stop(*_: Any) -> None:
        raise HangError(f"over {seconds:g} s")

    before = signals.signal(signals.SIGPROF, stop)
    signals.setitimer(signals.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signals.setitimer(signals.ITIMER_PROF, 0)
        signals.signal(signals.SIGPROF, before)


def ratio(a: Fraction, b: Fraction) -> float:
    """a / b, for b >= 0; inf where that is too large for a float."""
    try:
        return float(a / b)
    except (OverflowError, ZeroDivisionError):
        return math.copysign(math.inf, a)


@dataclass(frozen=True)
class Case:
    """One signal with its exact answer, and how far points are from it, in relative figures."""

    signal: exact.Signal
    truth: exact.Truth

    @cached_property
    def norms(self) -> list[float]:
        """D: norms of the columns of A, of C where that is zero, else the largest of the others."""
        s, n = self.signal, len(self.signal.lam)
        both = [(exact.column(s.A, j), exact.column(s.C, j)) for j in range(n)]
        norms = [exact.norm(a) or exact.norm(c) for a, c in both]
        return [a or max(norms) or 1.0 for a in norms]

    @cached_property
    def given(self) -> float:
        """||t||, or ||d|| where t = 0."""
        return exact.norm(self.signal.t) or exact.norm(self.signal.d)

    def unit(self, x: exact.Vector) -> float:
        """s: max(||t||, ||A x||), with ||d|| in place of ||t|| where t = 0.

        Where t = d = 0 (and x = 0 is a solution), what rounding can make of A x takes their place.
        """
        size = max(abs(float(v)) * D for v, D in zip(x, self.norms, strict=True))
        return max(self.given or FLAT * size, exact.norm([exact.dot(a, x) for a in self.signal.A]))

    def excess(self, x: exact.Vector) -> tuple[float, float]:
        """objective - optimum over max(1/2 s^2, objective) and over the optimum itself.

        Zero where nothing is feasible.
        """
        objective, optimum = self.signal.objective(x), self.truth.optimum
        if optimum is None or objective == optimum:
            return 0.0, 0.0
        return self.relative(x, optimum), ratio(objective - optimum, optimum)

    def relative(self, x: exact.Vector, optimum: Fraction) -> float:
        """(objective - optimum) / max(1/2 s^2, objective)."""
        objective = self.signal.objective(x)
        unit = max(Fraction(self.unit(x)) ** 2 / 2, objective)
        return float((objective - optimum) / unit) if unit else 0.0

    def excess_near(self, x: exact.Vector, reach: int) -> float:
        """The first figure, with a price on size instead: what can be had is not far out.

        Where columns depend on each other up to rounding, it is an accident of rounding whether a
        point of 1e16 times the size of the data fits better. Whoever beats the optimum with the
        price by `PROMISE` is beaten by no point within `reach` units by twice that.
        """
        size = Fraction(self.unit(x))
        price = Fraction(PROMISE) * size / 2 / reach
        weights = [
            a + price * Fraction(D) for a, D in zip(self.signal.lam, self.norms, strict=True)
        ]
        near = exact.solve(replace(self.signal, lam=weights)).optimum
        return 0.0 if near is None else self.relative(x, near)

    @cached_property
    def feasible_near(self) -> bool:
        """Whether some x with sum_j D_j |x_j| <= `REACH` max_i |d_i| is feasible (see `refutes`).

        Here D_j is the largest entry of column j.
        """
        s = self.signal
        D = [max(map(abs, exact.column(s.A + s.C, j))) for j in range(len(s.lam))]
        least = exact.solve(replace(s, A=[], t=[], lam=D, gamma=exact.ZERO)).optimum
        return least is not None and least <= REACH * max(map(abs, s.d), default=exact.ZERO)

    def violation(self, x: exact.Vector) -> float:
        """Largest violation of the constraints: rows of C in their sizes, x >= 0 by what it moves.

        The size of a row of C is the largest of: its terms at x; d; and C_i x for x of size s / D,
        but at most s.
        """
        s, unit = self.signal, self.unit(x)
        if not self.given:  # any x fits: one that is nearly right is so beside its own size
            unit = max(abs(float(v)) * D for v, D in zip(x, self.norms, strict=True))
        sizes = []
        for c, d in zip(s.C, s.d, strict=True):
            terms = float(sum(abs(a * b) for a, b in zip(c, x, strict=True)))
            reach = math.hypot(*(float(a) / D for a, D in zip(c, self.norms, strict=True)))
            sizes.append(max(abs(float(d)), terms, min(1.0, reach) * unit))
        worst = [float(e) / size for e, size in zip(s.excess(x), sizes, strict=True) if e > 0]
        for j, out in enumerate(s.outside(x)):
            if out > 0:
                moved = [
                    float(abs(c[j]) * out) / a for c, a in zip(s.C, sizes, strict=True) if c[j]
                ]
                worst += [self.norms[j] * float(out) / unit if unit else math.inf, *moved]
        return max(worst, default=0.0)


def promise(case: Case, x: exact.Vector) -> tuple[float, float]:
    """(excess, violation) of a point that is called optimal, both promised to be at most `PROMISE`.

    The certificate promises that the gap, "(objective - lower_bound) / max(1/2 s^2, objective)",
    is at most the tolerance where it is available, and so is the "largest relative violation of the
    constraints". Without a gap it promises less: "a point that is better by 2 tol V is far away, at
    tol V / (N s)", or, where N <= 1e-12, "more than tol / 2e-12 units s / D away"; excesses to be
    had only farther away are counted on their own (`how_far`).
    """
    return case.excess(x)[0], case.violation(x)


def how_far(case: Case, x: exact.Vector, kkt: float) -> str:
    """Where the points are that are better than x: nearby (nothing to add), or only far away."""
    if case.excess_near(x, REACH) <= PROMISE:
        return FAR
    promised = max(1, int(TOL / max(kkt, LEAST_RESIDUAL)))
    return BEYOND if case.excess_near(x, promised) <= PROMISE else ""


@dataclass(frozen=True)
class Call:
    """What a backend is asked: `run(problem, slice(None))`, or `run(one, k)` for signal k alone."""

    backend: str
    run: Callable[[Any, Any], Any]
    code: Callable[[int], str]


@dataclass(frozen=True)
class Judge:
    """Holds what is said of a batch against exact answers, None for signals not finite."""

    drawn: Drawn
    cases: list[Case | None]
    tally: Tally = field(default_factory=Tally)

    def fail(self, kind: str, call: Call, k: int, value: Any) -> None:
        """Count a failure of signal k."""
        key = (kind, call.backend, type(self.drawn.problem).__name__)
        self.tally.failed[key] += 1
        code = f"problem = {self.drawn.code(k)}; {call.code(k)}"
        self.tally.keep(key, [{"value": str(value), "code": code} | self.drawn.described])

    def attempt(self, call: Call) -> Any:
        """What a call returns; None, and a failure, if it raises or hangs. So is a warning."""
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            result = None
            try:
                with limited(SECONDS):
                    result = call.run(self.drawn.problem, slice(None))
            except Exception as error:  # whatever it is, it must not happen
                k = self.culprit(call, type(error))
                what = f"{type(error).__name__}: {error}{' (batch only)' * (k is None)}"
                kind = "hang" if isinstance(error, HangError) else "exception"
                self.fail(kind, call, k or 0, what)
        for message in {f"{w.category.__name__}: {w.message}" for w in heard}:
            self.fail("warning", call, 0, message)
        return result

    def culprit(self, call: Call, error: type[Exception]) -> int | None:
        """The first signal that makes a call fail in the same way when it comes alone.

        One of them takes its share of the time, at least.
        """
        for k in range(len(self.cases)):
            try:
                with limited(SECONDS / len(self.cases)):
                    call.run(self.drawn.one(k), k)
            except error:
                return k
            except Exception:  # another failure than the one looked for
                continue
        return None

    def solution(self, call: Call, sol: Any) -> None:
        """Judge an answer: statuses, points and lower bounds."""
        for k, (case, status) in enumerate(zip(self.cases, sol.status, strict=True)):
            self.tally.seen[call.backend] += 1
            key = (call.backend, type(self.drawn.problem).__name__, status.name)
            self.tally.statuses[key] += 1
            if (case is None) != (status is Status.NONFINITE):
                self.fail("NONFINITE or not", call, k, status.name)
            if case is not None and status is Status.INFEASIBLE and case.truth.x is not None:
                x = list(map(float, case.truth.x))
                far = FAR * (not case.feasible_near)
                self.fail(f"wrongly INFEASIBLE{far}", call, k, f"feasible at about {x}")
            optimal = status is Status.OPTIMAL
            self.point(call, k, sol.x[k], sol.certificate, optimal)

    def point(self, call: Call, k: int, x: Any, certificate: Any, optimal: bool) -> None:
        """Judge what a certificate says of signal k at x."""
        case, gap = self.cases[k], float(certificate.gap[k])
        if case is None:
            if optimal:
                self.fail("NONFINITE or not", call, k, "optimal")
            return
        if optimal:
            excess, violation = promise(case, exact.rationals(x))
            proof = f"objective, {'without' if math.isnan(gap) else 'with'} gap"
            self.tally.decade(f"{call.backend}: {proof}", excess)
            self.tally.decade(f"{call.backend}: violation", violation)
            own = case.excess(exact.rationals(x))[1]
            self.tally.decade(f"{call.backend}: {proof}, over the optimum itself", own)
            what = f"x = {x.tolist()}: excess {excess:.3g}, violation {violation:.3g}"
            if violation > PROMISE:
                self.fail("wrongly optimal: violation", call, k, what)
            elif excess > PROMISE:
                kkt = float(certificate.kkt[k])
                far = how_far(case, exact.rationals(x), kkt) if math.isnan(gap) else ""
                self.fail(f"wrongly optimal: {proof}{far}", call, k, what)
        self.bound(call, k, case, float(certificate.lower_bound[k]))

    def bound(self, call: Call, k: int, case: Case, bound: float) -> None:
        """Judge a lower bound; any number bounds a signal that is infeasible."""
        optimum = case.truth.optimum
        if optimum is None or math.isnan(bound) or bound == -math.inf:
            return
        unit = max(Fraction(case.given) ** 2 / 2, optimum)
        over = Fraction(min(bound, MAX)) - optimum
        relative = ratio(over, unit) if over else 0.0
        self.tally.decade(f"{call.backend}: lower bound over optimum", relative)
        if relative > ROUNDING:
            what = f"bound {bound}, optimum {float(optimum)}, relative {relative:.3g}"
            self.fail("lower bound above the optimum", call, k, what)
