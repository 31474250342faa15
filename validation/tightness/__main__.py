"""Measure, store, draw and print a summary."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from rich.console import Console
from rich.table import Table

from cvxinv.guarantees.recursion import TROPP
from validation.record import RESULTS, store
from validation.tightness.designs import NOISES, designs
from validation.tightness.theorem_3 import shipped, theorem3
from validation.tightness.theorem_4 import oracles, theorem4


def picture(rows: list[dict[str, Any]]) -> None:
    """Histograms of the last layer's largest entrywise error over its bound, one panel per
    design.
    """
    names = list(dict.fromkeys(row["design"] for row in rows))
    figure, axes = plt.subplots(3, 3, figsize=(11, 7), sharex=True, layout="constrained")
    bins = np.linspace(0, 1.05, 64)
    for name, axis in zip(names, axes.flat, strict=True):
        mine = [row for row in rows if row["design"] == name]
        for kind in NOISES:
            ratios = np.concatenate([row["ratios"] for row in mine if row["kind"] == kind])
            axis.hist(ratios[~np.isnan(ratios)], bins=bins, histtype="step", label=kind)
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_title(name, fontsize=9)
        axis.set_yticks([])
    axes[0, 0].legend(fontsize=7)
    figure.supxlabel("largest entrywise error of x_L / bound of Theorem 3, corrected")
    figure.savefig(RESULTS / "tightness.png", dpi=110)


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


def main() -> None:
    """Theorem 3 on all designs, Theorem 4 on two generators."""
    console = Console(width=140)
    rows = [row for design in designs() for row in theorem3(design)]
    picture(rows)
    console.print(summary_3(rows))
    found = [row for name, G, z in oracles() for row in theorem4(name, G, z)]
    console.print(summary_4(found))
    result = {
        "draws": sum(row["draws"] for row in rows),
        "violations": sum(row["violations"] for row in rows),
        "constant": TROPP,
        "worst_entrywise": max(q["max"] for row in rows for q in row["entrywise"] if q),
        "shipped_generator": shipped(),
        "theorem_3": [{k: v for k, v in row.items() if k != "ratios"} for row in rows],
        "theorem_4": found,
    }
    store("tightness", result, ("numpy", "torch"))


if __name__ == "__main__":
    main()
