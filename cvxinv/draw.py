"""Pictures of signals: originals, what was seen of them, and what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

HIDDEN = "#e8b04a"  # no shade of grey: a hidden pixel must not look like a dark one
GOOD, POOR, MUTED = "#2c7a4b", "#b3382c", "#666666"
EXACT = 100.0  # dB; below, a reconstruction is labelled as poor


@dataclass(frozen=True, eq=False)
class Panel:
    """One setting of a picture: B images (B, n), which pixels were seen (B, n), what came back, and its SNR (B,) in dB."""

    title: str
    original: Any
    observed: Any
    reconstruction: Any
    snr: Any


def panels(path: str | PathLike[str], settings: Sequence[Panel], shape: tuple[int, int], dpi: int = 150) -> None:
    """Write a PNG: for each setting a row of originals, a row of inputs with hidden pixels coloured, a row of reconstructions.

    Parameters
    ----------
    path : path
        Its suffix names the format.
    settings : sequence of Panel
    shape : (height, width)
        Of one image; entries are shown from -1 (black) to 1 (white), nan like a hidden pixel.
    dpi : int
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    columns = max(len(p.original) for p in settings)
    figure = Figure(figsize=(1.25 + 0.78 * columns, 0.2 + 2.95 * len(settings)), facecolor="white")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(len(settings), 1, squeeze=False)[:, 0]
    for part, setting in zip(parts, settings, strict=True):
        axes = part.subplots(3, columns, squeeze=False)
        left = 1.05 / figure.get_figwidth()
        part.subplots_adjust(left=left, right=0.995, top=0.89, bottom=0.075, wspace=0.06, hspace=0.06)
        part.text(left, 0.92, setting.title, fontsize=11, fontweight="bold", va="bottom")
        rows = setting.original, np.where(setting.observed, setting.original, np.nan), setting.reconstruction
        for i, (label, images) in enumerate(zip(("original", "input", "reconstruction"), rows, strict=True)):
            axes[i, 0].annotate(
                label, (-0.1, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=8.5, color=MUTED, annotation_clip=False
            )
            for j, axis in enumerate(axes[i]):
                axis.set_axis_off()
                if j < len(images):
                    axis.imshow(_grey(images[j].reshape(shape)), cmap=_map(), norm=Normalize(-1, 1), interpolation="nearest")
        for j, value in enumerate(setting.snr):
            axes[2, j].text(
                0.5, -0.06, decibels(value), transform=axes[2, j].transAxes, ha="center", va="top", fontsize=7.5,
                color=GOOD if value >= EXACT else POOR,
            )  # fmt: skip
    figure.savefig(path, dpi=dpi)


def decibels(value: float) -> str:
    """An SNR as a label."""
    return "exact" if value == np.inf else "no answer" if np.isnan(value) else f"{value:.0f} dB"


def _grey(image: Any) -> Any:
    return np.ma.masked_invalid(image)


def _map() -> Any:
    import matplotlib

    return matplotlib.colormaps["gray"].with_extremes(bad=HIDDEN)
