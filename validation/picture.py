"""The picture of the README: noisy halves of digits, what gradient descent and `invert` make of
them, and the error bars of z: `python -m validation.picture`.

Writes validation/results/picture.png and picture.json. The digits are G(z) of the shipped GAN
generator for the first draws of z ~ N(0, I), not chosen.
"""

from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console

import cvxinv
from cvxinv.cli import pictures
from validation.adam import RESTARTS, adam
from validation.record import RESULTS, store

SIGMA, HIDDEN_ROWS, SIDE = 0.1, 13, 28
FITS = 1.1  # ||y - G(z)|| up to this multiple of what noise alone makes: z explains the signal
TWO = 2.0  # standard errors on either side
WORDS = {
    "true": "the digit",
    "given": "given: yellow is\nhidden, the rest\nhas noise",
    "adam": "gradient descent\n(Adam), one start",
    "restarted": f"gradient descent,\nbest of {RESTARTS} starts",
    "invert": "cvxinv.invert",
    "z": "the 20 numbers z\nbehind the digit:\nblack, the true ones;\nbars, of cvxinv.invert"
    "\n(± 2 standard errors)",
}
TITLE = "Noisy halves of digits, made by a known network from 20 numbers z: what were they?"
BELOW = (
    "Misfit: distance to the given pixels, in units of what the noise alone makes; about 1 is as"
    " good as can be.\nBars that miss the truth are red: 1 in 20 should. The digits are the first"
    " ones drawn, not chosen."
)


def descents(G: cvxinv.Generator, y: Any, seen: Any, start: Any) -> tuple[Any, Any]:
    """z of Adam from the first of the starts (K, B, n_0), and from that with the lowest
    objective.
    """
    K, B, n0 = start.shape
    given, mask = (torch.tensor(a, dtype=torch.float32).repeat(K, 1) for a in (y * seen, seen))
    flat = torch.tensor(start.reshape(K * B, n0), dtype=torch.float32)
    objective, z = adam(G, given, flat, mask)
    zs = z.double().numpy().reshape(K, B, n0)
    return zs[0], zs[objective.numpy().reshape(K, B).argmin(0), np.arange(B)]


def misfit(G: cvxinv.Generator, y: Any, seen: Any, z: Any) -> Any:
    """||y - G(z)|| on the observed pixels, relative to what noise alone makes of it, (B,)."""
    return np.linalg.norm(seen * (y - G(z)), axis=1) / (SIGMA * np.sqrt(seen.sum(axis=1)))


def draw(images: dict[str, Any], misfits: dict[str, Any], z: Any, found: cvxinv.Inversion) -> None:
    """Rows of images with their misfits, and the error bars below."""
    columns = len(z)
    figure = pictures.new_figure(1.6 + 0.95 * columns, 8.4)
    axes = figure.subplots(len(images) + 1, columns, height_ratios=[1] * len(images) + [2.6])
    left = 1.5 / figure.get_figwidth()
    figure.subplots_adjust(left=left, right=0.99, top=0.955, bottom=0.075, hspace=0.24, wspace=0.08)
    for row, (name, shown) in zip(axes, images.items(), strict=False):
        pictures.image_row(row, WORDS[name], shown, (SIDE, SIDE), (-1, 1))
        for axis, value in zip(row, misfits.get(name, ()), strict=False):
            good = value <= FITS
            colour = pictures.GOOD if good else pictures.POOR
            pictures.caption(axis, f"misfit {value:.2f}", colour)
    pictures.row_label(axes[-1, 0], WORDS["z"])
    error_bars(axes[-1], z, found)
    figure.text(left, 0.972, TITLE, fontsize=11, fontweight="bold")
    figure.text(left, 0.012, BELOW, fontsize=8.5, color=pictures.MUTED)
    figure.savefig(RESULTS / "picture.png", dpi=110)


def error_bars(axes: Any, z: Any, found: cvxinv.Inversion) -> None:
    """Of z from the first entry (top) to the last, beside the truth."""
    error = TWO * np.asarray(found.standard_error)
    reach = 1.05 * max(np.abs(z).max(), (np.abs(found.z) + error).max())
    for axis, truth, ours, width in zip(axes, z, found.z, error, strict=True):
        for j in range(len(truth)):
            hit = abs(truth[j] - ours[j]) <= width[j]
            colour = pictures.GOOD if hit else pictures.POOR
            axis.plot([ours[j] - width[j], ours[j] + width[j]], [j, j], "-", color=colour, lw=3.2)
        axis.plot(truth, range(len(truth)), "|", color="black", ms=6, mew=1.3)
        axis.axvline(0, lw=0.5, color="#cccccc", zorder=0)
        axis.set_xlim(-reach, reach)
        axis.set_ylim(len(truth), -1)
        axis.set_yticks([])
        axis.tick_params(labelsize=7, colors=pictures.MUTED, length=2)
        for side in ("left", "top", "right"):
            axis.spines[side].set_visible(False)


def main(
    signals: Annotated[int, typer.Option(min=1, help="How many digits.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of latent vectors, noise and starts.")] = 0,
) -> None:
    """Invert, draw and store."""
    G, rng = cvxinv.mnist_generator(), np.random.default_rng(seed)
    z = rng.standard_normal((signals, G.sizes[0]))
    clean = G(z)
    y = clean + SIGMA * rng.standard_normal(clean.shape)
    seen = np.broadcast_to(np.arange(G.sizes[-1]) >= HIDDEN_ROWS * SIDE, y.shape)
    given = np.where(seen, y, np.nan)
    one, best = descents(G, y, seen, rng.standard_normal((RESTARTS, *z.shape)))
    found = cvxinv.invert(G, given, seen, SIGMA)

    answers = {"adam": one, "restarted": best, "invert": found.z}
    misfits = {name: misfit(G, y, seen, a) for name, a in answers.items()}
    error = np.asarray(found.standard_error)
    images = {"true": clean, "given": given} | {name: G(a) for name, a in answers.items()}
    draw(images, misfits, z, found)
    result = {
        "signals": signals,
        "seed": seed,
        "sigma": SIGMA,
        "hidden_rows": HIDDEN_ROWS,
        "misfit": {name: np.round(m, 3).tolist() for name, m in misfits.items()},
        "snr_of_z_db": {k: np.round(cvxinv.snr(z, a), 1).tolist() for k, a in answers.items()},
        "covered": round(float(np.mean(np.abs(found.z - z) <= TWO * error)), 3),
    }
    threads = torch.get_num_threads()
    Console().print_json(data=store("picture", result, ("torch", "numpy"), threads))


if __name__ == "__main__":
    typer.run(main)
