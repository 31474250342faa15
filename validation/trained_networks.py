"""Figs. 3 and 4 to 12: inverting a trained network, clean, with a random 45 % mask, and with the
upper 13 rows hidden.

    gradient descent          the paper's: 10 000 steps, momentum 0.9, first step 0.1, decaying
    Latent-Pursuit, printed   rho = 1e-2, float32, 10 000 iterations a layer and of debiasing, and
                              supports cut at 1e-3 of the largest entry; or read off as x > 0
    Latent-Pursuit, exact     the same problems, solved by `fast`'s default in float64, debiased
    oracle                    Algorithm 4, with the true supports
    basis pursuit             Algorithm 1, lam the best of Fig. 2's list, debiased
    linear programs           Lei et al. (2019), in the largest-entry norm; fewer signals
    hybrid, invert            our own

Run as `python -m validation.trained_networks gan` or `vae`; writes trained_gan.json or
trained_vae.json. A run that was stopped goes on where it was (`validation.points`). As in the paper
all SNRs are of z and of the layers that G makes of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Literal

import numpy as np
import torch
import typer

import cvxinv
import fast
from validation.networks import masks
from validation.points import Points
from validation.printed import CUT, debiased, solver
from validation.random_networks import LAM, MOST, TRIED, decibels
from validation.record import store

QUANTILES = (0, 10, 25, 50, 75, 90, 100)
BINS = tuple(range(-40, 401, 10))  # edges in dB of the histograms
SHOWN = 4  # signals in a panel of images
FAILED = 20.0  # dB: an image below that is a failure of gradient descent


@dataclass(frozen=True, eq=False)
class Signals:
    """Signals y (B, n) of z (B, n_0), what is seen of them, and the steps of iterative methods."""

    G: cvxinv.Generator
    z: Any
    y: Any
    seen: Any
    steps: int

    def first(self, count: int) -> "Signals":
        """The first `count` of them."""
        seen = self.seen[:count] if getattr(self.seen, "ndim", 0) == 2 else self.seen
        return Signals(self.G, self.z[:count], self.y[:count], seen, self.steps)


def descent(s: Signals) -> Any:
    """As the paper has it; float32, which for gradient descent is enough."""
    G, y, seen = single(s)
    found = fast.gradient_descent(G, y, steps=s.steps, observed=seen, progress=False)
    return found.z.double().numpy()


def printed(s: Signals, cut: float = CUT) -> Any:
    """Algorithm 3 as printed: eq. 5, on phi^-1(y), by FISTA, eqs. 6 and 9 by linearized ADMM, then
    debiasing by gradient descent; all in float32.
    """
    G, y, seen = single(s)
    solve = solver(cut, max_iter=s.steps)
    found = cvxinv.latent_pursuit(G, y, solve=solve, observed=seen, debias=False, last="inverted")
    return debiased(G, y, found.z, found.supports, seen, s.steps).double().numpy()


def basis_pursuit(s: Signals) -> Any:
    """Algorithm 1 with the lam of the list whose z is best in the median of the first TRIED
    signals.
    """

    def with_lam(lam: float, of: Signals) -> Any:
        how: dict[str, Any] = {"lam": lam, "debias": True, "observed": of.seen}
        return cvxinv.layered_basis_pursuit(of.G, of.y, **how).z

    few = s.first(TRIED)
    best = max(LAM, key=lambda lam: float(np.median(decibels(few.z, with_lam(lam, few)))))
    return with_lam(best, s)


POSITIVE = "printed, x > 0"  # of the network that the paper has
METHODS: dict[str, Callable[[Signals], Any]] = {
    "gradient descent": descent,
    "Latent-Pursuit, printed": printed,
    POSITIVE: lambda s: printed(s, cut=0.0),
    "Latent-Pursuit, exact": lambda s: cvxinv.latent_pursuit(s.G, s.y, observed=s.seen).z,
    "oracle": lambda s: cvxinv.oracle(s.G, s.y, s.G.supports(s.z), observed=s.seen).z,
    "basis pursuit": basis_pursuit,
    "linear programs": lambda s: cvxinv.linear_programming(s.G, s.y, observed=s.seen).z,
    "hybrid": lambda s: cvxinv.hybrid(s.G, s.y, s.seen).z,
    "invert": lambda s: cvxinv.invert(s.G, s.y, s.seen).z,
}


def single(s: Signals) -> tuple[Any, Any, Any]:
    """Generator, signals and mask in float32 tensors."""
    seen = None if s.seen is None else torch.from_numpy(np.asarray(s.seen))
    return s.G.to("cpu", "float32"), torch.from_numpy(s.y).float(), seen


def measure(s: Signals, linear_programs: int, name: str) -> dict[str, Any]:
    """The SNRs of one method, layer by layer, and its z for the pictures."""
    some = s.first(linear_programs) if name == "linear programs" else s
    z = METHODS[name](some)
    true = [some.z, *some.G.layers(some.z), some.y]
    usable = np.where(np.isfinite(z), z, 0.0)  # no answer counts as z = 0
    found = [usable, *some.G.layers(usable), some.G(usable)]
    quality = dict(zip(layer_names(some.G), map(decibels, true, found), strict=True))
    return {
        "signals": len(some.z),
        "no answer": int((~np.isfinite(z).all(axis=1)).sum()),
        "exact": {what: int((q >= 180).sum()) for what, q in quality.items()},
        "quantiles": {
            what: np.percentile(q, QUANTILES).round(2).tolist() for what, q in quality.items()
        },
        "histogram": {what: np.histogram(q, BINS)[0].tolist() for what, q in quality.items()},
        "image SNR": quality["image"].round(1).tolist(),
        "z": usable.tolist(),
    }


def layer_names(G: cvxinv.Generator) -> list[str]:
    """z, x_1, .., x_L, image."""
    return ["z", *(f"x_{i}" for i in range(1, G.depth + 1)), "image"]


def chosen(quality: list[float]) -> dict[str, list[int]]:
    """The first signals, in the order in which they were drawn, on which gradient descent fails,
    and the first on which it does not.
    """
    failed = [b for b, q in enumerate(quality) if q < FAILED]
    others = [b for b, q in enumerate(quality) if q >= FAILED]
    return {"failures": failed[:SHOWN], "successes": others[:SHOWN]}


def setting(s: Signals, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is stored of one mask: the figures, and z and mask of the signals that are shown."""
    panels = chosen(found["gradient descent"]["image SNR"])
    shown = [b for panel in panels.values() for b in panel]
    drawn = ("gradient descent", "Latent-Pursuit, printed", "Latent-Pursuit, exact")
    estimates = {"true": s.z.tolist()} | {name: found[name]["z"] for name in drawn}
    seen = np.broadcast_to(True if s.seen is None else s.seen, s.y.shape).astype(int)
    return {
        "panels": panels,
        "z": {name: {str(b): z[b] for b in shown} for name, z in estimates.items()},
        "seen": {str(b): "".join(map(str, seen[b])) for b in shown},
        "methods": {
            name: {key: value for key, value in one.items() if key not in ("z", "image SNR")}
            for name, one in found.items()
        },
    }


def main(
    network: Annotated[Literal["gan", "vae"], typer.Argument(help="gan or vae.")] = "gan",
    signals: Annotated[int, typer.Option(min=1, help="How many.")] = 512,
    steps: Annotated[int, typer.Option(min=1, help="Of the printed methods.")] = 10_000,
    linear_programs: Annotated[int, typer.Option(min=1, help="Signals of Lei et al.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Of z and the masks.")] = 3,
) -> None:
    """Measure every method with every mask, and store it."""
    given: dict[str, Any] = {
        "signals": signals,
        "steps": steps,
        "linear programs": linear_programs,
        "seed": seed,
    }
    G, rng = cvxinv.mnist_generator(network), np.random.default_rng(seed)
    z = rng.standard_normal((signals, G.sizes[0]))
    seen = masks(signals, G.sizes[-1], rng)
    names = [name for name in METHODS if network == "gan" or name != POSITIVE]
    pairs = list(product(seen, names))
    points = Points(f"trained_{network}_{signals}_{steps}", given)
    count = min(signals, linear_programs)

    given_with = {mask: Signals(G, z, G(z), observed, steps) for mask, observed in seen.items()}

    def one(pair: tuple[str, str]) -> dict[str, Any]:
        return measure(given_with[pair[0]], count, pair[1])

    found = dict(zip(pairs, points.measured(pairs, one), strict=True))
    masked = {
        mask: setting(s, {name: found[mask, name] for name in names})
        for mask, s in given_with.items()
    }
    result = {**given, "network": network, "layers": layer_names(G), "most dB": MOST}
    result |= {"quantiles": QUANTILES, "bins": BINS, "masks": masked}
    threads = torch.get_num_threads()
    store(f"trained_{network}", result, ("torch", "numpy"), threads, "trained_networks")


if __name__ == "__main__":
    typer.run(main)
