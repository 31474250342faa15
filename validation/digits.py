"""Real digits, which are not in the range of G: eq. 1 of `invert` against the best of several
random starts.

Run as `python -m validation.digits`; writes validation/results/digits.json.
"""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track

import cvxinv
import fast
from validation import mnist
from validation.record import store

THREADS, RUNS, BESIDE = 2, (1, 2, 4, 8, 16), 8  # BESIDE: the number of runs whose time is compared


def timed(method: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and the seconds it took."""
    begin = time.perf_counter()
    return method(), time.perf_counter() - begin


def summary(objective: Any, seconds: float) -> dict[str, float]:
    """Median and quantiles of the objective, and the time."""
    names = {"median": 0.5, "quantile_10": 0.1, "quantile_90": 0.9}
    return {"seconds": round(seconds, 2), "mean": round(float(np.mean(objective)), 3)} | {
        name: round(float(np.quantile(objective, q)), 3) for name, q in names.items()
    }


def main(
    signals: Annotated[int, typer.Option(min=1, help="How many test digits, the first.")] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random starts.")] = 0,
) -> None:
    """Measure and store."""
    torch.set_num_threads(THREADS)
    G, rng = cvxinv.mnist_generator(), np.random.default_rng(seed)
    y = mnist.load("t10k")[0][:signals].astype(np.float64)
    starts = rng.standard_normal((max(RUNS), len(y), G.sizes[0]))
    cvxinv.invert(G, y[:8])  # nothing that is timed is the first of its kind
    fast.levenberg_marquardt(G, y[:8], starts[0, :8])

    found, seconds = timed(lambda: cvxinv.invert(G, y))
    runs = [
        timed(partial(fast.levenberg_marquardt, G, y, z)) for z in track(starts, "random starts")
    ]
    best = np.minimum.accumulate([run.objective for run, _ in runs])
    spent = np.cumsum([took for _, took in runs])

    def share(lower: Any, higher: Any) -> float:
        """Of the digits, where one objective is lower than another, by more than rounding."""
        return round(float(np.mean(lower < higher * (1 - 1e-6))), 3)

    def beside(k: int) -> dict[str, float]:
        """The best of k runs, and `invert` beside it."""
        return summary(best[k - 1], spent[k - 1]) | {
            "share_where_invert_is_lower": share(found.objective, best[k - 1]),
            "share_where_invert_is_higher": share(best[k - 1], found.objective),
        }

    how_sure = {
        "status": dict(Counter(s.name for s in found.status)),
        "agreement_median": float(np.median(found.agreement)),
    }
    result = {
        "signals": len(y),
        "seed": seed,
        "objective": "1/2 ||y - G(z)||^2, pixels in [-1, 1]",
        "invert": summary(found.objective, seconds) | how_sure,
        "best_of_random_starts": {str(k): beside(k) for k in RUNS},
        f"seconds_of_{BESIDE}_runs_over_those_of_invert": round(spent[BESIDE - 1] / seconds, 2),
    }
    Console().print_json(data=store("digits", result, ("torch", "numpy"), THREADS))


if __name__ == "__main__":
    typer.run(main)
