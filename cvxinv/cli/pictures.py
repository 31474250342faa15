"""Pictures of signals: originals, what was seen of them, what came back, what is left, and how sure
z is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

HIDDEN = "#e8b04a"  # no shade of grey: a hidden pixel must not look like a dark one
GOOD, POOR, MUTED = "#2c7a4b", "#b3382c", "#666666"
DARK = 0.05  # residuals up to this share of the limits' distance are never shown white
TILE, LABELS, BETWEEN = 0.78, 1.05, 0.3  # inches: an image, the words left of a row, a gap
EXACT = 100.0  # dB; below, a reconstruction is labelled as poor


@dataclass(frozen=True, eq=False)
class Panel:
    """One setting of a picture: B images (B, n), which pixels were seen (B, n), what came back, its
    SNR (B,) in dB, and the entries shown black and white.
    """

    title: str
    original: Any
    observed: Any
    reconstruction: Any
    snr: Any
    limits: tuple[float, float] = (-1, 1)


@dataclass(frozen=True, eq=False)
class Fit:
    """B signals (B, n), which pixels were seen (B, n), G(z), z (B, n_0) and its standard errors, if
    any.
    """

    signal: Any
    observed: Any
    reconstruction: Any
    z: Any
    standard_error: Any = None


def panels(
    path: str | PathLike[str],
    settings: Sequence[Sequence[Panel]],
    shape: tuple[int, int],
    dpi: int = 150,
) -> None:
    """Write a PNG of panels: each a row of originals, a row of inputs with hidden pixels coloured,
    a row of reconstructions.

    Parameters
    ----------
    path : path
        Its suffix names the format.
    settings : sequence of sequences of Panel
        Those of one sequence stand side by side, with as many images as those above them.
    shape : (height, width)
        Of one image; nan is shown like a hidden pixel.
    dpi : int
    """
    left = [LABELS] + [BETWEEN] * (len(settings[0]) - 1)
    widths = [a + TILE * len(p.original) for a, p in zip(left, settings[0], strict=True)]
    figure = new_figure(sum(widths), 0.2 + 2.95 * len(settings))
    parts = figure.subfigures(len(settings), len(widths), squeeze=False, width_ratios=widths)
    for row, side_by_side in zip(parts, settings, strict=True):
        for k, (part, panel) in enumerate(zip(row, side_by_side, strict=True)):
            _panel(part, panel, shape, left[k] / widths[k], labelled=k == 0)
    figure.savefig(path, dpi=dpi)


def _panel(part: Any, panel: Panel, shape: tuple[int, int], left: float, labelled: bool) -> None:
    """Draw one panel, from a share `left` of the width of its part on."""
    axes = part.subplots(3, len(panel.original), squeeze=False)
    part.subplots_adjust(left=left, right=0.99, top=0.89, bottom=0.075, wspace=0.06, hspace=0.06)
    part.text(left, 0.92, panel.title, fontsize=11, fontweight="bold", va="bottom")
    rows = {
        "original": panel.original,
        "input": np.where(panel.observed, panel.original, np.nan),
        "reconstruction": panel.reconstruction,
    }
    for row, (label, images) in zip(axes, rows.items(), strict=True):
        image_row(row, label if labelled else "", images, shape, panel.limits)
    for axis, value in zip(axes[2], panel.snr, strict=True):
        caption(axis, decibels(value), GOOD if value >= EXACT else POOR)


def fit(
    path: str | PathLike[str],
    found: Fit,
    shape: tuple[int, int],
    limits: tuple[float, float] = (-1, 1),
    dpi: int = 150,
) -> None:
    """Write a PNG with a column per signal: input, reconstruction, residual |y - G(z)|, and z with
    error bars of two standard errors.

    Where pixels are hidden and the signal has values there, a row above shows them.

    Parameters
    ----------
    path : path
        Its suffix names the format.
    found : Fit
    shape : (height, width)
        Of one image.
    limits : (low, high)
        The entries shown black and white. Hidden pixels and nan are coloured. Residuals are shown
        from 0 to about their largest, or to 5 % of the limits' distance where that is more; the
        number below each is its norm.
    dpi : int
    """
    low, high = limits
    given = np.where(found.observed, found.signal, np.nan)
    left = np.abs(given - found.reconstruction)
    white = np.nanquantile(left, 0.995) if np.isfinite(left).any() else 0.0
    white = max(white, DARK * (high - low))
    rows = {"input": (given, limits), "reconstruction": (found.reconstruction, limits)}
    rows[f"residual\n(white: {white:.2g})"] = (left, (0, white))
    if np.any(np.isfinite(found.signal) & ~found.observed):
        rows = {"as given": (found.signal, limits), **rows}
    bars, columns = found.standard_error is not None, len(found.signal)
    figure = new_figure(1.25 + 0.9 * columns, 0.3 + 0.95 * len(rows) + 1.6 * bars)
    ratios = [1.0] * len(rows) + [1.7] * bars
    axes = figure.subplots(len(ratios), columns, squeeze=False, height_ratios=ratios)
    figure.subplots_adjust(
        left=1.05 / figure.get_figwidth(),
        right=0.99,
        top=0.98,
        bottom=0.25 / figure.get_figheight(),
        hspace=0.12,
    )
    for row, (label, (images, span)) in zip(axes, rows.items(), strict=False):
        image_row(row, label, images, shape, span)
    for axis, image in zip(axes[len(rows) - 1], left, strict=True):
        caption(axis, f"{np.sqrt(np.nansum(image**2)):.2g}", MUTED)
    if bars:
        _error_bars(axes[-1], found)
    figure.savefig(path, dpi=dpi)


def _error_bars(axes: Any, found: Fit) -> None:
    """z from the first entry (top) to the last, with bars of two standard errors; those that are
    infinite span the axis.
    """
    row_label(axes[0], "z, two standard\nerrors")
    reach = 1.1 * np.max(np.abs(found.z[np.isfinite(found.z)]), initial=1.0)
    for axis, z, error in zip(axes, found.z, found.standard_error, strict=True):
        known = np.isfinite(z) & ~np.isnan(error)
        width = 2 * np.where(np.isfinite(error), error, reach)
        axis.axvline(0, lw=0.5, color="#cccccc")
        axis.errorbar(
            z[known], np.flatnonzero(known), xerr=width[known], fmt=".", ms=2.5, lw=0.8, color=GOOD
        )
        axis.set_xlim(-reach, reach)
        axis.set_ylim(len(z), -1)
        axis.set_yticks([])
        axis.tick_params(labelsize=6, colors=MUTED, length=2)
        for side in ("left", "top", "right"):
            axis.spines[side].set_visible(False)


def new_figure(width: float, height: float) -> Any:
    """White, in inches, of no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def image_row(
    axes: Any, label: str, images: Any, shape: tuple[int, int], limits: tuple[float, float]
) -> None:
    """One row."""
    from matplotlib.colors import Normalize

    row_label(axes[0], label)
    for axis in axes:
        axis.set_axis_off()
    for axis, image in zip(axes, images, strict=False):
        axis.imshow(
            np.ma.masked_invalid(image.reshape(shape)),
            cmap=_map(),
            norm=Normalize(*limits),
            interpolation="nearest",
        )


def row_label(axis: Any, text: str) -> None:
    """To the left of a row."""
    axis.annotate(
        text,
        (-0.1, 0.5),
        xycoords="axes fraction",
        ha="right",
        va="center",
        fontsize=8.5,
        color=MUTED,
        annotation_clip=False,
    )


def caption(axis: Any, text: str, colour: str) -> None:
    """Below an image."""
    axis.text(
        0.5,
        -0.06,
        text,
        transform=axis.transAxes,
        ha="center",
        va="top",
        fontsize=7.5,
        color=colour,
    )


def decibels(value: float) -> str:
    """An SNR as a label."""
    return "exact" if value == np.inf else "no answer" if np.isnan(value) else f"{value:.0f} dB"


def _map() -> Any:
    import matplotlib

    return matplotlib.colormaps["gray"].with_extremes(bad=HIDDEN)
