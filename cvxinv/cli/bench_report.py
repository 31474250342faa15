"""The table and the JSON of `cvxinv bench`."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from cvxinv import record
from cvxinv.bench import floor, rivals
from cvxinv.bench.measure import Kind, Row, best, total
from cvxinv.bench.scaling import Scaling
from cvxinv.cli import common
from cvxinv.cli.common import table

WIDTH = 150  # of tables that go to a file
DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # of modules that are called otherwise


def show(
    console: Console, title: str, groups: Sequence[Sequence[Row]], grown: Scaling | None
) -> None:
    """Print all tables."""
    out = table(
        title,
        "problem",
        "solver",
        "seconds",
        "ms/signal",
        "x fast",
        "worst KKT",
        "solved",
        "iterations",
        "signals timed",
        "",
    )
    out.columns[1].justify = out.columns[-1].justify = "left"
    out.columns[-1].no_wrap = False
    for rows in groups:
        for i, row in enumerate(rows):
            out.add_row(
                row.problem if not i else "", *_cells(row, rows[0].seconds, row is best(rows))
            )
        out.add_section()
    own = total(groups, Kind.FAST)
    for i, kind in enumerate(Kind):
        seconds = total(groups, kind)
        out.add_row(
            "all" if not i else "",
            _total_name(kind),
            *_times(seconds, groups[0][0].batch, own),
            "",
            "",
            "",
            "",
            "",
        )
    common.show(console, out)
    counted = "; ".join(
        f"{row.problem} {row.note}" for rows in groups for row in rows if row.kind is Kind.FLOOR
    )
    console.print(f"GEMM floor: {counted}", highlight=False, soft_wrap=True)
    for rival in rivals.RIVALS:
        if not rival.installed:
            console.print(
                f'{rival.name}: not installed (pip install "{rival.package}")',
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
    if grown is not None:
        _show_scaling(console, grown)


def _cells(row: Row, own: float, quoted: bool) -> list[str]:
    counts = "-" if row.iterations is None else f"{row.iterations[0]:.0f} / {row.iterations[1]}"
    timed = f"{row.timed}" + (", scaled" if row.timed < row.batch else "")
    checked = (
        [f"{row.kkt:.1e}", f"{row.solved}/{row.timed}"] if row.kind is not Kind.FLOOR else ["", ""]
    )
    best_mark = "" if not quoted else "best" if row.valid else "closest, not valid"
    proof = (
        f"certificate {1e3 * row.certifying:.2g} ms"
        if row.kind is Kind.FAST and row.certifying is not None
        else ""
    )
    note = "" if row.kind is Kind.FLOOR or row.note == f"{row.timed} OPTIMAL" else row.note
    return [
        row.solver,
        *_times(row.seconds, row.batch, own),
        *checked,
        counts,
        timed if row.kind is not Kind.FLOOR else "",
        "; ".join(filter(None, (best_mark, proof, note))),
    ]


def _times(seconds: float, batch: int, own: float) -> list[str]:
    if math.isnan(seconds):
        return ["-", "-", "-"]
    return [f"{seconds:.4g}", f"{1e3 * seconds / batch:.4g}", f"{seconds / own:.3g}"]


def _show_scaling(console: Console, grown: Scaling) -> None:
    out = table(
        "fast by batch: ms per signal",
        "signals",
        *dict.fromkeys(row.problem for row in grown.batches),
    )
    for batch in dict.fromkeys(row.batch for row in grown.batches):
        out.add_row(str(batch), *(_checked(row) for row in grown.batches if row.batch == batch))
    common.show(console, out)
    if grown.widths:
        out = table(
            "fast by width of the hidden layers: ms per signal",
            "sizes",
            *(row.problem for row in grown.widths[0].rows),
        )
        for wide in grown.widths:
            out.add_row("-".join(map(str, wide.sizes)), *map(_checked, wide.rows))
        common.show(console, out)
    out = table("One signal alone: ms", "", *(rows[0].problem for rows in grown.single), "all")
    for kind in (Kind.FAST, Kind.RIVAL):
        chosen = [rows[0] if kind is Kind.FAST else best(rows) for rows in grown.single]
        cells = [
            "-"
            if row is None
            else f"{1e3 * row.seconds:.4g}" + (f" {row.solver}" if kind is Kind.RIVAL else "")
            for row in chosen
        ]
        out.add_row(_total_name(kind), *cells, f"{1e3 * total(grown.single, kind):.4g}")
    common.show(console, out)


def _total_name(kind: Kind) -> str:
    return "best per-signal solvers" if kind is Kind.RIVAL else kind


def _checked(row: Row) -> str:
    return f"{1e3 * row.seconds / row.batch:.4g}" + (
        "" if row.valid else f" ({row.solved}/{row.timed} solved)"
    )


# -- the record of a run ---------------------------------------------------------------------------


def write(
    path: Path,
    settings: dict[str, Any],
    where: dict[str, Any],
    groups: Sequence[Sequence[Row]],
    grown: Scaling | None,
) -> None:
    """The JSON: everything the tables show, and how it came about."""
    names = {
        "torch",
        "numpy",
        *(DISTRIBUTIONS.get(r.module, r.module) for r in rivals.RIVALS if r.installed),
    }
    result = {
        **record.run(names),
        "not installed": [rival.name for rival in rivals.RIVALS if not rival.installed],
        "machine": where,
        "settings": settings,
        "floor": " ".join((floor.__doc__ or "").split()),
        "problems": [_problem(rows) for rows in groups],
        "total": {_total_name(kind): _total(groups, kind) for kind in Kind},
        "scaling": None if grown is None else _scaling(grown),
    }
    record.write(path, result)


def _problem(rows: Sequence[Row]) -> dict[str, Any]:
    quoted = best(rows)
    own = rows[0].seconds
    return {
        "problem": rows[0].problem,
        "best per-signal solver": None if quoted is None else quoted.solver,
        "rows": [_entry(row) | {"ratio to fast": _number(row.seconds / own)} for row in rows],
    }


def _entry(row: Row) -> dict[str, Any]:
    values = {k: _number(v) if isinstance(v, float) else v for k, v in asdict(row).items()}
    return values | {"valid": None if row.kind is Kind.FLOOR else row.valid}


def _total(groups: Sequence[Sequence[Row]], kind: Kind) -> dict[str, Any]:
    seconds = total(groups, kind)
    return {
        "seconds": _number(seconds),
        "ratio to fast": _number(seconds / total(groups, Kind.FAST)),
    }


def _scaling(grown: Scaling) -> dict[str, Any]:
    return {
        "batches": [_entry(row) for row in grown.batches],
        "widths": [
            {"width": w.width, "sizes": w.sizes, "rows": [_entry(row) for row in w.rows]}
            for w in grown.widths
        ],
        "one signal": [_problem(rows) for rows in grown.single],
        "one signal, total": {
            _total_name(kind): _total(grown.single, kind) for kind in (Kind.FAST, Kind.RIVAL)
        },
    }


def _number(value: float) -> float | None:  # JSON knows neither nan nor inf
    return value if math.isfinite(value) else None
