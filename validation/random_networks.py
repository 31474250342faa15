"""Fig. 2: random networks tanh(W_1 ReLU(W_0 z)), inverted by the paper's methods and by ours.

    gradient descent       eq. 1, with the step-size search of section 6.1
    basis pursuit          Algorithm 1, lam_1 the best of the paper's list at each point, debiased
    Latent-Pursuit, printed   Algorithm 3 with linearised ADMM, rho = 1e-2, as printed, debiased
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
from validation.record import store

N = 625  # pixels
LAM = (1e-5, 7e-6, 3e-6, 1e-6, 0.0)  # the paper's list of lam_1
RHO = 1e-2
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


def methods(steps: int) -> dict[str, Callable[[Any, Any], cvxinv.Inversion]]:
    """The methods but for Algorithm 1, whose lam_1 is chosen."""
    printed = partial(fast.solve, method="linearized_admm", rho=RHO)
    return {
        "gradient descent": lambda G, y: fast.gradient_descent(G, y, steps=steps, step="search"),
        "Latent-Pursuit, printed": lambda G, y: cvxinv.latent_pursuit(G, y, solve=printed),
        "Latent-Pursuit, exact": cvxinv.latent_pursuit,
        "invert": cvxinv.invert,
    }


def basis_pursuit(G: cvxinv.Generator, y: Any, z: Any) -> tuple[dict[str, Any], float]:
    """Algorithm 1 with the lam_1 of the list whose x_1 is best in the median of the first TRIED
    signals, and that lam_1.
    """

    def with_lam(lam: float, count: int) -> dict[str, Any]:
        found = cvxinv.layered_basis_pursuit(G, y[:count], lam=lam, debias=True)
        return quality(z[:count], G, found)

    best = max(LAM, key=lambda lam: float(np.median(with_lam(lam, TRIED)["x_1"])))
    return with_lam(best, len(y)), best


def measure(size: Size, n: int, point: tuple[int, int]) -> dict[str, Any]:
    """All methods at one pair of sizes."""
    n_0, n_1 = point
    G = network(n_0, n_1, n)
    z = np.random.default_rng([SEED, n_0, n_1, 1]).standard_normal((size.signals, n_0))
    y = G(z)
    found = {name: quality(z, G, invert(G, y)) for name, invert in methods(size.steps).items()}
    found["basis pursuit"], lam = basis_pursuit(G, y, z)
    return {
        "n_0": n_0,
        "n_1": n_1,
        "s_1": float(G.supports(z)[0].sum(axis=1).mean()),
        "worst-case bound on s_1": 1 / (3 * float(mutual_coherence(G.weights[1]))),
        "best lam_1": lam,
        "SNR": {
            name: {what: np.percentile(a, QUANTILES).round(2).tolist() for what, a in q.items()}
            for name, q in found.items()
        },
    }


def main(
    scale: Annotated[Scale, typer.Option(help="How much.")] = Scale.small,
) -> None:
    """Measure every point and store them."""
    size = SCALES[scale.value]
    n = N if scale.value != "tiny" else 20
    settings = {"n": n, "seed": SEED, "lam_1": LAM, "rho": RHO, **asdict(size)}
    name = f"random_networks_{n}_{size.signals}_{size.steps}"  # scales share their points
    points = Points(name, _plain(settings | {"latent": 0, "hidden": 0}))
    pairs = list(product(size.latent, size.hidden))
    rows = list(points.measured(pairs, partial(measure, size, n)))
    result = {"scale": scale.value, **_plain(settings), "quantiles": QUANTILES, "points": rows}
    store("random_networks", result, ("torch", "numpy"), torch.get_num_threads())


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}


if __name__ == "__main__":
    typer.run(main)
