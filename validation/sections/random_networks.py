"""Fig. 2 drawn from validation/results/random_networks.json: `python -m
validation.random_networks_plot`; writes random_networks.png beside it.
"""

import json
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from validation.record import RESULTS

# colours that differ in grey, too, and lines that differ without colour
STYLES = {
    "gradient descent": ("#999999", ":"),
    "basis pursuit": ("#e69f00", "-."),
    "Latent-Pursuit, printed": ("#56b4e9", "--"),
    "Latent-Pursuit, exact": ("#0072b2", "-"),
    "invert": ("#111111", "-"),
}
PANELS = {"z": "latent vector $z$", "x_1": "hidden layer $x_1$", "image": "image"}
LOW, HIGH = -20.0, 320.0  # dB


def panel(axis: Axes, points: list[dict[str, Any]], what: str, n: int) -> None:
    """The SNR of one layer over n_1, for one n_0."""
    n_1 = np.array([p["n_1"] for p in points])
    for name, (colour, line) in STYLES.items():
        q = np.clip(np.array([p["SNR"][name][what] for p in points]), LOW, HIGH)
        axis.fill_between(n_1, q[:, 0], q[:, 4], color=colour, alpha=0.12, linewidth=0)
        axis.fill_between(n_1, q[:, 1], q[:, 3], color=colour, alpha=0.22, linewidth=0)
        axis.plot(n_1, q[:, 2], line, color=colour, linewidth=1.6, label=name)
    n_0 = points[0]["n_0"]
    for at, word in ((2 * n_0, "$s_1 = n_0$"), (2 * n, "$s_1 = n$")):
        if n_1.min() <= at <= n_1.max():
            axis.axvline(at, color="#444444", linewidth=0.8, linestyle=(0, (4, 3)))
            axis.text(at, HIGH, f" {word}", fontsize=7.5, va="top", color="#444444")
    axis.set_ylim(LOW, HIGH)
    axis.set_title(f"{PANELS[what]}, $n_0$ = {n_0}", fontsize=9.5)
    axis.grid(True, color="#dddddd", linewidth=0.5)


def draw(result: dict[str, Any]) -> Figure:
    """The six panels."""
    sizes = result["latent"]
    figure = Figure(figsize=(10.5, 3.3 * len(sizes)), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(sizes), len(PANELS), sharex=True, sharey=True, squeeze=False)
    for row, n_0 in zip(axes, sizes, strict=True):
        points = [p for p in result["points"] if p["n_0"] == n_0]
        for axis, what in zip(row, PANELS, strict=True):
            panel(axis, points, what, result["n"])
        row[0].set_ylabel("SNR (dB)")
    for axis in axes[-1]:
        axis.set_xlabel("$n_1$, width of the hidden layer")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    figure.suptitle(
        f"tanh($W_1$ ReLU($W_0 z$)), n = {result['n']}, {result['signals']} signals a point:"
        " median, 25-75 % and 10-90 %",
        fontsize=10.5,
    )
    return figure


if __name__ == "__main__":
    stored = json.loads((RESULTS / "random_networks.json").read_text(encoding="utf-8"))
    draw(stored).savefig(RESULTS / "random_networks.png", dpi=130)
