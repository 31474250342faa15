"""Figs. 3 to 12: trained networks, clean and masked, layer by layer."""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cvxinv.cli.pictures import HIDDEN
from cvxinv.generator import mnist_generator

from . import style
from .section import Drawing, Result, Scale, Section
from .trained_claims import DESCENT, MASKS, PRINTED, PURSUIT, claims

# -- figures ---------------------------------------------------------------------------------------


def ridge(axis: Axes, result: Result, mask: str, layer: str) -> None:
    """A histogram of SNR for each method, one above the other; heights are shares of signals."""
    edges = np.array(result["bins"])
    methods = result["masks"][mask]["methods"]
    names = [name for name in style.METHODS if name in methods]
    for row, name in enumerate(reversed(names)):
        one = methods[name]
        share = np.array(one["histogram"][layer]) / one["signals"]
        height = np.where(share > 0, np.maximum(0.9 * share, 0.04), 0.0)
        colour = style.METHODS[name][0]
        axis.stairs(row + height, edges, baseline=row, fill=True, color=colour, alpha=0.85)
        axis.axhline(row, color=style.PALE, linewidth=0.6)
    axis.set_yticks(np.arange(len(names)) + 0.25, reversed(names))
    axis.set_xlim(-40, 340)
    axis.set_ylim(-0.1, len(names))


def histograms(result: Result) -> Figure:
    """Masks down, layers across."""
    layers = result["layers"]
    figure = style.new(2.6 + 2.2 * len(layers), 7.6)
    axes = figure.subplots(len(MASKS), len(layers), sharex=True, sharey=True, squeeze=False)
    for row, (mask, words) in zip(axes, MASKS.items(), strict=True):
        for axis, layer in zip(row, layers, strict=True):
            style.tidy(axis, "SNR in dB" if mask == "half mask" else "", title=f"{layer}, {words}")
            axis.title.set_fontsize(7.5)
            ridge(axis, result, mask, layer)
            axis.grid(False, axis="y")
    few = min(result["signals"], result["linear programs"])
    style.count(figure, f"{result['signals']} signals, {few} of them for linear programs")
    return figure


def panels(result: Result, mask: str) -> Figure:
    """Images of the first failures and successes of gradient descent: the truth, what is seen of
    it, and what methods make of that.
    """
    stored = result["masks"][mask]
    G = mnist_generator(result["network"])
    rows = {
        "truth": "true",
        **({} if mask == "clean" else {"input": "seen"}),
        "gradient\ndescent": DESCENT,
        "Latent-Pursuit,\nprinted": PRINTED,
        "Latent-Pursuit,\nexact": PURSUIT,
    }
    kinds = [kind for kind in ("failures", "successes") if stored["panels"][kind]]
    columns = sum(len(stored["panels"][kind]) for kind in kinds)
    figure = style.new(1.4 + 0.85 * columns, 0.5 + 0.85 * len(rows))
    axes = figure.subplots(len(rows), columns, squeeze=False)
    column = 0
    for kind in kinds:
        for b in stored["panels"][kind]:
            for axis, key in zip(axes[:, column], rows.values(), strict=True):
                picture(axis, G, stored, key, b)
            axes[0, column].set_title(
                f"{kind[:-1] if kind == 'failures' else 'success'} {b}"[:12], fontsize=7
            )
            column += 1
    for axis, words in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel(words, fontsize=8, rotation=0, ha="right", va="center")
    return figure


def picture(axis: Axes, G: Any, stored: Result, key: str, b: int) -> None:
    """One image, 28 x 28, hidden pixels in yellow."""
    low, high = np.clip(G.activation.range, -1, 1)
    z = stored["z"]["true" if key == "seen" else key][str(b)]
    image = G(np.array(z)[None])[0].reshape(28, 28)
    axis.set_facecolor(HIDDEN)
    if key == "seen":
        seen = np.array([pixel == "1" for pixel in stored["seen"][str(b)]]).reshape(28, 28)
        image = np.where(seen, image, np.nan)
    axis.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])


def section(network: str, title: str, about: str, figures: tuple[str, ...]) -> Section:
    """Of one network."""
    command = f"validation.trained_networks {network}"
    images = tuple(
        Drawing(
            f"{number}: {words}",
            f"Digits, {words}: the truth, what gradient descent and Latent-Pursuit make of it, for"
            " the first signals on which gradient descent fails and on which it does not",
            partial(panels, mask=mask),
        )
        for number, (mask, words) in zip(figures[1:], MASKS.items(), strict=True)
    )
    return Section(
        name=f"trained_{network}",
        title=title,
        about=about,
        results={
            f"trained_{network}": {
                "network, signals, steps, linear programs, seed": "the setting; linear programs:"
                " the number of signals given to them",
                "layers, quantiles, bins, most dB": "names; those of SNR in %; edges of the"
                " histograms and the SNR of what is equal, in dB",
                "masks": "by mask: panels, the signals shown; z and seen of these; methods, each"
                " with signals, no answer, exact (180 dB or more), quantiles and histogram by"
                " layer",
            }
        },
        commands={
            Scale.tiny: (f"{command} --signals 2 --steps 10 --linear-programs 1",),
            Scale.small: (f"{command} --signals 32 --steps 2000 --linear-programs 4",),
            Scale.full: (command,),
        },
        figures=(
            Drawing(
                f"{figures[0]}: SNR of every layer",
                "Histograms of SNR, a row for each method, layers across, masks down",
                histograms,
            ),
            *images,
        ),
        claims=claims(network),
    )


ABOUT = (
    " Gradient descent has the paper's 10 000 steps with momentum 0.9 and a decaying first step of"
    " 0.1; \"printed\" is rho = 1e-2, float32, 10 000 iterations a layer and of debiasing, supports"
    " read off by a cut at 1e-3 of the largest entry, or as x > 0; all"
    " others are solved to full accuracy in float64. Images are those of the first four signals, in"
    " the order drawn, whose image gradient descent reproduces below 20 dB, and of the first four"
    " that it reproduces better."
)  # fmt: skip
GAN = section(
    "gan",
    "A trained generator (Figs. 3 to 12)",
    "The shipped 20-128-392-784 generator of digits with PLU output, trained as the paper's is, 512"
    " draws of z." + ABOUT,
    ("Figs. 3, 4, 7, 10", "Figs. 5 and 6", "Figs. 8 and 9", "Figs. 11 and 12"),
)
VAE = section(
    "vae",
    "The same on a VAE's decoder",
    "The shipped 20-400-784 decoder with sigmoid output, the most common public architecture; the"
    " paper has none." + ABOUT,
    ("Histograms", "Clean", "Random mask", "Half mask"),
)
