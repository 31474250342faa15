"""Result files read and judged: which claims they confirm."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..sections.section import Claim, Result, Scale, Section, Verdict


class ResultError(Exception):
    """A result file is missing, or is of an older kind; says what makes it."""


@dataclass(frozen=True)
class Judged:
    """A claim, what was measured, and the verdict."""

    claim: Claim
    measured: str
    verdict: Verdict

    @property
    def why(self) -> str:
        """Why it does not hold, if it does not."""
        return "" if self.verdict is Verdict.confirmed else self.claim.why


def read(section: Section, folder: Path, scale: Scale = Scale.full) -> list[Result]:
    """The result files of a section, each with all that it should have."""
    return [_read(folder / f"{name}.json", section, name, scale) for name in section.results]


def _read(path: Path, section: Section, name: str, scale: Scale) -> Result:
    renew = section.command(name, scale)
    try:
        found = load(path)
    except (OSError, ValueError) as e:
        raise ResultError(f"{path}: {e}; run: {renew}") from None
    needed = ["command", *(key for keys in section.results[name] for key in keys.split(", "))]
    missing = [key for key in needed if key not in found]
    if missing:
        words = "is of an older version: it lacks"
        raise ResultError(f"{path} {words} {', '.join(missing)}; run: {renew}")
    return found


def load(path: Path) -> Result:
    """A result file as it is."""
    found: Result = json.loads(path.read_text(encoding="utf-8"))
    return found


def judge(section: Section, results: Sequence[Result]) -> list[Judged]:
    """All claims of a section."""
    return [Judged(c, c.measured(*results), c.verdict(*results)) for c in section.claims]
