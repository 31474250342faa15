"""What large batches cost: time and peak memory of 65 536 MidLayer signals, and 512 inversions of
the shipped generator.

Run as `python -m validation.fast_batches`; writes validation/results/fast_batches.json.
"""

import resource
import statistics
import time
from collections import Counter
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console

import cvxinv
import fast
from cvxinv.bench.instances import cases, gaussian
from validation.record import store

SMALL, REPEATS, THREADS = 512, 5, 2


def gigabytes() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def mid_layers(B: int) -> Any:
    """The MidLayer statement of the benchmark with B signals, 392 x 128."""
    G = gaussian([20, 128, 392, 784])
    _, mid, _ = cases(
        G, B, noise=1e-2, lam=1e-3, gamma=1e-3, seed=0, dtype=torch.float64, device="cpu"
    )
    return mid.problem


def large(signals: int) -> dict[str, Any]:
    """One solve of all signals, against the time that their number of small batches would take."""
    small, problem = mid_layers(SMALL), mid_layers(signals)
    before = gigabytes()
    seconds = [fast.solve(small).seconds for _ in range(REPEATS)]
    start = time.perf_counter()
    sol = fast.solve(problem)
    took = time.perf_counter() - start
    return {
        "signals": signals,
        "seconds": took,
        "statuses": dict(Counter(s.name for s in sol.status)),
        "worst_kkt": float(sol.certificate.kkt.max()),
        "peak_gigabytes_before": before,
        "peak_gigabytes": gigabytes(),
        "seconds_per_signal_over_those_of_512": took
        / signals
        / (statistics.median(seconds) / SMALL),
    }


def pursuits(signals: int) -> dict[str, Any]:
    """Latent-Pursuit of signals of the shipped generator without noise: time and SNR of z, with
    and without debiasing.
    """
    G, rng = cvxinv.mnist_generator(), np.random.default_rng(0)
    z = torch.from_numpy(rng.standard_normal((signals, G.sizes[0])))
    random = torch.from_numpy(rng.random((signals, G.sizes[-1])) >= 0.45)
    half = torch.arange(G.sizes[-1]) >= 13 * 28
    masks = {
        "clean": None,
        "random mask": random[0],
        "half mask": half,
        "a random mask per signal": random,
    }
    found: dict[str, Any] = {}
    for name, seen in masks.items():
        for debias in (False, True):
            seconds = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                inv = cvxinv.latent_pursuit(G, G(z), observed=seen, debias=debias)
                seconds.append(time.perf_counter() - start)
            snr = cvxinv.snr(z, inv.z)
            found[f"{name}, {'with' if debias else 'without'} debiasing"] = {
                "seconds": statistics.median(seconds),
                "snr_min": float(snr.min()),
                "snr_median": float(snr.median()),
                "all_optimal": all(s is cvxinv.Status.OPTIMAL for s in inv.status),
            }
    return found


def main(
    signals: Annotated[int, typer.Option(min=1, help="Of the large batch.")] = 65_536,
    inversions: Annotated[int, typer.Option(min=1, help="Signals of Latent-Pursuit.")] = 512,
) -> None:
    """Measure both and store them."""
    torch.set_num_threads(THREADS)
    result = {
        "mid_layer": large(signals),
        "latent_pursuit_512": pursuits(inversions),
    }
    Console().print_json(data=store("fast_batches", result, ("torch", "numpy"), THREADS))


if __name__ == "__main__":
    typer.run(main)
