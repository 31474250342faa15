"""What a guarantee answers: a `Bracket` for a number that may be hard to compute, a `Verdict` for a
condition that hangs on it.
"""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """Whether a condition of a theorem is met; the value is what that means."""

    HOLDS = "The condition is met."
    FAILS = (
        "The condition is not met: the theorem does not apply, which by itself does not mean that"
        " its conclusion is false."
    )
    UNDECIDED = (
        "The number the condition asks for is known only to lie in a bracket that is too wide to"
        " decide."
    )


@dataclass(frozen=True)
class Bracket:
    """A number that is known to lie in [lower, upper], ends included.

    Attributes
    ----------
    lower, upper : int or float
        Equal where the number is known exactly.
    method : str
        How the two ends were obtained, in words.
    """

    lower: float
    upper: float
    method: str

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise ValueError(f"lower: expected at most upper = {self.upper}, got {self.lower}")

    @property
    def exact(self) -> bool:
        """Whether both ends are the same."""
        return self.lower == self.upper

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def __str__(self) -> str:
        ends = f"{self.lower:g}" if self.exact else f"{self.lower:g} .. {self.upper:g}"
        return f"{ends} ({self.method})"


def less(value: float, bracket: Bracket, factor: float = 1.0) -> Verdict:
    """Whether value < factor * q for the number q in the bracket."""
    if value < factor * bracket.lower:
        return Verdict.HOLDS
    return Verdict.UNDECIDED if value < factor * bracket.upper else Verdict.FAILS


def together(verdicts: list[Verdict]) -> Verdict:
    """The verdict on all conditions at once: HOLDS if all do, FAILS if any does, else UNDECIDED."""
    if Verdict.FAILS in verdicts:
        return Verdict.FAILS
    return Verdict.UNDECIDED if Verdict.UNDECIDED in verdicts else Verdict.HOLDS
