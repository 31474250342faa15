"""Where Theorem 2 says that z is unique, against where Latent-Pursuit finds it: random networks,
over (n_0, n_1).

Run as `python -m validation.phase_diagram`; writes validation/results/phase_diagram.json and .png.
"""

import time
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track

import cvxinv
from cvxinv.guarantees import Verdict, uniqueness
from validation.record import RESULTS, store

N = 60  # pixels
LATENT, HIDDEN = tuple(range(3, 61, 3)), tuple(range(6, 145, 6))
NETWORKS, SIGNALS, EXACT, SEED = (
    2,
    8,
    100.0,
    0,
)  # per cell; an SNR of z from which on it counts as recovered


def cell(n_0: int, n_1: int) -> dict[str, Any]:
    """Counts over the signals of one pair of sizes: x = tanh(W_1 ReLU(W_0 z)), i.i.d. Gaussian
    weights, as in Fig. 2.
    """
    recovered, holds, corollary = [], [], []
    for k in range(NETWORKS):
        rng = np.random.default_rng([SEED, n_0, n_1, k])
        weights = [
            rng.standard_normal((n_1, n_0)) / np.sqrt(n_0),
            rng.standard_normal((N, n_1)) / np.sqrt(n_1),
        ]
        G = cvxinv.Generator(weights, activation="tanh")
        z = rng.standard_normal((SIGNALS, n_0))
        found = cvxinv.latent_pursuit(G, G(z), debias=False)
        recovered.append(np.nan_to_num(cvxinv.snr(z, found.z), nan=-np.inf) >= EXACT)
        holds.append([v is Verdict.HOLDS for v in uniqueness(G, z, theorem=2).verdict])
        corollary.append(
            [v is Verdict.HOLDS for v in uniqueness(G, z, theorem=1, generic=True).verdict]
        )
    found_, unique, strict = (np.concatenate(v) for v in (recovered, holds, corollary))
    return {
        "n_0": n_0,
        "n_1": n_1,
        "signals": len(found_),
        "recovered": int(found_.sum()),
        "theorem_2": int(unique.sum()),
        "eq_3": int(strict.sum()),
        "recovered_without_theorem_2": int((found_ & ~unique).sum()),
        "not_recovered_with_eq_3": int((strict & ~found_).sum()),
        "not_recovered_with_theorem_2": int((unique & ~found_).sum()),
    }


def plot(cells: list[dict[str, Any]]) -> None:
    """Recovery in grey, and the lines on which half of the signals meet Theorem 2 and eq. 3."""
    figure = Figure(figsize=(7.2, 5.2), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()

    def grid(key: str) -> Any:
        return np.array([c[key] / c["signals"] for c in cells]).reshape(len(LATENT), len(HIDDEN))

    picture = axis.pcolormesh(
        HIDDEN, LATENT, grid("recovered"), cmap="gray", vmin=0, vmax=1, shading="nearest"
    )
    figure.colorbar(
        picture, ax=axis, label=f"share of signals with z recovered (SNR >= {EXACT:g} dB)"
    )
    for key, colour, label in (
        ("theorem_2", "#d9822b", "Theorem 2"),
        ("eq_3", "#2c7fb8", "eq. 3 (Theorem 1, random weights)"),
    ):
        axis.contour(HIDDEN, LATENT, grid(key), levels=[0.5], colors=colour, linewidths=2)
        axis.plot([], [], color=colour, linewidth=2, label=f"half of the signals meet {label}")
    axis.set_xlabel("$n_1$, width of the hidden layer ($s_1$ is about half of it)")
    axis.set_ylabel("$n_0$, size of the latent vector")
    axis.set_title(f"Latent-Pursuit on tanh($W_1$ ReLU($W_0 z$)), n = {N}", fontsize=11)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
    figure.savefig(RESULTS / "phase_diagram.png", dpi=150)


def main() -> None:
    """Measure every cell, store the counts and the picture."""
    start = time.perf_counter()
    cells = [
        cell(n_0, n_1)
        for n_0 in track(LATENT, "n_0", console=Console(stderr=True))
        for n_1 in HIDDEN
    ]
    total = {key: sum(c[key] for c in cells) for key in cells[0] if key not in ("n_0", "n_1")}
    result = {
        "network": f"tanh(W_1 ReLU(W_0 z)), i.i.d. Gaussian weights, n = {N}; Latent-Pursuit, lam ="
        " gamma = 0, no debiasing",
        "recovered_from": f"{EXACT:g} dB",
        "total": total,
        "cells": cells,
        "seconds": time.perf_counter() - start,
        "seed": SEED,
    }
    record = store("phase_diagram", result, ("torch", "numpy"))
    plot(cells)
    Console().print_json(data={k: v for k, v in record.items() if k != "cells"})


if __name__ == "__main__":
    main()
