"""Three networks as people have them, in float64 and float32: z without noise, and what it takes.

Run as `python -m validation.networks`; writes validation/results/networks.json. The networks are
the two shipped ones, PLU and sigmoid, and a tanh one with batch-norm (16-128-320-784, of
validation.train_generator). z ~ N(0, I), clean, with a random 45 % mask per signal, and with the
upper 13 rows hidden (section 6).
"""

import time
from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track

import cvxinv
from cvxinv.solution.snr import snr
from validation.noise import HIDDEN_ROWS, HIDDEN_SHARE
from validation.record import COMMITTED, store

THREADS = 2
# SNR of z that counts as exact, and 8-bit images: sigma of their rounding, in steps
EXACT = {"float64": 200.0, "float32": 100.0}
UNIFORM = 12**-0.5
METHODS: dict[str, Callable[..., Any]] = {
    "latent_pursuit": cvxinv.latent_pursuit,
    "invert": cvxinv.invert,
}


def networks() -> dict[str, cvxinv.Generator]:
    """The networks by name."""
    tanh = cvxinv.Generator.load(COMMITTED / "mnist_tanh.safetensors")
    return {
        "gan": cvxinv.mnist_generator("gan"),
        "vae": cvxinv.mnist_generator("vae"),
        "tanh": tanh,
    }


def masks(count: int, n: int, rng: np.random.Generator) -> dict[str, Any]:
    """What is observed, by name."""
    rows = np.ones((28, 28), dtype=bool)
    rows[:HIDDEN_ROWS] = False
    random = rng.random((count, n)) >= HIDDEN_SHARE
    return {"clean": None, "random mask": random, "half mask": rows.reshape(-1)}


def without_noise(G: cvxinv.Generator, dtype: str, z: Any, seen: Any, method: str) -> Any:
    """SNR of z, time and statuses."""
    G = G.to("cpu", dtype)
    points = torch.tensor(z, dtype=getattr(torch, dtype))
    y, mask = G(points), None if seen is None else torch.tensor(seen)
    begin = time.perf_counter()
    found = METHODS[method](G, y, observed=mask)
    seconds = time.perf_counter() - begin
    quality = snr(points.double(), found.z.double()).numpy()
    return {
        "ms per signal": round(1e3 * seconds / len(z), 2),
        "SNR of z": {
            "least": round(float(quality.min()), 1),
            "median": round(float(np.median(quality)), 1),
        },
        f"signals of at least {EXACT[dtype]:.0f} dB": int((quality >= EXACT[dtype]).sum()),
        "status": dict(Counter(s.name for s in found.status)),
    }


def eight_bit(G: cvxinv.Generator, z: Any) -> Any:
    """Images rounded to 256 grey levels, with default arguments."""
    low, high = G.activation.range
    step = (high - low) / 255
    y = low + step * np.round((G(z) - low) / step)
    begin = time.perf_counter()
    found = cvxinv.invert(G, y)
    seconds = time.perf_counter() - begin
    bound = np.sqrt(cvxinv.cramer_rao(G, z, step * UNIFORM))
    size = np.linalg.norm(z, axis=1)
    return {
        "ms per signal": round(1e3 * seconds / len(z), 2),
        "median SNR of z": round(float(np.median(snr(z, found.z))), 2),
        "of the Cramer-Rao bound": round(float(np.median(20 * np.log10(size / bound))), 2),
        "status": dict(Counter(s.name for s in found.status)),
    }


def main(
    signals: Annotated[int, typer.Option(min=1, help="How many.")] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Of z and the masks.")] = 5,
) -> None:
    """Measure and store."""
    torch.set_num_threads(THREADS)
    result: dict[str, Any] = {"signals": signals, "seed": seed}
    for name, G in networks().items():
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((signals, G.sizes[0]))
        seen = masks(signals, G.sizes[-1], rng)
        for method in METHODS:  # nothing that is timed is the first of its kind
            without_noise(G, "float64", z[:8], None, method)
        rows = list(product(METHODS, EXACT, seen))
        result[name] = {
            f"{method}, {dtype}, {what}": without_noise(G, dtype, z, seen[what], method)
            for method, dtype, what in track(rows, name)
        }
        if np.isfinite(G.activation.range).all():  # levels for all that it makes
            result[name]["invert, 8-bit images"] = eight_bit(G, z)
    Console().print_json(data=store("networks", result, ("torch", "numpy"), THREADS))


if __name__ == "__main__":
    typer.run(main)
