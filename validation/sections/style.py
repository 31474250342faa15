"""The one look of all figures: white, thin, legible in grey and to colour-blind readers."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's colours, chosen so that they differ in lightness, too; a line style each
BLUE, SKY, ORANGE, GREEN, RED, PURPLE = (
    "#0072b2", "#56b4e9", "#e69f00", "#009e73", "#b3382c", "#7b4f9d",
)  # fmt: skip
INK, GREY, PALE = "#222222", "#8a8a8a", "#e4e4e4"
METHODS: dict[str, tuple[str, Any]] = {
    "gradient descent": (GREY, ":"),
    "basis pursuit": (ORANGE, "-."),
    "linear programs": (PURPLE, (0, (3, 1, 1, 1))),
    "Latent-Pursuit, printed": (SKY, "--"),
    "printed, x > 0": ("#a9c4d6", (0, (2, 1))),
    "Latent-Pursuit, exact": (BLUE, "-"),
    "oracle": (GREEN, (0, (5, 1))),
    "hybrid": (RED, (0, (1, 1))),
    "invert": (INK, "-"),
}
SIZE = 8.5  # points


def new(width: float = 7.2, height: float = 3.6) -> Figure:
    """An empty figure, in inches."""
    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(axis: Axes, x: str = "", y: str = "", title: str = "") -> Axes:
    """Labels with units, a pale grid, no box."""
    axis.set_xlabel(x, fontsize=SIZE)
    axis.set_ylabel(y, fontsize=SIZE)
    axis.set_title(title, fontsize=SIZE + 1)
    axis.grid(True, color=PALE, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=SIZE - 0.5, colors="#444444")
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    return axis


def legend(figure: Figure, axis: Axes, columns: int) -> None:
    """Below all axes."""
    how: dict[str, Any] = {"frameon": False, "fontsize": SIZE}
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, **how)


def count(figure: Figure, words: str) -> None:
    """Say above all axes how many signals there are."""
    figure.suptitle(words, fontsize=SIZE, color="#444444")


def bars(
    values: Mapping[str, float],
    unit: str,
    title: str,
    log: bool = False,
    line: float | None = None,
    form: str = "{:.3g}",
) -> Figure:
    """A horizontal bar for each name, its value written beside it; `line` marks a limit."""
    figure = new(7.2, 0.9 + 0.27 * len(values))
    axis = tidy(figure.subplots(), unit, "", title)
    names, lengths = list(values), list(values.values())
    drawn = axis.barh(names, lengths, color=BLUE, height=0.6, log=log)
    axis.bar_label(drawn, [form.format(v) for v in lengths], padding=3, fontsize=SIZE - 0.5)
    axis.invert_yaxis()
    axis.margins(x=0.14)
    axis.grid(False, axis="y")
    if line is not None:
        axis.axvline(line, color=INK, linewidth=0.9, linestyle="--")
    return figure


def dots(
    rows: Mapping[str, Mapping[str, float]],
    unit: str,
    title: str,
    log: bool = False,
    line: float | None = None,
) -> Figure:
    """A line for each name, on it a mark for each kind of value."""
    figure = new(7.2, 1.3 + 0.27 * len(rows))
    axis = tidy(figure.subplots(), unit, "", title)
    kinds = list(dict.fromkeys(kind for row in rows.values() for kind in row))
    styles: Sequence[tuple[str, str]] = [(INK, "o"), (ORANGE, "D"), (SKY, "s"), (GREY, "^")]
    for kind, (colour, marker) in zip(kinds, styles, strict=False):
        names = [name for name, row in rows.items() if kind in row]
        how: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 5}
        axis.plot([rows[n][kind] for n in names], names, linestyle="none", label=kind, **how)
    if log:
        axis.set_xscale("log")
    if line is not None:
        axis.axvline(line, color=INK, linewidth=0.9, linestyle="--")
    axis.set_yticks(list(rows))
    axis.invert_yaxis()
    legend(figure, axis, len(kinds))
    return figure


def svg(figure: Figure) -> str:
    """As SVG, the same bytes for the same figure."""
    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "cvxinv", "svg.fonttype": "path"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
