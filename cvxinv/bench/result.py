"""What a benchmark measured, in memory and as the JSON that `cvxinv bench` writes and reads."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cvxinv import record
from cvxinv.bench import floor, ratios, rivals
from cvxinv.bench.measure import Kind, Row
from cvxinv.bench.scaling import Scaling
from cvxinv.bench.summary import Run, summary

DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # of modules that are called otherwise
RIVALS = Kind.RIVAL, Kind.PROCESSES
NO_NUMBER = {"seconds": math.nan, "kkt": math.inf}  # what stands as null in the file


@dataclass(frozen=True)
class Result:
    """The runs of a benchmark, one per seed, with the settings of all of them; `about` says how
    they came about: commit, machine, versions.
    """

    settings: dict[str, Any]
    about: dict[str, Any]
    runs: list[Run]
    grown: Scaling | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything the tables show, and how it came about."""
        return {
            **self.about,
            "settings": self.settings,
            "summary": [_plain(asdict(line)) for line in summary(self.runs)],
            "seeds": [_run(run) for run in self.runs],
            "scaling": None if self.grown is None else _scaling(self.grown),
        }


def read(path: Path) -> Result:
    """A result file. Those from before there were several seeds have no seconds per repeat: ratios
    then are those of medians.

    Raises
    ------
    ValueError
        The file is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        settings = found["settings"]
        seeds = found.get("seeds") or [found | {"seed": settings["seed"]}]
        runs = [
            Run(
                seed["seed"],
                [[_row(entry) for entry in problem["rows"]] for problem in seed["problems"]],
            )
            for seed in seeds
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: expected a file that `cvxinv bench --json` wrote") from error
    own = {"settings", "summary", "seeds", "problems", "total", "scaling"}
    return Result(settings, {k: v for k, v in found.items() if k not in own}, runs)


def about(threads: int, accelerator: str | None) -> dict[str, Any]:
    """How a run that starts now comes about; to be asked before the load is its own."""
    names = {DISTRIBUTIONS.get(r.module, r.module) for r in rivals.RIVALS if r.installed}
    return {
        **record.run({"torch", "numpy", *names}),
        "not installed": [rival.name for rival in rivals.RIVALS if not rival.installed],
        "machine": record.machine()
        | {
            "threads of fast": threads,
            "threads of numpy": os.environ.get("OPENBLAS_NUM_THREADS"),
            "accelerator": accelerator,
        },
        "floor": " ".join((floor.__doc__ or "").split()),
    }


def name_of_total(kind: Kind) -> str:
    """What the sum over all problems is called."""
    return f"best {kind.replace('solver', 'solvers')}" if kind in RIVALS else str(kind)


def _run(run: Run) -> dict[str, Any]:
    return {
        "seed": run.seed,
        "problems": [_problem(rows) for rows in run.groups],
        "total": _total(run.groups, list(Kind)),
    }


def _problem(rows: Sequence[Row]) -> dict[str, Any]:
    quoted = ratios.best(rows)
    return {
        "problem": rows[0].problem,
        "best per-signal solver": None if quoted is None else quoted.solver,
        "rows": [
            _entry(row) | {"ratio to fast": _number(ratios.paired(rows[:1], [row]))} for row in rows
        ],
    }


def _total(groups: Sequence[Sequence[Row]], kinds: Sequence[Kind]) -> dict[str, Any]:
    return {
        name_of_total(kind): {
            "seconds": _number(ratios.total(groups, kind)),
            "ratio to fast": _number(ratios.ratio(groups, kind)),
        }
        for kind in kinds
    }


def _scaling(grown: Scaling) -> dict[str, Any]:
    return {
        "batches": [_entry(row) for row in grown.batches],
        "widths": [
            {"width": w.width, "sizes": w.sizes, "rows": [_entry(row) for row in w.rows]}
            for w in grown.widths
        ],
        "one signal": [_problem(rows) for rows in grown.single],
        "one signal, total": _total(grown.single, [Kind.FAST, Kind.RIVAL]),
    }


def _entry(row: Row) -> dict[str, Any]:
    return {**_plain(asdict(row)), "valid": None if row.kind is Kind.FLOOR else row.valid}


def _row(entry: dict[str, Any]) -> Row:
    values = {field.name: entry[field.name] for field in fields(Row) if field.name in entry}
    values |= {k: value for k, value in NO_NUMBER.items() if values[k] is None}
    values |= {k: tuple(values[k]) for k in ("times", "iterations") if values.get(k) is not None}
    return Row(**values | {"kind": Kind(values["kind"])})


def _plain(values: Any) -> Any:
    """The same without nan and inf, which JSON does not know."""
    if isinstance(values, dict):
        return {k: _plain(v) for k, v in values.items()}
    if isinstance(values, list | tuple):
        return [_plain(v) for v in values]
    return _number(values) if isinstance(values, float) else values


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
