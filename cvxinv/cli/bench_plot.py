"""The picture of a scaling run."""

from collections.abc import Sequence
from os import PathLike

from cvxinv.bench.measure import Row
from cvxinv.bench.ratios import best
from cvxinv.bench.scaling import Scaling
from cvxinv.cli.pictures import GOOD, MUTED, POOR

COLOURS = GOOD, "#35618f", POOR, "#8a6d1f", "#6a4c93"


def plot(
    path: str | PathLike[str], found: Scaling, groups: Sequence[Sequence[Row]], dpi: int = 150
) -> None:
    """Write a PNG: time per signal against batch and against width, log-log, a line per problem.

    Parameters
    ----------
    path : path
        Its suffix names the format.
    found : Scaling
    groups : sequence of sequences of Row
        The rows of each problem, whose best per-signal solver is drawn dashed.
    dpi : int
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(9.6 if found.widths else 5.4, 4.0), facecolor="white", layout="constrained"
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2 if found.widths else 1, squeeze=False, sharey=True)[0]
    for colour, rows in zip(COLOURS, groups, strict=False):
        name, rival = rows[0].problem, best(rows)
        own = [row for row in found.batches if row.problem == name]
        axes[0].plot(
            [row.batch for row in own],
            [1e3 * row.seconds / row.batch for row in own],
            "o-",
            ms=4,
            color=colour,
            label=name,
        )
        if rival is not None:
            axes[0].axhline(
                1e3 * rival.seconds / rival.batch,
                ls="--",
                lw=1,
                color=colour,
                label=f"{name}: {rival.solver}",
            )
        wide = [(w.width, row) for w in found.widths for row in w.rows if row.problem == name]
        if wide:
            axes[1].plot(
                [w for w, _ in wide],
                [1e3 * row.seconds / row.batch for _, row in wide],
                "o-",
                ms=4,
                color=colour,
            )
    axes[0].set_xlabel("signals in the batch")
    axes[0].set_ylabel("milliseconds per signal")
    axes[0].legend(fontsize=7.5, frameon=False, ncols=2)
    for axis in axes:
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.tick_params(labelsize=8, colors=MUTED)
        axis.grid(color="#e6e6e6", lw=0.6)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    if found.widths:
        axes[1].set_xlabel(
            f"width of the hidden layers, relative ({found.widths[0].rows[0].batch} signals)"
        )
        axes[1].set_xticks([w.width for w in found.widths], [f"{w.width:g}" for w in found.widths])
        axes[1].minorticks_off()
    figure.savefig(path, dpi=dpi)
