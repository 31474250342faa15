"""Latent SNR under noise against the Cramer-Rao bound, coverage of the error bars, and masks:
`python -m validation.noise`.

Writes validation/results/noise.json. Signals are G(z) + N(0, sigma^2 I), z ~ N(0, I),
of the shipped generator.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track

import cvxinv
import fast
from validation.record import store

LEVELS = 0.0, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3
MASKED = 0.05  # sigma beside the random mask
HIDDEN_SHARE, HIDDEN_ROWS = 0.45, 13  # the masks of section 6
DESCENT_STEPS, DESCENT_STEP, DESCENT_SIGNALS = 2000, 1e-2, 64
NORMAL = 1.96  # standard errors on either side of a nominal 95 % interval


@dataclass(frozen=True, eq=False)
class Signals:
    """Noisy signals y of latent vectors z, with their masks (or None) and the noise level; and one
    random start for each.
    """

    G: cvxinv.Generator
    z: Any
    y: Any
    seen: Any
    sigma: float
    start: Any

    def __len__(self) -> int:
        return len(self.z)

    def first(self, count: int) -> "Signals":
        """The first `count` of them."""
        seen = self.seen[:count] if getattr(self.seen, "ndim", 0) == 2 else self.seen
        return Signals(self.G, self.z[:count], self.y[:count], seen, self.sigma, self.start[:count])


def descent(s: Signals) -> Any:
    """Gradient descent on eq. 1 from the random start."""
    how: dict[str, Any] = {"steps": DESCENT_STEPS, "step": DESCENT_STEP, "progress": False}
    return fast.gradient_descent(s.G, s.y, observed=s.seen, start=s.start, **how)


METHODS: dict[str, Callable[[Signals], Any]] = {
    "pursuit": lambda s: cvxinv.latent_pursuit(s.G, s.y, observed=s.seen),
    "oracle": lambda s: cvxinv.oracle(s.G, s.y, s.G.supports(s.z), observed=s.seen),
    "gradient descent": descent,
    "random start": lambda s: fast.levenberg_marquardt(s.G, s.y, s.start, observed=s.seen),
    "hybrid": lambda s: cvxinv.hybrid(s.G, s.y, s.seen, s.sigma or None),
    "invert": lambda s: cvxinv.invert(s.G, s.y, s.seen, s.sigma or None),
    "invert, noise estimated": lambda s: cvxinv.invert(s.G, s.y, s.seen),
}


def settings(count: int, seed: int) -> dict[str, Signals]:
    """All noise levels with every pixel seen, and the masks; the same latent vectors throughout."""
    rng = np.random.default_rng(seed)
    G = cvxinv.mnist_generator()
    z, start = rng.standard_normal((2, count, G.sizes[0]))
    noise = rng.standard_normal((count, G.sizes[-1]))
    random = rng.random(noise.shape) >= HIDDEN_SHARE
    half = np.arange(G.sizes[-1]) >= HIDDEN_ROWS * 28
    chosen = {f"sigma {sigma:g}": (None, sigma) for sigma in LEVELS} | {
        "random mask": (random, 0.0),
        f"random mask, sigma {MASKED:g}": (random, MASKED),
        "half mask": (half, 0.0),
    }
    clean = G(z)

    def signals(seen: Any, sigma: float) -> Signals:
        y = clean + sigma * noise
        y = y if seen is None else np.where(seen, y, np.nan)
        return Signals(G, z, y, seen, sigma, start)

    return {name: signals(seen, sigma) for name, (seen, sigma) in chosen.items()}


def decibels(values: Any) -> dict[str, float | None]:
    """Median, 10 % quantile and minimum; null where infinite. No answer counts as 0 dB: that of z =
    0.
    """
    values = np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf)
    found = {
        "median": np.median(values),
        "quantile_10": np.quantile(values, 0.1, method="lower"),
        "min": np.min(values),
    }
    return {name: round(float(v), 2) if np.isfinite(v) else None for name, v in found.items()}


def measure(name: str, signals: Signals) -> dict[str, Any]:
    """SNR of z and seconds of one method; of `invert` also statuses and the coverage of nominal 95
    % intervals.
    """
    some = signals.first(DESCENT_SIGNALS) if name == "gradient descent" else signals
    begin = time.perf_counter()
    found = METHODS[name](some)
    out = {
        "snr_db": decibels(cvxinv.snr(some.z, found.z)),
        "signals": len(some),
        "seconds": round(time.perf_counter() - begin, 2),
    }
    if not name.startswith("invert"):
        return out
    if signals.sigma:
        covered = np.abs(found.z - some.z) <= NORMAL * found.standard_error
        out["coverage_95"] = round(float(np.mean(covered)), 4)
    return out | {
        "status": dict(Counter(s.name for s in found.status)),
        "agreement_median": float(np.median(found.agreement)),
    }


def bound(signals: Signals) -> dict[str, float | None]:
    """SNR at the Cramer-Rao bound on E ||z_hat - z||^2."""
    trace = cvxinv.cramer_rao(signals.G, signals.z, signals.sigma, signals.seen)
    with np.errstate(divide="ignore"):
        return decibels(10 * np.log10(np.sum(signals.z**2, axis=1) / trace))


def main(
    signals: Annotated[int, typer.Option(min=1, help="How many signals.")] = 512,
    seed: Annotated[int, typer.Option(min=0, help="Of latent vectors, noise, masks, starts.")] = 0,
) -> None:
    """Measure every method in every setting, and store the figures."""
    given = settings(signals, seed)
    found: dict[str, Any] = {name: {"bound": bound(s), "methods": {}} for name, s in given.items()}
    for name, method in track(list(product(given, METHODS)), "noise"):
        found[name]["methods"][method] = measure(method, given[name])
    steps = {"steps": DESCENT_STEPS, "step": DESCENT_STEP, "momentum": 0.9}
    result = {"signals": signals, "seed": seed, "gradient_descent": steps, "settings": found}
    Console().print_json(data=store("noise", result, ("torch", "numpy"), torch.get_num_threads()))


if __name__ == "__main__":
    typer.run(main)
