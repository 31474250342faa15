"""One erratum: a claim as printed that a measurement refutes, and the corrected claim, which the
same data satisfies.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """A number that is claimed to be at most `limit`."""

    what: str
    value: float
    limit: float

    @property
    def holds(self) -> bool:
        """Whether the claim is true of this number."""
        return self.value <= self.limit

    def __str__(self) -> str:
        return f"{self.what}: {self.value:.3g} {'<=' if self.holds else '>'} {self.limit:.3g}"


@dataclass(frozen=True)
class Erratum:
    """A claim of the paper, refuted: every number of `printed` exceeds its limit, every one of
    `corrected` keeps to it.
    """

    name: str
    place: str
    claim: str
    counterexample: str
    printed: tuple[Measurement, ...]
    correction: str
    corrected: tuple[Measurement, ...]

    @property
    def demonstrated(self) -> bool:
        """Whether the numbers do show it."""
        return not any(m.holds for m in self.printed) and all(m.holds for m in self.corrected)
