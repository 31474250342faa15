"""Where Theorem 2 says that z is unique, against where Latent-Pursuit finds it: random networks,
over (n_0, n_1).

Run as `python -m validation.phase_diagram`; writes validation/results/phase_diagram.json.
"""

import time
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

import cvxinv
from cvxinv.guarantees import Verdict, uniqueness
from validation.record import store

N = 60  # pixels
LATENT, HIDDEN = tuple(range(3, 61, 3)), tuple(range(6, 145, 6))
NETWORKS, SEED = 2, 0
EXACT = 100.0  # dB: an SNR of z from which on it counts as recovered


def cell(n_0: int, n_1: int, signals: int) -> dict[str, Any]:
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
        z = rng.standard_normal((signals, n_0))
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


def main(
    signals: Annotated[int, typer.Option(min=1, help="For each of a cell's networks.")] = 8,
    every: Annotated[int, typer.Option(min=1, help="1: the whole grid; 2: every other size.")] = 1,
) -> None:
    """Measure every cell and store the counts."""
    start = time.perf_counter()
    cells = [
        cell(n_0, n_1, signals)
        for n_0 in track(LATENT[::every], "n_0", console=Console(stderr=True))
        for n_1 in HIDDEN[::every]
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
    Console().print_json(data={k: v for k, v in record.items() if k != "cells"})


if __name__ == "__main__":
    typer.run(main)
