"""`cvxinv invert`: signals from a file, latent vectors and certificates to a file."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import (
    check_folder,
    count,
    finite,
    layer_names,
    read_generator,
    read_mask,
    read_signals,
    solve,
    spread,
    table,
    tally,
    worst_kkt,
)

if TYPE_CHECKING:
    from ..generator import Generator
    from ..solution import Inversion


class Method(StrEnum):
    """The pursuits, by the names of the paper."""

    latent = "latent-pursuit"
    basis = "layered-basis-pursuit"
    linear = "linear-programming"


class Solver(StrEnum):
    """CVXPY's solvers for the quadratic statements."""

    CLARABEL = "CLARABEL"
    OSQP = "OSQP"
    SCS = "SCS"


IN_RANGE = 1e-6  # relative residual up to which a signal counts as reproduced
APPLIES = {  # which options which method has
    Method.latent: {"--lam", "--gamma", "--debias", "--solver", "--jobs"},
    Method.basis: {"--lam", "--noise", "--debias", "--solver", "--jobs"},
    Method.linear: {"--noise"},
}


def invert(
    generator: Annotated[str, typer.Argument(help="A generator file (safetensors), or the word mnist.", show_default=False)],
    signals: Annotated[Path, typer.Argument(help="Signals, (n,) or (B, n): .npy, or .npz with y.", show_default=False)],
    mask: Annotated[Path | None, typer.Option(help="Observed pixels, (n,) or (B, n): boolean .npy or .npz.")] = None,
    method: Annotated[Method, typer.Option(help="Algorithm 3, Algorithm 1, or Lei et al.")] = Method.latent,
    noise: Annotated[float | None, typer.Option(help="Noise bound of layered-basis-pursuit; threshold of linear-programming.")] = None,
    lam: Annotated[str | None, typer.Option(help="Weights of the l1 terms: a number, or lam_1,..,lam_L.")] = None,
    gamma: Annotated[float | None, typer.Option(help="Weight of the prior on z.")] = None,
    debias: Annotated[bool | None, typer.Option(help="Re-fit z with the supports frozen (default: as the method is printed).")] = None,
    solver: Annotated[Solver | None, typer.Option(help="CVXPY's solver (default: CLARABEL).", show_choices=True)] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes; -1: all cores (default: 1).")] = None,
    out: Annotated[Path, typer.Option(help="Where the result goes (.npz).")] = Path("inversion.npz"),
) -> None:
    """Invert signals of a generator, layer by layer."""
    import numpy as np
    from rich.console import Console

    given = {"--noise": noise, "--lam": lam, "--gamma": gamma, "--debias": debias, "--solver": solver, "--jobs": jobs}
    for option, value in given.items():
        if value is not None and option not in APPLIES[method]:
            raise ValueError(f"{option} does not apply to {method.value}")
    if jobs == 0:
        raise ValueError("--jobs: expected a number of processes, or -1 for all cores, got 0")
    check_folder(out)
    G = read_generator(generator)
    y = read_signals(signals, G)
    observed = read_mask(mask, y)
    backend = partial(solve, solver=None if solver is None else solver.value, n_jobs=jobs or 1)
    options = {"noise": noise, "lam": None if lam is None else _numbers(lam), "gamma": gamma, "debias": debias, "observed": observed}
    inversion = _run(method, G, y, backend, {k: v for k, v in options.items() if v is not None})
    residual = np.linalg.norm(np.where(True if observed is None else observed, y - inversion.signal, 0.0), axis=1)
    with open(out, "wb") as file:
        np.savez_compressed(file, **contents(G, inversion, residual), method=np.asarray(method.value))

    console = Console()
    result = table(f"{method.value} of {len(y)} signals", "layer", "OPTIMAL", "worst KKT", "support sizes")
    for i, (name, solution) in enumerate(zip(layer_names(G), inversion.solutions, strict=True)):
        sizes = spread(inversion.supports[i - 1].sum(axis=1), ".0f") if i else "-"
        result.add_row(name, count(solution.status, "OPTIMAL"), worst_kkt(solution), sizes)
    console.print(result)
    console.print(tally(list(inversion.status)), highlight=False)
    measured = finite(residual)
    middle = f"median {np.median(measured):.2e}, largest {measured.max():.2e}" if measured.size else "-"
    console.print(f"||y - G(z)|| over observed pixels: {middle}", highlight=False)
    size = np.linalg.norm(np.where(np.isfinite(y) & (True if observed is None else observed), y, 0.0), axis=1)
    missed = int((residual > IN_RANGE * np.maximum(size, 1e-300)).sum())
    if missed:
        text = f"{missed} of {len(y)} are not reproduced to {IN_RANGE:g}: noisy, or not in the range of G (OPTIMAL speaks of layers)"
        console.print(text, highlight=False, style="yellow")
    console.print(f"result: {out}", highlight=False, soft_wrap=True)


def _numbers(text: str) -> Any:
    if text == "theorem3":
        return text
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"--lam: expected numbers separated by commas, or theorem3, got {text!r}") from None
    return values if len(values) > 1 else values[0]


def _run(method: Method, G: "Generator", y: Any, backend: Any, options: dict[str, Any]) -> "Inversion":
    from .. import pursuit

    if method is Method.linear:
        return pursuit.linear_programming(G, y, **options)
    if method is Method.basis:
        return pursuit.layered_basis_pursuit(G, y, backend, **options)
    if isinstance(options.get("lam"), str):
        raise ValueError(f"--lam: {options['lam']} belongs to {Method.basis.value}; {method.value} takes numbers")
    return pursuit.latent_pursuit(G, y, backend, **options)


def contents(G: "Generator", inversion: "Inversion", residual: Any) -> dict[str, Any]:
    """The arrays of a result file: z, signal, status, residual, kkt (B, L+1), and per layer layer_i and support_i."""
    import numpy as np

    from .. import __version__

    out = {
        "z": inversion.z, "signal": inversion.signal, "residual": residual, "status": np.array([s.name for s in inversion.status]),
        "kkt": np.stack([s.certificate.kkt for s in inversion.solutions], axis=1), "kkt_layers": np.array(layer_names(G)),
        "version": np.asarray(__version__),
    }  # fmt: skip
    for i, (x, S) in enumerate(zip(inversion.layers, inversion.supports, strict=True), start=1):
        out |= {f"layer_{i}": x, f"support_{i}": S}
    return out
