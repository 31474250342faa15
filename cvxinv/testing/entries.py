"""Arrays entry by entry: small whole numbers, or numbers in general position, that shrink to zero.

All are multiples of 2^-8 below 2^2, so that sums and products of a few of them are exact.
"""

import math
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

T = TypeVar("T")
LARGEST = 3  # of whole numbers
FINE = 2.0**-8
FEW = 200  # entries that are drawn as bytes, which shrink; more come from a seed
# what bytes stand for: the simplest number first, towards which Hypothesis shrinks
SIGNED = np.array([0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0])
UNSIGNED = SIGNED[[0, 1, 3, 5]]
seeds = st.integers(0, 2**32 - 1)


class Draw(Protocol):
    """The function that Hypothesis hands to a composite strategy."""

    def __call__(self, strategy: st.SearchStrategy[T], /) -> T:
        """A value of the strategy."""


class Entries:
    """Where the numbers of one instance come from.

    Parameters
    ----------
    draw : callable
    general : bool
        Whether numbers are in general position, or whole.
    """

    def __init__(self, draw: Draw, general: bool) -> None:
        self.draw, self.general = draw, general
        self.rng: np.random.Generator | None = None

    def numbers(self, *shape: int, signed: bool = True) -> Any:
        """An array of numbers from -3, or 0, to 3."""
        meaning = SIGNED if signed else UNSIGNED
        # the same bytes are drawn of both sorts, so that the general shrink to the whole
        first, second = self._bytes(2 * math.prod(shape)).reshape(2, *shape)
        whole = meaning[first % len(meaning)]
        return whole + FINE * second * (whole < LARGEST) if self.general else whole

    def flags(self, *shape: int, share: float = 0.5) -> Any:
        """A boolean array; about the share of it is True. It shrinks to False."""
        return self._bytes(math.prod(shape)).reshape(shape) >= 256 * (1 - share)

    def _bytes(self, count: int) -> Any:
        """Bytes that shrink to zero; of many, those of a seed."""
        if count <= FEW:
            return np.frombuffer(self.draw(st.binary(min_size=count, max_size=count)), np.uint8)
        if self.rng is None:
            self.rng = np.random.default_rng(self.draw(seeds))
        return self.rng.integers(0, 256, count, dtype=np.uint8)

    def one_of(self, *values: T) -> T:
        """One of some values; it shrinks to the first."""
        return self.draw(st.sampled_from(values))

    def integer(self, least: int, most: int) -> int:
        """An integer, both ends included; it shrinks to the least."""
        return self.draw(st.integers(least, most))


def power_of_two(a: float) -> float:
    """The power of two nearest to `a` > 0, by ratio."""
    return 2.0 ** round(math.log2(a))
