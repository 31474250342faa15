"""Counts of failures and figures over instances, with examples of each kind of failure."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TypeAlias

KEPT = 3  # examples of each kind of failure, the shortest

Key: TypeAlias = tuple[str, str, str]


@dataclass
class Tally:
    """Counts over instances, and examples of every kind of failure."""

    seen: Counter[str] = field(default_factory=Counter)  # backend
    statuses: Counter[Key] = field(default_factory=Counter)  # backend, class, status
    failed: Counter[Key] = field(default_factory=Counter)  # kind, backend, class
    decades: Counter[tuple[str, str]] = field(default_factory=Counter)  # figure, power of ten
    examples: defaultdict[Key, list[dict[str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, other: "Tally") -> None:
        """Count what another one counted."""
        for name in ("seen", "statuses", "failed", "decades"):
            getattr(self, name).update(getattr(other, name))
        for key, found in other.examples.items():
            self.keep(key, found)

    def keep(self, key: Key, found: list[dict[str, str]]) -> None:
        """Keep the shortest of the examples."""
        both = self.examples[key] + found
        distinct = {example["code"]: example for example in both}
        self.examples[key] = [distinct[code] for code in sorted(distinct, key=len)[:KEPT]]

    def decade(self, figure: str, value: float) -> None:
        """Count a relative figure by its power of ten."""
        power = math.floor(math.log10(value)) if 0 < value < math.inf else value
        self.decades[figure, "0" if value <= 0 else f"1e{max(-17, power)}"] += 1
