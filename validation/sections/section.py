"""What a section of the report is: an experiment, the figures drawn of its results, and the claims
that they decide.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from matplotlib.figure import Figure

Result = Mapping[str, Any]  # a result file


class Scale(StrEnum):
    """How much is measured."""

    tiny = "tiny"  # seconds: what the tests run
    small = "small"  # minutes on two cores
    full = "full"  # what is committed


class Verdict(StrEnum):
    """What the numbers say of a claim."""

    confirmed = "confirmed"
    refuted = "refuted"
    differs = "differs"


@dataclass(frozen=True)
class Claim:
    """A claim, and how its verdict is computed.

    Attributes
    ----------
    words : str
        What is claimed, in our words.
    place : str
        Where: of the paper, or "ours".
    measured : callable
        What the results say: a sentence.
    holds : callable
        Whether the claim does, of the results.
    threshold : str
        What `holds` asks for.
    otherwise : Verdict
        Where it does not hold.
    why : str
        Then: why.
    """

    words: str
    place: str
    measured: Callable[..., str]
    holds: Callable[..., bool]
    threshold: str
    otherwise: Verdict = Verdict.refuted
    why: str = ""

    def verdict(self, *results: Result) -> Verdict:
        """Computed from the result files of its section."""
        return Verdict.confirmed if self.holds(*results) else self.otherwise


@dataclass(frozen=True)
class Drawing:
    """A figure: drawn of the results, or a picture that the experiment itself writes."""

    title: str
    alt: str
    draw: Callable[..., Figure] | str


@dataclass(frozen=True)
class Section:
    """An experiment.

    Attributes
    ----------
    name, title, about : str
        `python -m validation run NAME`; a heading; what is done, in a few sentences.
    results : dict
        Its result files, without .json: what is in each beside the record of the run, key by key.
    commands : dict
        What makes them, a line each, by scale; none where a scale has nothing.
    figures, claims : tuple
    """

    name: str
    title: str
    about: str
    results: dict[str, dict[str, str]]
    commands: dict[Scale, tuple[str, ...]]
    figures: tuple[Drawing, ...]
    claims: tuple[Claim, ...]

    def command(self, result: str, scale: Scale) -> str | None:
        """What makes a result file, if that scale has it: there is a line a file, in this order."""
        lines = self.commands[scale]
        return spoken(lines[list(self.results).index(result)]) if lines else None


def spoken(line: str) -> str:
    """A command as one types it."""
    return line if line.startswith("cvxinv ") else f"python -m {line}"
