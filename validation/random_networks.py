"""Fig. 2: random networks tanh(W_1 ReLU(W_0 z)), inverted by the paper's methods and by ours.

    gradient descent       eq. 1, with the step-size search of section 6.1
    basis pursuit          Algorithm 1, lam_1 the best of the paper's list at each point, debiased
    Latent-Pursuit, printed   Algorithm 3 with linearised ADMM, rho = 1e-2, as printed, supports
                           read off by a cut (`validation.printed`), debiased
    Latent-Pursuit, exact     the same problems, solved by `fast`'s default, debiased
    invert                 our front door

Run as `python -m validation.random_networks --scale small`; writes
validation/results/random_networks.json. A run that was stopped goes on where it was
(`validation.points`). SNRs of z, x_1 and the image: those of the estimates, which for x_1 are the
pursuits' own.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from itertools import product
from typing import Annotated, Any

import numpy as np
import torch
import typer

import cvxinv
import fast
from cvxinv.guarantees import mutual_coherence
from validation.points import Points
from validation.printed import CUT, RHO, solver
from validation.record import store

N = 625  # pixels
LAM = (1e-5, 7e-6, 3e-6, 1e-6, 0.0)  # the paper's list of lam_1
TRIED = 8  # signals on which lam_1 is chosen
QUANTILES = (10, 25, 50, 75, 90)
MOST = 400.0  # dB: where an estimate is exact
SEED = 0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    latent: tuple[int, ...]  # n_0
    hidden: tuple[int, ...]  # n_1
    signals: int
    steps: int  # of gradient descent, for each step size


SCALES = {
    "tiny": Size((4,), (12, 40), 2, 50),
    "small": Size((100, 200), (50, 150, 250, 350, 500, 700, 1000), 4, 2_000),
    "coarse": Size((100, 200), tuple(range(100, 1001, 100)), 64, 10_000),
    "large": Size((100, 200), (*range(50, 601, 50), 700, 800, 900, 1000), 64, 10_000),
    "paper": Size((100, 200), tuple(range(50, 1001, 50)), 512, 10_000),
}


class Scale(StrEnum):
    """A size by its name."""

    tiny = "tiny"
    small = "small"
    coarse = "coarse"
    large = "large"
    paper = "paper"


def network(n_0: int, n_1: int, n: int) -> cvxinv.Generator:
    """i.i.d. Gaussian weights whose layers keep the size of z."""
    rng = np.random.default_rng([SEED, n_0, n_1])
    W_0 = rng.standard_normal((n_1, n_0)) / np.sqrt(n_0)
    W_1 = rng.standard_normal((n, n_1)) / np.sqrt(n_1)
    return cvxinv.Generator([W_0, W_1], activation="tanh")


def quality(z: Any, G: cvxinv.Generator, found: cvxinv.Inversion) -> dict[str, Any]:
    """SNR in dB, (B,) each: of z, x_1 and the image."""
    x, y = G.layers(z)[0], G(z)
    estimates = {"z": (z, found.z), "x_1": (x, found.layers[0]), "image": (y, found.signal)}
    return {name: decibels(*pair) for name, pair in estimates.items()}


def decibels(true: Any, found: Any) -> Any:
    """SNR in dB, (B,), finite: at most MOST, and -MOST where there is no answer."""
    return np.clip(np.nan_to_num(cvxinv.snr(true, found), nan=-MOST), -MOST, MOST)


METHODS: dict[str, Callable[[Size, Any, Any], Any]] = {
    "gradient descent": lambda size, G, y: fast.gradient_descent(
        G, y, steps=size.steps, step="search", progress=False
    ),
    "Latent-Pursuit, printed": lambda size, G, y: cvxinv.latent_pursuit(G, y, solve=solver()),
    "Latent-Pursuit, exact": lambda size, G, y: cvxinv.latent_pursuit(G, y),
    "invert": lambda size, G, y: cvxinv.invert(G, y),
}
BASIS = "basis pursuit"  # whose lam_1 is chosen


def basis_pursuit(G: cvxinv.Generator, y: Any, z: Any) -> tuple[cvxinv.Inversion, float]:
    """Algorithm 1 with the lam_1 of the list whose x_1 is best in the median of the first TRIED
    signals, and that lam_1.
    """

    def with_lam(lam: float, count: int) -> cvxinv.Inversion:
        return cvxinv.layered_basis_pursuit(G, y[:count], lam=lam, debias=True)

    def worth(lam: float) -> float:
        return float(np.median(quality(z[:TRIED], G, with_lam(lam, TRIED))["x_1"]))

    best = max(LAM, key=worth)
    return with_lam(best, len(y)), best


def measure(size: Size, n: int, point: tuple[int, int, str]) -> dict[str, Any]:
    """One method at one pair of sizes."""
    n_0, n_1, name = point
    G = network(n_0, n_1, n)
    z = latent(size, n_0, n_1)
    y = G(z)
    lam = {}
    if name == BASIS:
        found, lam["best lam_1"] = basis_pursuit(G, y, z)
    else:
        found = METHODS[name](size, G, y)
    snr = {
        what: np.percentile(q, QUANTILES).round(2).tolist()
        for what, q in quality(z, G, found).items()
    }
    return {"SNR": snr, **lam}


def latent(size: Size, n_0: int, n_1: int) -> Any:
    """z ~ N(0, I) of a point, (signals, n_0)."""
    return np.random.default_rng([SEED, n_0, n_1, 1]).standard_normal((size.signals, n_0))


def together(size: Size, n: int, pair: tuple[int, int], found: dict[str, Any]) -> dict[str, Any]:
    """A point as it is stored: its network, and what each method made of it."""
    n_0, n_1 = pair
    G = network(n_0, n_1, n)
    return {
        "n_0": n_0,
        "n_1": n_1,
        "s_1": float(G.supports(latent(size, n_0, n_1))[0].sum(axis=1).mean()),
        "worst-case bound on s_1": 1 / (3 * float(mutual_coherence(G.weights[1]))),
        "best lam_1": found[BASIS]["best lam_1"],
        "SNR": {name: one["SNR"] for name, one in found.items()},
    }


def main(
    scale: Annotated[Scale, typer.Option(help="How much.")] = Scale.small,
) -> None:
    """Measure every point and store them."""
    size = SCALES[scale.value]
    n = N if scale.value != "tiny" else 20
    settings = {"n": n, "seed": SEED, "lam_1": LAM, "rho": RHO, "cut": CUT, **asdict(size)}
    name = f"random_networks_{n}_{size.signals}_{size.steps}"  # scales share their points
    points = Points(name, _plain(settings | {"latent": 0, "hidden": 0}))
    names = [*METHODS, BASIS]
    # narrow networks, which take little time, first
    todo = [(n_0, n_1, m) for n_1, n_0, m in product(size.hidden, size.latent, names)]
    found = dict(zip(todo, points.measured(todo, partial(measure, size, n)), strict=True))
    rows = [
        together(size, n, pair, {m: found[*pair, m] for m in names})
        for pair in product(size.latent, size.hidden)
    ]
    result = {"scale": scale.value, **_plain(settings), "quantiles": QUANTILES, "points": rows}
    store("random_networks", result, ("torch", "numpy"), torch.get_num_threads())


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}


if __name__ == "__main__":
    typer.run(main)
