"""Theorem 1 on the shipped networks: for how many latent vectors does it hold?

Run as `python -m validation.shipped_uniqueness`; writes
validation/results/shipped_uniqueness.json.
"""

from collections import Counter
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

import cvxinv
from cvxinv.guarantees import Verdict, uniqueness
from validation.record import store

SEED, BUDGET = 0, 10.0  # seconds for sparks that ranks and coherence leave open


def counts(G: cvxinv.Generator, samples: int) -> dict[str, Any]:
    """How many samples meet Theorem 1, and how many layers all have independent columns."""
    z = np.random.default_rng(SEED).standard_normal((samples, G.sizes[0]))
    found = uniqueness(G, z, theorem=1, budget=BUDGET)
    verdicts = Counter(v for v in found.verdict)
    return {
        "holds": verdicts[Verdict.HOLDS],
        "fails": verdicts[Verdict.FAILS],
        "undecided": samples - verdicts[Verdict.HOLDS] - verdicts[Verdict.FAILS],
        "independent columns in every layer": int(found.injective.sum()),
    }


def main(samples: Annotated[int, typer.Option(min=1, help="Latent vectors.")] = 64) -> None:
    """Count and store."""
    networks = {name: counts(cvxinv.mnist_generator(name), samples) for name in ("gan", "vae")}
    result = {"samples": samples, "seed": SEED, "budget": BUDGET, **networks}
    Console().print_json(data=store("shipped_uniqueness", result, ("numpy", "highspy")))


if __name__ == "__main__":
    typer.run(main)
