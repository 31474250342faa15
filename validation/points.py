"""A long experiment, point by point: what is measured once is kept, and a new run goes on there.

A point is a JSON file in a folder of the experiment, written beside its place and then moved there:
a run that is killed leaves whole points only. Points of other settings or another version of the
experiment's own numbers are measured anew.
"""

import json
import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

P = TypeVar("P", bound=Hashable)
FOLDER = Path(os.environ.get("CVXINV_POINTS", Path(__file__).parent / "points"))


@dataclass(frozen=True)
class Points:
    """The points of an experiment.

    Attributes
    ----------
    name : str
        Of the experiment.
    settings : dict
        What a point was measured with, beside its own numbers; JSON.
    """

    name: str
    settings: dict[str, Any]

    def path(self, point: Hashable) -> Path:
        """Where a point is kept."""
        numbers = point if isinstance(point, tuple) else (point,)
        return FOLDER / self.name / ("_".join(map(str, numbers)) + ".json")

    def kept(self, point: Hashable) -> dict[str, Any] | None:
        """What was measured there with these settings, if anything was."""
        try:
            found = json.loads(self.path(point).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found["measured"] if found.get("settings") == self.settings else None

    def keep(self, point: Hashable, measured: dict[str, Any]) -> None:
        """Write a point whole, or not at all."""
        path = self.path(point)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        content = {"settings": self.settings, "measured": measured}
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(path)

    def measured(
        self, points: Sequence[P], measure: Callable[[P], dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """The points in their order, those that are missing measured now; progress on stderr."""
        for point in track(points, self.name, console=Console(stderr=True)):
            found = self.kept(point)
            if found is None:
                found = json.loads(json.dumps(measure(point)))
                self.keep(point, found)
            yield found
