"""The tables of `cvxinv bench`."""

from collections.abc import Iterable, Iterator, Sequence
from math import isnan

from rich.console import Console

from cvxinv.bench import rivals
from cvxinv.bench.compare import TOLERATED, Change
from cvxinv.bench.measure import Kind, Row
from cvxinv.bench.ratios import best, paired, ratio, total
from cvxinv.bench.result import Result, name_of_total
from cvxinv.bench.scaling import Scaling
from cvxinv.bench.summary import Line, Run, summary
from cvxinv.cli import common
from cvxinv.cli.common import table

WIDTH = 150  # of tables that go to a file


COLUMNS = (
    "fast, ms/signal",
    "best per-signal solver",
    "its ms/signal",
    "ratio",
    "in processes",
    "as printed",
    "x floor",
    "solved",
)


def show(console: Console, title: str, result: Result) -> None:
    """Print all tables, the summary first."""
    runs = result.runs
    lines = summary(runs)
    out = table(f"{title}, seed{'s' * (len(runs) > 1)} {' / '.join(str(r.seed) for r in runs)}")
    for name in ("problem", *COLUMNS):
        out.add_column(name, justify="right", no_wrap=True)
    out.columns[0].justify = out.columns[2].justify = "left"
    for line in lines:
        if line is lines[-1]:
            out.add_section()
        out.add_row(line.problem, *cells(line))
    common.show(console, out)
    for text in _legend(result, lines):
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    for run in runs:
        console.print()
        _show_run(console, run)
    counted = "; ".join(
        f"{row.problem} {row.note}"
        for rows in runs[0].groups
        for row in rows
        if row.kind is Kind.FLOOR
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
    if result.grown is not None:
        _show_scaling(console, result.grown)


def cells(line: Line) -> list[str]:
    """The cells of a line of the summary, under `COLUMNS`; what differs between seeds is separated
    by strokes.
    """
    printed = zip(line.printed, line.printed_valid, strict=True)
    return [
        _joined(f"{v:.3g}" for v in line.ours),
        _joined(name or "the best of each" for name in line.rival),
        _joined(f"{v:.3g}" for v in line.theirs),
        _joined(f"{v:.3g}" for v in line.ratio),
        _joined(f"{v:.3g}" for v in line.processes),
        _joined(f"{'' if valid else '> '}{v:.3g}" for v, valid in printed),
        _joined(f"{v:.3g}" for v in line.floor),
        _joined(f"{k}/{line.batch}" for k in line.solved),
    ]


def _joined(values: Iterable[str]) -> str:
    found = ["-" if "nan" in value else value for value in values]
    return " / ".join(found if len({*found}) > 1 else found[:1])


def _legend(result: Result, lines: Sequence[Line]) -> Iterator[str]:
    """What the columns are, and the figures that are one of all signals."""
    yield (
        "ratio: of the best per-signal solver in one process to fast, the median of paired repeats;"
        f" in processes: the same in {result.settings.get('processes', 1)} processes;"
        " as printed: the paper's algorithms, which run once, > where they left signals unsolved;"
        " x floor: fast to the GEMM floor; solved by fast to a KKT residual of"
        f" {result.settings['tolerance']:g}"
    )
    first = [f"{line.problem} {line.first_call[0]:.3g} ms" for line in lines]
    if not isnan(lines[-1].first_call[0]):
        yield f"first call of fast, nothing warmed, all signals: {', '.join(first)}"
    events = [f"{line.problem} {_joined(f'{v:.3g}' for v in line.on_device)}" for line in lines]
    if not isnan(lines[-1].on_device[0]):
        yield f"between CUDA events, ms/signal: {', '.join(events)}"


def _show_run(console: Console, run: Run) -> None:
    """Every solver on every problem, with one seed."""
    out = table(
        f"Seed {run.seed}",
        "problem",
        "solver",
        "ms/signal",
        "x fast",
        "worst KKT",
        "solved",
        "iterations",
        "",
    )
    out.columns[1].justify = out.columns[-1].justify = "left"
    out.columns[-1].no_wrap = False
    for rows in run.groups:
        quoted = best(rows), best(rows, Kind.PROCESSES)
        for i, row in enumerate(rows):
            out.add_row(
                row.problem if not i else "", *_cells(row, paired(rows[:1], [row]), row in quoted)
            )
        out.add_section()
    for i, kind in enumerate(Kind):
        times = _times(total(run.groups, kind), run.groups[0][0].batch, ratio(run.groups, kind))
        out.add_row("all" if not i else "", name_of_total(kind), *times, *[""] * 4)
    common.show(console, out)


def show_changes(console: Console, old: Result, changes: Sequence[Change]) -> None:
    """Print what a comparison found."""
    out = table(
        f"Then ({old.about.get('date')}, commit {str(old.about.get('commit'))[:9]}) and now",
        "problem",
        "fast, ms/signal",
        "x its best rival then",
        "x floor",
        "solved",
        "",
    )
    out.columns[-1].justify = "left"
    for change in changes:
        out.add_row(
            change.problem,
            *(
                _then_and_now(f"{v:.3g}" for v in pair)
                for pair in (change.ms, change.faster, change.floor)
            ),
            _then_and_now(f"{k}/{change.batch}" for k in change.solved),
            _verdict(change),
        )
    common.show(console, out)
    console.print(
        "REGRESSION: fewer signals solved, or more than"
        f" {TOLERATED:.0%} slower both against the rival and against the GEMM floor of its own run",
        highlight=False,
        soft_wrap=True,
    )


def _then_and_now(values: Iterable[str]) -> str:
    return " -> ".join("-" if value == "nan" else value for value in values)


def _verdict(change: Change) -> str:
    if isnan(change.slower):
        return "[red]REGRESSION[/]" if change.regressed else ""
    percent = 100 * (change.slower - 1)
    word = f"{abs(percent):.0f} % {'slower' if percent > 0 else 'faster'}"
    return f"[red]REGRESSION[/], {word}" if change.regressed else word


def _cells(row: Row, times_fast: float, quoted: bool) -> list[str]:
    counts = "-" if row.iterations is None else f"{row.iterations[0]:.0f} / {row.iterations[1]}"
    scaled = f"{row.timed} timed, scaled" if row.timed < row.batch else ""
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
        *_times(row.seconds, row.batch, times_fast),
        *checked,
        counts,
        "; ".join(filter(None, (best_mark, scaled, proof, note))),
    ]


def _times(seconds: float, batch: int, times_fast: float) -> list[str]:
    if isnan(seconds):
        return ["-", "-"]
    return [f"{1e3 * seconds / batch:.4g}", f"{times_fast:.3g}"]


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
        out.add_row(name_of_total(kind), *cells, f"{1e3 * total(grown.single, kind):.4g}")
    common.show(console, out)


def _checked(row: Row) -> str:
    return f"{1e3 * row.seconds / row.batch:.4g}" + (
        "" if row.valid else f" ({row.solved}/{row.timed} solved)"
    )
