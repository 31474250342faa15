"""Theorem 2 and eq. 3, measured: a phase diagram."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from . import style
from .section import Claim, Drawing, Result, Scale, Section


def draw(r: Result) -> Figure:
    """Recovery in grey, and the lines on which half of the signals meet Theorem 2 and eq. 3."""
    cells = r["cells"]
    latent = sorted({c["n_0"] for c in cells})
    hidden = sorted({c["n_1"] for c in cells})
    figure = style.new(7.2, 4.8)
    axis = figure.subplots()
    grids = {
        key: np.array([c[key] / c["signals"] for c in cells]).reshape(len(latent), len(hidden))
        for key in ("recovered", "theorem_2", "eq_3")
    }
    how: dict[str, Any] = {
        "cmap": "gray",
        "vmin": 0,
        "vmax": 1,
        "shading": "nearest",
        "rasterized": True,
    }
    picture = axis.pcolormesh(hidden, latent, grids["recovered"], **how)
    bar = figure.colorbar(picture, ax=axis)
    bar.set_label(f"share of signals with z recovered ({r['recovered_from']})", fontsize=style.SIZE)
    lines = ("theorem_2", style.ORANGE, "Theorem 2"), ("eq_3", style.SKY, "eq. 3")
    for key, colour, words in lines:
        if min(grids[key].shape) > 1:
            axis.contour(hidden, latent, grids[key], levels=[0.5], colors=colour, linewidths=2)
        axis.plot([], [], color=colour, linewidth=2, label=f"half of the signals meet {words}")
    style.tidy(axis, "$n_1$, width of the hidden layer", "$n_0$, size of the latent vector")
    axis.grid(False)
    style.legend(figure, axis, 2)
    style.count(figure, f"{cells[0]['signals']} signals a cell, {r['total']['signals']} in all")
    return figure


PHASES = Section(
    name="phase_diagram",
    title="Where z is unique, and where it is found (Theorems 1 and 2)",
    about="tanh(W_1 ReLU(W_0 z)) with Gaussian weights and n = 60 pixels, over (n_0, n_1). Grey:"
    " share of signals whose z Latent-Pursuit finds to 100 dB.",
    results={
        "phase_diagram": {
            "network, recovered_from, seconds, seed": "the setting",
            "total": "counts over all cells",
            "cells": "for each (n_0, n_1): signals, recovered, theorem_2 and eq_3 (that meet"
            " them), recovered_without_theorem_2, not_recovered_with_eq_3,"
            " not_recovered_with_theorem_2",
        }
    },
    commands={
        Scale.tiny: ("validation.phase_diagram --every 10 --signals 2",),
        Scale.small: ("validation.phase_diagram --every 2 --signals 4",),
        Scale.full: ("validation.phase_diagram",),
    },
    figures=(
        Drawing(
            "Phase diagram",
            "Share of recovered signals over n_0 and n_1 in grey, with the lines of Theorem 2 and"
            " eq. 3",
            draw,
        ),
    ),
    claims=(
        Claim(
            "Without the sizes of Theorem 2, n_0 <= s_1 <= n, z is not unique and is not found",
            "Theorem 2",
            lambda r: (
                f"{r['total']['recovered_without_theorem_2']} of the"
                f" {r['total']['signals'] - r['total']['theorem_2']} signals without them recovered"
            ),
            lambda r: r["total"]["recovered_without_theorem_2"] == 0,
            "none recovered",
        ),
        Claim(
            "With random weights and eq. 3, 2 s_1 < n + 1, the pursuit finds z",
            "Theorem 1",
            lambda r: (
                f"{r['total']['eq_3'] - r['total']['not_recovered_with_eq_3']} of the"
                f" {r['total']['eq_3']} signals that meet it recovered"
            ),
            lambda r: r["total"]["not_recovered_with_eq_3"] == 0,
            "all recovered",
        ),
        Claim(
            "Theorem 2 alone is not enough for the pursuit",
            "ours",
            lambda r: (
                f"{r['total']['theorem_2'] - r['total']['not_recovered_with_theorem_2']} of"
                f" the {r['total']['theorem_2']} signals that meet it recovered"
            ),
            lambda r: r["total"]["not_recovered_with_theorem_2"] > 0,
            "some not recovered",
        ),
    ),
)


# -- the shipped networks --------------------------------------------------------------------------

UNIQUE = "independent columns in every layer"
COUNTS = ("holds", "fails", "undecided", UNIQUE)


def samples(r: Result) -> Figure:
    """Counts of samples, by network."""
    values = {f"{g}: {key}": float(r[g][key]) for g in ("gan", "vae") for key in COUNTS}
    return style.bars(values, f"of {r['samples']} samples", "Theorem 1", form="{:.0f}")


SHIPPED = Section(
    name="shipped_uniqueness",
    title="Theorem 1 on the shipped networks",
    about="Spark is n + 1 by convention where no columns are dependent, so that the theorem fails"
    " for supports of more than half of a layer, even where the layer has one solution.",
    results={
        "shipped_uniqueness": {
            "samples, seed, budget": "the setting; seconds for sparks that are hard to find",
            "gan, vae": "how many samples meet Theorem 1 (holds, fails, undecided), and for how"
            " many all layers have independent columns",
        }
    },
    commands={
        Scale.tiny: ("validation.shipped_uniqueness --samples 2",),
        Scale.small: ("validation.shipped_uniqueness --samples 16",),
        Scale.full: ("validation.shipped_uniqueness",),
    },
    figures=(Drawing("Theorem 1", "Samples that meet Theorem 1, of both networks", samples),),
    claims=(
        Claim(
            "Theorem 1 says nothing of most signals of the shipped networks",
            "ours",
            lambda r: "; ".join(
                f"{g}: holds for {r[g]['holds']} of {r['samples']}, fails for {r[g]['fails']}"
                for g in ("gan", "vae")
            ),
            lambda r: all(r[g]["holds"] <= r["samples"] / 2 for g in ("gan", "vae")),
            "holds for half of the samples of both at most",
        ),
        Claim(
            "z is unique for most samples all the same",
            "ours",
            lambda r: (
                f"independent columns in every layer: {r['gan'][UNIQUE]} (gan) and"
                f" {r['vae'][UNIQUE]} (vae) of {r['samples']}"
            ),
            lambda r: all(r[g][UNIQUE] > r["samples"] / 2 for g in ("gan", "vae")),
            "for most samples of both",
        ),
    ),
)
