"""What all statements of layer problems share."""

from typing import Any, ClassVar

from cvxinv.arrays import Array, namespace


def set_fields(statement: Any, **values: Any) -> None:
    """Store checked values in a frozen statement, before anybody has seen it."""
    for name, value in values.items():
        object.__setattr__(statement, name, value)


class Statement:
    """What all statements share: which of their fields holds the signals, and that they are convex
    unless they say otherwise.
    """

    data_name: ClassVar[str]

    def __init_subclass__(cls, data: str) -> None:
        cls.data_name = data

    @property
    def data(self) -> Array:
        """The array whose kind, dtype, device and batch axis the answer has."""
        return getattr(self, self.data_name)

    @property
    def convex(self) -> bool:
        """Whether a KKT point is a solution."""
        return True


def default_support(x_next: Array) -> Array:
    """The support of x_next; what is not finite counts as data, so that the signal gets a
    status.
    """
    return (x_next > 0) | ~namespace(x_next).isfinite(x_next)


def batched(problem: Statement) -> bool:
    """Whether the statement was given a batch (else a single signal without the leading axis)."""
    return bool(problem.data.ndim == 2)
