"""Measure, store and print a summary."""

from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from cvxinv.guarantees.recursion import TROPP
from validation.record import store
from validation.tightness.designs import designs
from validation.tightness.theorem_3 import DRAWS, shipped, theorem3
from validation.tightness.theorem_4 import oracles, theorem4


def summary_3(rows: list[dict[str, Any]]) -> Table:
    """Draws, violations and the worst ratios, a line per design."""
    worst = ("worst entrywise", "worst norm", "worst latent")
    table = Table("design", "draws", "s up to", "violations", *worst)
    for name in dict.fromkeys(row["design"] for row in rows):
        mine = [row for row in rows if row["design"] == name]
        found = [
            [q for row in mine for q in row["entrywise"]],
            [q for row in mine for q in row["norms"]],
            [row["latent"] for row in mine],
        ]
        largest = [max((q["max"] for q in kind if q), default=np.nan) for kind in found]
        draws, s, violations = (
            sum(row["draws"] for row in mine),
            max(max(row["largest_s"]) for row in mine),
            sum(row["violations"] for row in mine),
        )
        table.add_row(name, f"{draws}", f"{s}", f"{violations}", *(f"{q:.3f}" for q in largest))
    return table


def summary_4(rows: list[dict[str, Any]]) -> Table:
    """Mean squared errors and bounds, a line per design and layer."""
    table = Table("design", "layer", "lower", "mean, 99 % interval", "expected", "upper")
    for row in rows:
        low, high = row["interval_99"]
        lower, expected, upper = (f"{row[key]:.3e}" for key in ("lower", "expected", "upper"))
        interval = f"{low:.3e} .. {high:.3e}"
        table.add_row(row["design"], f"{row['layer']}", lower, interval, expected, upper)
    return table


def main(
    draws: Annotated[
        int, typer.Option(min=1, help="For each design, noise level and kind of noise.")
    ] = DRAWS,
) -> None:
    """Theorem 3 on all designs, Theorem 4 on two generators."""
    console = Console(width=140)
    rows = [row for design in designs() for row in theorem3(design, draws)]
    console.print(summary_3(rows))
    found = [row for name, G, z in oracles() for row in theorem4(name, G, z)]
    console.print(summary_4(found))
    result = {
        "draws": sum(row["draws"] for row in rows),
        "violations": sum(row["violations"] for row in rows),
        "constant": TROPP,
        "worst_entrywise": max(q["max"] for row in rows for q in row["entrywise"] if q),
        "shipped_generator": shipped(),
        "theorem_3": rows,
        "theorem_4": found,
    }
    store("tightness", result, ("numpy", "torch"))


if __name__ == "__main__":
    typer.run(main)
