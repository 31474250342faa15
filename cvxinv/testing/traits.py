"""What may be asked of the instances that the strategies draw, checked before anything is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

from cvxinv import checks
from cvxinv.arrays import FLOATS
from cvxinv.checks import shown
from cvxinv.testing.names import some

LARGEST = 1 << 12  # rows or columns: instances are drawn in Python
Range = int | tuple[int, int]


class Traits(TypedDict, total=False):
    """Keyword arguments that all strategies of statements share.

    Attributes
    ----------
    rows, columns : int or (least, most)
        m and n of W (m, n); from 1 to 6 by default.
    batch : int, (least, most) or None
        B, the number of signals; from 1 to 3 by default. None: one signal, without the B axis.
    dtype : "float64", "float32", or a sequence of them to choose from
    library : "numpy" or "torch"
    condition : float
        1 by default: W has small whole numbers, or numbers in general position. Larger: W = U S V'
        with singular values from 1 down to 1 / condition.
    degenerate : bool or None
        Whether columns of W are made zero, or multiples of each other, half of them of opposite
        sign; None, the default: chance decides. False: all numbers are in general position, but for
        those that chance makes zero.
    opposite : bool
        Whether the columns come in pairs a and -a; one without a partner is zero. Then W 1 = 0.
    sparsity : float in [0, 1]
        About which share of the x that signals are made of is zero; 0.5 by default.
    noise : float >= 0 or None
        How far the signals are from W x + b; None: nothing, a little, or as much as the signal.
    bias, masks : bool or None
        Whether there is a bias, whether rows are left out (support, observed, rows, columns); None:
        chance decides. The support of a hidden layer follows from its data, unless masks is True.
    weight : float >= 0 or None
        lam as a share of the least lam for which x = 0 is a solution (of the first signal, without
        constraints), gamma as a share of the largest ||A_j||^2; None: 0, 1/16, 1/2, 1 or 2.
    feasible : bool
        Whether all constraints can be met; if not, the rows of one signal (not the others) ask for
        W_i x <= -1 and W_i x >= 1.
    finite : bool
        Whether all data are finite; if not, one entry of one signal is nan, inf or -inf.
    zero : bool
        Whether all signals, and the bias, are zero.
    uneven : bool
        Whether the signals of a batch differ in size, by powers of two: the smallest is 2^-30 of
        the largest, or 2^-12 (of float32: 2^-6) where all share lam, which is then a share of what
        the smallest needs. All share a bias, too: where there is one, only W x differs in size.
    scale, matrix_scale : float > 0
        Sizes of the signals and of W, 1 by default, as the nearest powers of two: no digit changes.
    """

    rows: Range
    columns: Range
    batch: Range | None
    dtype: str | Sequence[str]
    library: Literal["numpy", "torch"]
    condition: float
    degenerate: bool | None
    opposite: bool
    sparsity: float
    noise: float | None
    bias: bool | None
    masks: bool | None
    weight: float | None
    feasible: bool
    finite: bool
    zero: bool
    uneven: bool
    scale: float
    matrix_scale: float


@dataclass(frozen=True)
class Asked:
    """`Traits`, checked and with their defaults."""

    rows: tuple[int, int] = (1, 6)
    columns: tuple[int, int] = (1, 6)
    batch: tuple[int, int] | None = (1, 3)
    dtype: tuple[str, ...] = ("float64",)
    library: str = "numpy"
    condition: float = 1.0
    degenerate: bool | None = None
    opposite: bool = False
    sparsity: float = 0.5
    noise: float | None = None
    bias: bool | None = None
    masks: bool | None = None
    weight: float | None = None
    feasible: bool = True
    finite: bool = True
    zero: bool = False
    uneven: bool = False
    scale: float = 1.0
    matrix_scale: float = 1.0


def asked(**traits: Unpack[Traits]) -> Asked:
    """The traits that were given, checked.

    Raises
    ------
    TypeError, ValueError
        Naming the trait, what was given and what is expected.
    """
    found: dict[str, Any] = {}
    for name, value in traits.items():
        if name not in _CHECKS:
            known = ", ".join(_CHECKS)
            raise TypeError(f"{name}: expected one of the traits {known}")
        found[name] = _CHECKS[name](name, value)
    return Asked(**found)


def size(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    """A number of rows, columns or signals, or the least and the most of them."""
    if not isinstance(value, (tuple, list)):
        value = (value, value)
    if len(value) != 2:
        raise ValueError(f"{name}: expected an integer, or the least and the most, got {value}")
    low = checks.integer(name, value[0], least, LARGEST)
    return low, checks.integer(name, value[1], low, LARGEST)


def _batch(name: str, value: Any) -> tuple[int, int] | None:
    return None if value is None else size(name, value, least=0)


def dtypes(name: str, value: Any) -> tuple[str, ...]:
    """Names of dtypes: one, or some to choose from."""
    return some(name, value, FLOATS)


def _condition(name: str, value: Any) -> float:
    if (found := checks.positive(name, value)) < 1:
        raise ValueError(f"{name}: expected a number >= 1, got {shown(value)}")
    return found


def share(name: str, value: Any) -> float:
    """A number from 0 to 1, both included."""
    if (found := checks.nonnegative(name, value)) > 1:
        raise ValueError(f"{name}: expected a number from 0 to 1, got {shown(value)}")
    return found


def _or_none(check: Any) -> Any:
    return lambda name, value: None if value is None else check(name, value)


_CHECKS: dict[str, Any] = {
    "rows": size,
    "columns": size,
    "batch": _batch,
    "dtype": dtypes,
    "library": lambda name, value: checks.choice(name, value, ("numpy", "torch")),
    "condition": _condition,
    "degenerate": _or_none(checks.flag),
    "opposite": checks.flag,
    "sparsity": share,
    "noise": _or_none(checks.nonnegative),
    "bias": _or_none(checks.flag),
    "masks": _or_none(checks.flag),
    "weight": _or_none(checks.nonnegative),
    "feasible": checks.flag,
    "finite": checks.flag,
    "zero": checks.flag,
    "uneven": checks.flag,
    "scale": checks.positive,
    "matrix_scale": checks.positive,
}
