"""Statements made around their solution: x and its multipliers first, then data that make them
optimal. A solver-free oracle beside the certificate.

All numbers are small multiples of 2^-8, so that the KKT conditions hold exactly: with
theta = t - A x, r = A'theta - C'eta - gamma x,

    r_j = lam_j sign(x_j)  where x_j != 0,      r_j <= lam_j (|r_j| where x_j is free)  where not,
    eta >= 0,   C x <= d,   eta_i = 0  where  C_i x < d_i.

Signal b has a row p_b of its own, with theta = 1 there and 0 at the other signals' rows. So row p_b
of W can make r what it is to be, whatever all other entries are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from cvxinv.problems import BasisPursuit, Latent, LayerProblem, LeastSquares
from cvxinv.testing.entries import Draw, Entries, power_of_two
from cvxinv.testing.examples import HIDDEN, MASKS, Form, stated
from cvxinv.testing.traits import Asked

LAM, GAMMA = (0.0, 1.0, 0.25), (0.0, 1.0, 0.25)


@dataclass(frozen=True)
class Planted:
    """A statement and its solution.

    Attributes
    ----------
    problem : statement
    x : (B, n) array
        A solution; the only one where `unique` says so. In float64, as are all others.
    dual : (B, m) array
        Multipliers of the inequalities.
    objective : (B,) array
        The optimal value.
    unique : (B,) bool array
    """

    problem: LayerProblem
    x: Any
    dual: Any
    objective: Any
    unique: Any


@st.composite
def planted_examples(draw: Draw, forms: Sequence[Form], want: Asked) -> Planted:
    """A statement of one of the forms with its solution."""
    form = draw(st.sampled_from(forms))
    dtype = draw(st.sampled_from(want.dtype))
    # products of three numbers in general position are exact in float64 only
    numbers = Entries(draw, dtype == "float64" and draw(st.booleans()))
    B = 1 if want.batch is None else numbers.integer(*want.batch)
    m, n = max(B, numbers.integer(*want.rows)), numbers.integer(*want.columns)
    own = np.eye(B, m, dtype=bool)  # the row p_b of each signal
    W = numbers.numbers(m, n)
    lam, gamma, fields = _weights(numbers, form, want, B, n)
    x, r = _point(numbers, form, fields.get("columns"), lam)

    S = np.ones((B, m), dtype=bool)
    if form.statement in HIDDEN:
        S = ~numbers.flags(B, m) | own.any(axis=0)
    value = x @ W.T
    # rows off the supports share d = -b: the largest value of the signals that they bind, or more
    reached = np.where(S, -np.inf, value).max(axis=0, initial=-np.inf)
    bound = np.where(np.isfinite(reached), reached, 0.0) + numbers.numbers(m, signed=False)
    active = ~S & (value == bound)
    eta = np.where(active, numbers.numbers(B, m, signed=False), 0.0)
    theta = np.where(S & ~own.any(axis=0), numbers.numbers(B, m), 0.0) + own
    others = (theta - own) @ W - eta @ W
    W[:B] = r + gamma * x - others

    fit = np.where(S, x @ W.T + theta, 0.0)
    bias = None if form.statement not in HIDDEN else np.where(S.all(axis=0), 0.0, -bound)
    data = fit if bias is None else np.where(S, fit + bias, 0.0)
    fields |= {"W": W, "data": data, "bias": bias}
    fields["support" if form.statement in HIDDEN else MASKS[form.statement]] = (
        S if form.statement in HIDDEN else None
    )
    sizes = np.where(form.statement is LeastSquares, 0.0, lam)
    objective = (
        0.5 * (theta**2).sum(axis=1)
        + (sizes * np.abs(x)).sum(axis=1)
        + 0.5 * gamma * (x**2).sum(axis=1)
    )
    known = (x, eta, objective, _unique(W, S, x, r, lam, fields))
    return _in_units(form, want, dtype, fields, known)


def _weights(
    numbers: Entries, form: Form, want: Asked, B: int, n: int
) -> tuple[Any, float, dict[str, Any]]:
    """lam (B, n), gamma, and the fields of the statement that say so."""
    zero = np.zeros((B, n))
    if form.statement is LeastSquares:
        columns = None if form.plain else numbers.one_of(None, ~numbers.flags(B, n))
        return zero, 0.0, {"columns": columns}
    choices = LAM if form.weighted is None else LAM[1:] if form.weighted else LAM[:1]
    weight = numbers.one_of(*choices)
    if want.weight is not None and form.weighted is not False:
        weight = power_of_two(want.weight) if want.weight else 0.0
    if form.statement is Latent:
        return zero, weight, {"gamma": weight}
    if form.statement is BasisPursuit and not form.one_weight and numbers.one_of(False, True):
        lam = weight * (1.0 + numbers.flags(B, n))
        return lam, 0.0, {"lam": lam}
    return zero + weight, 0.0, {"lam": weight}


def _point(numbers: Entries, form: Form, columns: Any, lam: Any) -> tuple[Any, Any]:
    """x, and r as the KKT conditions ask for it."""
    B, n = lam.shape
    x = numbers.numbers(B, n) * numbers.flags(B, n)
    if form.statement in (Latent, LeastSquares):
        entering = np.ones((B, n), bool) if columns is None else columns
        x = np.where(entering, x, 0.0)
        return x, np.where(entering, 0.0, numbers.numbers(B, n))
    inside = numbers.flags(B, n)  # |r_j| = lam_j with x_j = 0, or less
    if form.statement is BasisPursuit:
        sign = np.where(x != 0, np.sign(x), np.where(numbers.flags(B, n), -1.0, 1.0))
        return x, np.where((x != 0) | inside, 1.0, 0.5) * lam * sign
    x = np.abs(x)
    below = numbers.numbers(B, n, signed=False) * ~inside
    return x, np.where(x != 0, lam, lam - below)


def _unique(W: Any, S: Any, x: Any, r: Any, lam: Any, fields: dict[str, Any]) -> Any:
    """Whether A has full rank on the columns where x may differ from zero."""
    if fields.get("gamma", 0.0) > 0:
        return np.ones(len(x), dtype=bool)
    free = (x != 0) | (np.abs(r) >= lam)
    if fields.get("columns") is not None:
        free &= fields["columns"]
    ranks = [
        np.linalg.matrix_rank(W[s][:, f]) == f.sum() if f.any() else True
        for s, f in zip(S, free, strict=True)
    ]
    return np.array(ranks, dtype=bool)


def _in_units(form: Form, want: Asked, dtype: str, fields: Any, known: Any) -> Planted:
    """In the units, the dtype and the library that were asked for."""
    x, eta, objective, unique = known
    a, c = power_of_two(want.matrix_scale), power_of_two(want.scale)
    units = {"W": a, "data": c, "bias": c, "lam": a * c, "gamma": a * a}
    fields = {
        name: value * units[name] if name in units and value is not None else value
        for name, value in fields.items()
    }
    problem = stated(form.statement, fields, dtype, want)
    # C'eta is a gradient, in units of a c
    answer = (x * (c / a), eta * c, objective * c**2, unique)
    if want.batch is None:
        answer = tuple(value[0] for value in answer)
    return Planted(problem, *answer)
