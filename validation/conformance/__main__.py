"""Hold honest solvers, wrong ones and solvers at their defaults against `cvxinv.testing`.

Run as `python -m validation.conformance`; writes validation/results/conformance.json, and prints
its tables. About two minutes.
"""

from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from validation.record import store

from . import defaults, kills
from .adapters import ADAPTERS
from .more_bugs import BUGS

PACKAGES = ("hypothesis", "osqp", "scs", "clarabel", "daqp", "piqp", "quadprog", "scikit-learn")


def verdicts(title: str, rows: list[dict[str, Any]]) -> Table:
    """Verdicts, one a line."""
    out = Table("solver", "problems", "verdict", "level", "examples", "s", "why", title=title)
    for row in rows:
        verdict = "accepted" if row["accepted"] else "rejected"
        figures = (str(row["examples"]), f"{row['seconds']:.1f}")
        out.add_row(row["solver"], row["kind"], verdict, row["level"], *figures, row["words"])
    return out


def promises(rows: list[dict[str, Any]]) -> Table:
    """Defaults, one solver a line: signals that are optimal to 1e-3, 1e-6 and 1e-8."""
    out = Table("solver", "promise", title=f"defaults, of {defaults.SIGNALS} signals")
    for name in defaults.SIZES:
        out.add_column(f"{name}: solved, it says")
        out.add_column("to " + " / ".join(f"{tol:g}" for tol in defaults.LEVELS))
        out.add_column("worst KKT")
    for row in rows:
        cells = []
        for name in defaults.SIZES:
            one = row[name]
            counts = " / ".join(map(str, one["optimal"].values()))
            cells += [str(one["claimed"]), counts, f"{one['worst']:.1e}"]
        out.add_row(f"{row['solver']} {row['version']}", row["promise"], *cells)
    return out


def main() -> None:
    """All three tables."""
    with Progress(transient=True) as progress:
        total = len(BUGS) + len(kills.OWN) + len(ADAPTERS) + len(defaults.PEERS)
        task = progress.add_task("solvers", total=total)

        def done() -> None:
            progress.advance(task)

        result: dict[str, Any] = {
            "tol": kills.TOL,
            "max_examples": kills.EXAMPLES,
            "honest": kills.honest(done),
            "wrong": kills.wrong(done),
            "defaults": defaults.table(done),
        }
    store("conformance", result, PACKAGES, threads=1)
    console = Console()
    console.print(verdicts("honest solvers", result["honest"]))
    console.print(verdicts("wrong solvers", result["wrong"]))
    console.print(promises(result["defaults"]))
    seconds = sum(row["seconds"] for row in result["honest"] + result["wrong"])
    console.print(
        f"{sum(row['accepted'] for row in result['honest'])} of {len(result['honest'])} honest"
        f" accepted, {sum(not row['accepted'] for row in result['wrong'])} of"
        f" {len(result['wrong'])} wrong rejected, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
