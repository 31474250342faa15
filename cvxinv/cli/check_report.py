"""What `cvxinv check` says about uniqueness: the conditions of Theorems 1 and 2, as a table, in
words, and as a picture.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cvxinv.cli import common
from cvxinv.cli.common import spread, table
from cvxinv.guarantees.bracket import Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cvxinv.generator import Generator
    from cvxinv.guarantees import Condition, Uniqueness

LIMITS = {1: "#8a5a9e", 2: "#2c5f7a"}  # of the theorems
COLOURS = {Verdict.HOLDS: "#2c7a4b", Verdict.FAILS: "#b3382c", Verdict.UNDECIDED: "#e8b04a"}


def show(console: "Console", found: Sequence["Uniqueness"]) -> None:
    """Print the table and what stands behind the verdicts that are not HOLDS."""
    common.show(console, _table(found))
    for one in found:
        for condition in one.conditions:
            for verdict in (Verdict.FAILS, Verdict.UNDECIDED):
                which = np.flatnonzero([v is verdict for v in condition.verdict])
                if len(which):
                    reason = condition.reason[which[0]]
                    text = (
                        f"Theorem {one.theorem} {condition.name} {verdict.name} for {len(which)},"
                        f" e.g. signal {which[0]}: {reason}"
                    )
                    console.print(text, highlight=False, markup=False, soft_wrap=True)
    B = len(found[0].verdict)
    console.print(
        "only z gives the signal, whatever the conditions, as no layer has dependent columns:"
        f" {found[0].injective.sum()} of {B}",
        highlight=False,
        soft_wrap=True,
    )


def _table(found: Sequence["Uniqueness"]) -> "Table":
    B = len(found[0].verdict)
    out = table(
        f"Uniqueness of z, {B} signals (Theorem 2 speaks of random weights)",
        "Th.",
        "condition",
        "against",
        *(v.name for v in Verdict),
    )
    out.columns[1].justify = "left"
    for one in found:
        for i, condition in enumerate(one.conditions):
            names = [
                str(one.theorem) if not i else "",
                f"{condition.name} {condition.statement}".replace("[", r"\["),
            ]
            out.add_row(*names, _right_side(condition), *_counts(condition.verdict))
        out.add_row("", "all of them", "", *_counts(one.verdict))
        out.add_section()
    return out


def _counts(verdicts: Any) -> list[str]:
    return [str(sum(v is verdict for v in verdicts)) for verdict in Verdict]


def _right_side(condition: "Condition") -> str:
    """The right-hand sides over all signals, both ends of brackets; the ranks for (iii) of Theorem
    1.
    """
    ends = [end for q in condition.bounds for end in (q.lower, q.upper) if np.isfinite(end)]
    half = condition.statement.endswith("/2")
    return spread(np.array(ends) / (2 if half else 1), "g")


def plot(path: Path, G: "Generator", found: Sequence["Uniqueness"]) -> None:
    """Write a picture: a panel per layer, a signal per column, s_i against what Theorems 1 and 2
    ask for.

    Parameters
    ----------
    path : path
    G : Generator
    found : the answers for Theorem 1 and Theorem 2, of the same signals
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * G.depth, 4.4), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, G.depth, squeeze=False)[0]
    of_layer = [{c.layer: c for c in one.conditions if c.name != "(iii)"} for one in found]
    for i, axis in enumerate(axes, start=1):
        first, second = (conditions[i] for conditions in of_layer)
        order = np.argsort(first.cardinality, kind="stable")
        at, s = np.arange(len(order)), first.cardinality[order]
        low, high = (
            np.array([getattr(q, end) for q in first.bounds[order]], dtype=float) / 2
            for end in ("lower", "upper")
        )
        high = np.where(np.isfinite(high), high, np.nan)
        rows = np.array([q.upper for q in second.bounds[order]], dtype=float)
        axis.vlines(at, low, high, color=LIMITS[1], linewidth=1, alpha=0.5)
        axis.plot(
            at,
            high,
            "_",
            color=LIMITS[1],
            markersize=5,
            label="spark/2 (line: its bracket), Theorem 1",
        )
        axis.plot(
            at,
            np.where(np.isfinite(rows), rows, np.nan),
            "_",
            color=LIMITS[2],
            markersize=5,
            label="rows kept, Theorem 2",
        )
        for verdict, colour in COLOURS.items():
            which = np.array([v is verdict for v in first.verdict[order]], dtype=bool)
            axis.plot(
                at[which],
                s[which],
                ".",
                color=colour,
                markersize=5,
                label=f"$s_{i}$, Theorem 1 {verdict.name}",
            )
        if i == 1:
            axis.axhline(
                G.sizes[0],
                color="#666666",
                linewidth=1,
                linestyle="--",
                label=f"$n_0 = {G.sizes[0]}$, both",
            )
        axis.set_title(f"$x_{i}$, $n_{i}$ = {G.sizes[i]}", fontsize=10)
        axis.set_xlabel(f"signals, by $s_{i}$")
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.15), ncols=2)
    axes[0].set_ylabel("cardinality")
    figure.savefig(path, dpi=150)
