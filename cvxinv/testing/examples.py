"""Statements drawn with the traits that were asked for: x first, then signals W x + b near it.

Numbers are small, and scales powers of two, so that float64 can decide what is optimal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from cvxinv.problems import BasisPursuit, LastLayer, Latent, LayerProblem, LeastSquares, MidLayer
from cvxinv.testing.entries import Draw, Entries, power_of_two
from cvxinv.testing.traits import Asked

Statement: TypeAlias = type[LayerProblem]
WEIGHTS = (0.0, 1 / 16, 1 / 2, 1.0, 2.0)
NOISE = (0.0, 1.0, 1 / 8)
HIDDEN = (MidLayer, Latent)  # the statements with inequalities
# halvings from the largest signal of an uneven batch to the smallest; fewer where all share lam,
# which says something of the smallest, and is then weak, but not lost, for the largest
UNEVEN, OF_SHARED_LAM = 30, {"float64": 12, "float32": 6}
MASKS = {LastLayer: "observed", BasisPursuit: "rows", LeastSquares: "rows"}


@dataclass(frozen=True)
class Example:
    """A statement and what is known of it."""

    problem: LayerProblem
    infeasible: Any  # (B,) bool, or () for one signal


@dataclass(frozen=True)
class Form:
    """Which statement is meant: its class, and what it may have."""

    statement: Statement
    weighted: bool | None = None  # False: lam = 0, True: lam > 0
    one_weight: bool = False  # lam is one number, not one per column
    plain: bool = False  # neither bias nor masks


@st.composite
def examples(draw: Draw, forms: Sequence[Form], want: Asked) -> Example:
    """An example of one of the forms, with the traits."""
    form = draw(st.sampled_from(forms))
    general = want.degenerate is False or draw(st.booleans())
    numbers = Entries(draw, general)
    m, n = numbers.integer(*want.rows), numbers.integer(*want.columns)
    B = 1 if want.batch is None else numbers.integer(*want.batch)
    W = matrix(numbers, want, m, n)
    sizes = _sizes(numbers, form, want, B)
    x = numbers.numbers(B, n) * ~numbers.flags(B, n, share=want.sparsity) * sizes
    if form.statement in (LastLayer, MidLayer):
        x = np.abs(x)
    fields = _fields(numbers, form, want, W, x * (not want.zero), sizes)
    infeasible = np.zeros(B, dtype=bool)
    if not want.feasible and form.statement in HIDDEN and B:
        infeasible[numbers.integer(0, B - 1)] = True
        fields = _contradicted(fields, infeasible)
    if not want.finite and B:
        fields = _spoilt(numbers, form, fields, B)
    fields = _scaled(fields, power_of_two(want.matrix_scale), power_of_two(want.scale))
    problem = stated(form.statement, fields, draw(st.sampled_from(want.dtype)), want)
    return Example(problem, infeasible if want.batch is not None else infeasible[0])


def matrix(numbers: Entries, want: Asked, m: int, n: int) -> Any:
    """W, not yet scaled."""
    if want.condition > 1:
        U, _, V = np.linalg.svd(numbers.numbers(m, n), full_matrices=False)
        return (U * np.geomspace(1, 1 / want.condition, min(m, n))) @ V
    W = numbers.numbers(m, n)
    if want.opposite:
        W[:, 1::2] = -W[:, : n - n % 2 : 2]
        W[:, n - n % 2 :] = 0.0
        return W
    if want.degenerate or (want.degenerate is None and numbers.one_of(False, False, True)):
        j, k = numbers.integer(0, n - 1), numbers.integer(0, n - 1)
        W[:, j] = W[:, k] * numbers.one_of(1.0, -1.0, 2.0, -2.0) if j != k else 0.0
    return W


def _sizes(numbers: Entries, form: Form, want: Asked, B: int) -> Any:
    """Powers of two (B, 1) by which signals differ in size, the smallest of them anywhere."""
    if not want.uneven or B < 2:
        return np.ones((B, 1))
    most = UNEVEN
    if form.weighted is not False and form.statement not in (Latent, LeastSquares):
        most = OF_SHARED_LAM["float32" if "float32" in want.dtype else "float64"]
    halvings = np.linspace(0, most, B).round()
    return 2.0 ** -np.roll(halvings, numbers.integer(0, B - 1))[:, None]


def _fields(
    numbers: Entries, form: Form, want: Asked, W: Any, x: Any, sizes: Any
) -> dict[str, Any]:
    """The fields of the statement by name; the signals as `data`."""
    (m, n), B = W.shape, len(x)
    bias = None
    if not form.plain and _either(numbers, want.bias):
        bias = numbers.numbers(m) * (not want.zero)
    value = x @ W.T + (0 if bias is None else bias)
    noise = numbers.one_of(*NOISE) if want.noise is None else want.noise
    if noise and not want.zero:
        value = value + noise * numbers.numbers(B, m) * sizes
    fields: dict[str, Any] = {"W": W, "data": value, "bias": bias}
    if form.statement in HIDDEN:
        # the support of the signal without noise: x satisfies its inequalities
        S = x @ W.T + (0 if bias is None else bias) > 0
        if want.masks:
            S = S | numbers.flags(B, m)
        entering, fields["data"], fields["support"] = S, np.where(S, value, 0.0), S
    else:
        mask = None if form.plain else _mask(numbers, want, B, m)
        entering = np.broadcast_to(True if mask is None else mask, (B, m))
        fields[MASKS[form.statement]] = mask
    if form.statement is LeastSquares:
        fields["columns"] = None if form.plain else _mask(numbers, want, B, n)
        return fields
    share = _share(numbers, form, want)
    if form.statement is Latent:
        return fields | {"gamma": share * float((W * W).sum(axis=0).max(initial=0.0) or 1.0)}
    t = np.where(entering, fields["data"] - (0 if bias is None else bias), 0.0)[:1] @ W
    size = float((t if form.statement is not BasisPursuit else np.abs(t)).max(initial=0.0))
    lam = share * (size if size > 0 else 1.0) * float((sizes / sizes[:1]).min(initial=1.0))
    if form.statement is BasisPursuit and not form.one_weight and numbers.one_of(False, True):
        shape = numbers.one_of((n,), (B, n))
        return fields | {"lam": lam * (1 + numbers.flags(*shape))}
    return fields | {"lam": lam}


def _share(numbers: Entries, form: Form, want: Asked) -> float:
    """The weight as a share of the largest that matters."""
    if form.weighted is False:
        return 0.0
    if want.weight is not None:
        return want.weight
    choices: tuple[float, ...] = WEIGHTS[1:] if form.weighted else WEIGHTS
    return numbers.one_of(*choices)


def _either(numbers: Entries, wanted: bool | None) -> bool:
    return numbers.one_of(False, True) if wanted is None else wanted


def _mask(numbers: Entries, want: Asked, B: int, k: int) -> Any:
    """A mask for all signals, one for each, or none."""
    if not _either(numbers, want.masks):
        return None
    return ~numbers.flags(*numbers.one_of((k,), (B, k)))


def _contradicted(fields: dict[str, Any], infeasible: Any) -> dict[str, Any]:
    """With two more rows, w and -w of the first row of W: w x + 1 <= 0 and -w x + 1 <= 0 for some
    signals, data for the others.
    """
    W, data, S, bias = (fields[name] for name in ("W", "data", "support", "bias"))
    bias = np.zeros(len(W)) if bias is None else bias
    companion = np.repeat(~infeasible[:, None], 2, axis=1)
    return fields | {
        "W": np.concatenate([W, W[:1], -W[:1]]),
        "data": np.concatenate([data, companion], axis=1),
        "support": np.concatenate([S, companion], axis=1),
        "bias": np.concatenate([bias, [1.0, 1.0]]),
    }


def _spoilt(numbers: Entries, form: Form, fields: dict[str, Any], B: int) -> dict[str, Any]:
    """With an entry that counts of one signal not finite; no entry of another."""
    data = fields["data"].copy()
    b, i = numbers.integer(0, B - 1), numbers.integer(0, data.shape[1] - 1)
    data[b, i] = numbers.one_of(np.nan, np.inf, -np.inf)
    name = "support" if form.statement in HIDDEN else MASKS[form.statement]
    mask = fields[name]
    if mask is not None:
        mask = np.broadcast_to(mask, data.shape).copy()
        mask[b, i] = True
    return fields | {"data": data, name: mask}


def _scaled(fields: dict[str, Any], of_matrix: float, of_signal: float) -> dict[str, Any]:
    """In other units, powers of two: x becomes x of_signal / of_matrix."""
    units = {
        "W": of_matrix,
        "data": of_signal,
        "bias": of_signal,
        "lam": of_matrix * of_signal,
        "gamma": of_matrix**2,
    }
    return {
        name: value if value is None or name not in units else value * units[name]
        for name, value in fields.items()
    }


def stated(cls: Statement, fields: dict[str, Any], dtype: str, want: Asked) -> LayerProblem:
    """The statement, in its dtype and library, of one signal if no batch was asked for."""
    data = fields["data"]
    if cls in HIDDEN and np.array_equal(fields["support"], (data > 0) | ~np.isfinite(data)):
        fields = fields | {"support": None}  # it is the default
    given = {cls.data_name if name == "data" else name: v for name, v in fields.items()}
    given = {name: _cast(v, dtype, want.library) for name, v in given.items() if v is not None}
    problem = cls(**given)
    return problem if want.batch is not None else problem[0]


def _cast(value: Any, dtype: str, library: str) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    a = value if value.dtype == bool else value.astype(dtype)
    if library == "numpy":
        return a
    import torch

    return torch.tensor(a)
