"""Run time of section 6.2 on this machine: 512 clean signals of the shipped gan, layer by layer.

Run as `python -m validation.run_time`; writes validation/results/run_time.json. The paper gives
about 15 s a layer and 75 s in all for Latent-Pursuit with debiasing, and 30 s for gradient descent,
on a GTX 1080 Ti. "printed" and gradient descent are in float32 with the paper's numbers of
iterations, "exact" and `invert` in float64 down to our tolerance.
"""

import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console

import cvxinv
import fast
from validation.printed import debiased, solver
from validation.record import store
from validation.trained_networks import layer_names

THREADS, REPEATS, SEED = 2, 3, 3
PAPER = {"a layer": 15.0, "Latent-Pursuit": 75.0, "gradient descent": 30.0}  # seconds


def clock(run: Callable[[], Any]) -> tuple[Any, float]:
    """What a run gives, and its seconds."""
    begin = time.perf_counter()
    return run(), time.perf_counter() - begin


def printed(G: cvxinv.Generator, y: Any, steps: int) -> dict[str, float]:
    """Seconds of the layers, of debiasing and in all, as printed."""
    layers, found, pursuit = by_layer(G, y, solver(max_iter=steps))
    _, after = clock(lambda: debiased(G, y, found.z, found.supports, None, steps))
    return {**layers, "debiasing": after, "in all": pursuit + after}


def exact(G: cvxinv.Generator, y: Any) -> dict[str, float]:
    """The same, solved exactly."""
    layers, _, pursuit = by_layer(G, y, fast.solve)
    _, whole = clock(lambda: cvxinv.latent_pursuit(G, y))
    return {**layers, "debiasing": max(0.0, whole - pursuit), "in all": whole}


def by_layer(
    G: cvxinv.Generator, y: Any, solve: Callable[[Any], Any]
) -> tuple[dict[str, float], cvxinv.Inversion, float]:
    """Seconds of each layer, what is found, and the seconds in all, without debiasing."""
    seconds: list[float] = []

    def timed(problem: Any) -> Any:
        answer, took = clock(lambda: solve(problem))
        seconds.append(took)
        return answer

    found, whole = clock(lambda: cvxinv.latent_pursuit(G, y, solve=timed, debias=False))
    down = reversed(layer_names(G)[:-1])  # x_L first
    return dict(zip(down, seconds, strict=True)), found, whole


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Of repeats, entry by entry."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def main(
    signals: Annotated[int, typer.Option(min=1, help="How many.")] = 512,
    steps: Annotated[int, typer.Option(min=1, help="Iterations of the printed methods.")] = 10_000,
) -> None:
    """Measure and store."""
    torch.set_num_threads(THREADS)
    G = cvxinv.mnist_generator("gan")
    z = torch.from_numpy(np.random.default_rng(SEED).standard_normal((signals, G.sizes[0])))
    y, single = G(z), G.to("cpu", "float32")
    low = y.float()
    cvxinv.latent_pursuit(G, y[:16])  # nothing that is timed is the first of its kind
    cvxinv.invert(G, y[:16])
    ours = [exact(G, y) for _ in range(REPEATS)]
    inverted = [clock(lambda: cvxinv.invert(G, y))[1] for _ in range(REPEATS)]
    as_printed = printed(single, low, steps)
    descent = clock(lambda: fast.gradient_descent(single, low, steps=steps, progress=False))[1]
    result = {
        "signals": signals,
        "steps": steps,
        "paper": PAPER,
        "seconds": {
            "Latent-Pursuit, printed": as_printed,
            "Latent-Pursuit, exact": medians(ours),
            "gradient descent": {"in all": descent},
            "invert": {"in all": statistics.median(inverted)},
        },
    }
    Console().print_json(data=store("run_time", result, ("torch", "numpy"), THREADS))


if __name__ == "__main__":
    typer.run(main)
