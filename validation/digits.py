"""Real digits, which are not in the range of G: eq. 1 of `invert` against what people do, the best
of ten restarts of Adam.

Run as `python -m validation.digits gan` or `vae`; writes validation/results/digits_gan.json or
digits_vae.json.
"""

import time
from collections import Counter
from typing import Annotated, Any, Literal

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track

import cvxinv
from cvxinv.cli.common import grey_levels
from validation import mnist
from validation.adam import RATE, RESTARTS, STEPS, adam
from validation.record import store

THREADS = 2
AT_ONCE = 128  # signals that descend together, from all their starts: fastest on a CPU
NEAR = 1e-3  # objectives this near, relative, count as equal


def restarted(G: cvxinv.Generator, y: Any, seed: int) -> tuple[Any, float]:
    """The best objective of RESTARTS runs of Adam, (B,), and the seconds that all of them took."""
    rng, begin = np.random.default_rng(seed), time.perf_counter()
    best = np.empty(len(y))
    for b in track(range(0, len(y), AT_ONCE), "Adam"):
        part = torch.tensor(y[b : b + AT_ONCE], dtype=torch.float32)
        start = rng.standard_normal((RESTARTS * len(part), G.sizes[0]))
        found, _ = adam(G, part.repeat(RESTARTS, 1), torch.tensor(start, dtype=torch.float32))
        best[b : b + AT_ONCE] = found.reshape(RESTARTS, -1).amin(0).numpy()
    return best, time.perf_counter() - begin


def summary(objective: Any, seconds: float) -> dict[str, float]:
    """Mean, median and quantiles of the objective, and the time."""
    names = {"median": 0.5, "quantile_10": 0.1, "quantile_90": 0.9}
    return {"seconds": round(seconds, 2), "mean": round(float(np.mean(objective)), 3)} | {
        name: round(float(np.quantile(objective, q)), 3) for name, q in names.items()
    }


def main(
    network: Annotated[Literal["gan", "vae"], typer.Argument(help="gan or vae.")] = "gan",
    signals: Annotated[int, typer.Option(min=1, help="How many test digits, the first.")] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random starts.")] = 0,
) -> None:
    """Measure and store."""
    torch.set_num_threads(THREADS)
    G = cvxinv.mnist_generator(network)
    low, high = grey_levels(G)
    y = low + (high - low) * (mnist.load("t10k")[0][:signals].astype(np.float64) + 1) / 2
    cvxinv.invert(G, y[:8])  # nothing that is timed is the first of its kind
    begin = time.perf_counter()
    found = cvxinv.invert(G, y)
    seconds = time.perf_counter() - begin
    best, spent = restarted(G, y, seed)
    result = {
        "network": network,
        "signals": len(y),
        "seed": seed,
        "objective": "1/2 ||y - G(z)||^2",
        "pixels": [low, high],
        "invert": summary(found.objective, seconds)
        | {
            "status": dict(Counter(s.name for s in found.status)),
            "agreement_median": float(np.median(np.asarray(found.agreement))),
        },
        "adam": {"restarts": RESTARTS, "steps": STEPS, "rate": RATE} | summary(best, spent),
        "share_where_invert_is_within_0.1_percent_or_lower": round(
            float(np.mean(found.objective <= best * (1 + NEAR))), 3
        ),
        "share_where_invert_is_lower_by_0.1_percent": round(
            float(np.mean(found.objective < best * (1 - NEAR))), 3
        ),
        "seconds_of_adam_over_those_of_invert": round(spent / seconds, 2),
    }
    stored = store(f"digits_{network}", result, ("torch", "numpy"), THREADS, script="digits")
    Console().print_json(data=stored)


if __name__ == "__main__":
    typer.run(main)
