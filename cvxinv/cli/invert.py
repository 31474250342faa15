"""`cvxinv invert`: signals from a file, latent vectors with error bars and certificates to a file,
and perhaps a picture.
"""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvxinv.cli.common import (
    check_folder,
    check_picture,
    layer_names,
    read_generator,
    read_mask,
    read_signals,
    solve,
)

if TYPE_CHECKING:
    from cvxinv.generator import Generator
    from cvxinv.solution import Inversion


class Method(StrEnum):
    """`cvxinv.invert`, and the pursuits by the names of the paper."""

    invert = "invert"
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
    Method.invert: {"--noise", "--starts", "--prior", "--seed", "--solver", "--jobs"},
    Method.latent: {"--lam", "--gamma", "--debias", "--solver", "--jobs"},
    Method.basis: {"--lam", "--noise", "--debias", "--solver", "--jobs"},
    Method.linear: {"--noise"},
}
# what only `cvxinv.invert` finds
FIGURES = ("objective", "noise", "covariance", "standard_error")
FIT = (*FIGURES, "condition", "identifiable", "agreement")


def invert(
    generator: Annotated[
        str,
        typer.Argument(
            help="A generator file (safetensors), or the word mnist.", show_default=False
        ),
    ],
    signals: Annotated[
        Path,
        typer.Argument(help="Signals, (n,) or (B, n): .npy, or .npz with y.", show_default=False),
    ],
    mask: Annotated[
        Path | None, typer.Option(help="Observed pixels, (n,) or (B, n): boolean .npy or .npz.")
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            help="Pursuit and random starts, Levenberg-Marquardt, error bars; or Algorithm 3,"
            " Algorithm 1, Lei et al."
        ),
    ] = Method.invert,
    noise: Annotated[
        float | None,
        typer.Option(
            help="invert: standard deviation of the noise of a pixel (default: estimated);"
            " layered-basis-pursuit: noise bound; linear-programming: threshold."
        ),
    ] = None,
    starts: Annotated[
        int | None,
        typer.Option(
            min=0, help="Random starts beside the pursuit (default: that of cvxinv.invert)."
        ),
    ] = None,
    prior: Annotated[
        float | None,
        typer.Option(help="Standard deviation of a Gaussian prior on z; needs --noise."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the random starts (default: 0).")
    ] = None,
    lam: Annotated[
        str | None, typer.Option(help="Weights of the l1 terms: a number, or lam_1,..,lam_L.")
    ] = None,
    gamma: Annotated[float | None, typer.Option(help="Weight of the prior on z.")] = None,
    debias: Annotated[
        bool | None,
        typer.Option(help="Re-fit z with the supports frozen (default: as the method is printed)."),
    ] = None,
    solver: Annotated[
        Solver | None,
        typer.Option(
            help="CVXPY's solver for the pursuit (default: CLARABEL; for invert: fast.solve,"
            " without CVXPY).",
            show_choices=True,
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes of CVXPY; -1: all cores (default: 1).")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the result goes (.npz).")] = Path(
        "inversion.npz"
    ),
    picture: Annotated[
        Path | None, typer.Option(help="Where a picture of the first 12 signals goes, if anywhere.")
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Of an image in the picture (default: a square)."),
    ] = None,
) -> None:
    """Find the latent vectors of signals of a generator, and how sure they are; exit code 1 if not
    one of them was inverted.
    """
    import numpy as np
    from rich.console import Console

    from cvxinv.cli import invert_report as show
    from cvxinv.generator.arguments import observed_norm
    from cvxinv.solution import Status

    options = {
        "noise": noise,
        "starts": starts,
        "prior": prior,
        "seed": seed,
        "lam": lam,
        "gamma": gamma,
        "debias": debias,
        "solver": solver,
        "jobs": jobs,
    }
    for name, value in options.items():
        if value is not None and f"--{name}" not in APPLIES[method]:
            raise ValueError(f"--{name} does not apply to {method.value}")
    if jobs == 0:
        raise ValueError("--jobs: expected a number of processes, or -1 for all cores, got 0")
    if jobs is not None and solver is None and method is Method.invert:
        raise ValueError(
            "--jobs: these are processes of CVXPY, which invert uses only with --solver"
        )
    if prior is not None and noise is None:
        raise ValueError("--prior: needs --noise, the standard deviation of the noise of a pixel")
    if shape is not None and picture is None:
        raise ValueError("--shape: needs --picture, whose images it is for")
    check_folder(out)
    if picture is not None:
        check_picture(picture)
    G = read_generator(generator)
    size = None if picture is None else show.image_shape(shape, G.sizes[-1])
    y = read_signals(signals, G)
    observed = read_mask(mask, y)
    backend = None
    if method is not Method.invert or solver is not None:
        backend = partial(solve, solver=None if solver is None else solver.value, n_jobs=jobs or 1)
    options |= {
        "observed": observed,
        "lam": None if lam is None else _numbers(lam),
        "solver": None,
        "jobs": None,
    }
    console = Console()
    with console.status(f"{method.value} of {len(y)} signals .."):
        inversion = _run(method, G, y, backend, {k: v for k, v in options.items() if v is not None})
    residual = inversion.residual
    with open(out, "wb") as file:
        np.savez_compressed(
            file, **contents(G, inversion, residual), method=np.asarray(method.value)
        )

    console.print(show.statuses(f"{method.value} of {len(y)} signals", inversion.status))
    console.print(
        show.layers(G, inversion) if inversion.standard_error is None else show.figures(inversion)
    )
    console.print(show.misfit(residual), highlight=False)
    size_of_y = observed_norm(np.where(np.isfinite(y), y, 0.0), observed)
    missed = int((residual > IN_RANGE * np.maximum(size_of_y, 1e-300)).sum())
    if missed:
        text = (
            f"{missed} of {len(y)} are not reproduced to {IN_RANGE:g}: noisy, or not in the range"
            " of G"
        )
        text += "" if method is Method.invert else " (OPTIMAL speaks of layers)"
        console.print(text, highlight=False, style="yellow")
    if picture is not None and size is not None:
        show.picture(picture, G, y, observed, inversion, size)
        console.print(f"picture: {picture}", highlight=False, soft_wrap=True)
    console.print(f"result: {out}", highlight=False, soft_wrap=True)
    if len(y) and not any(s in (Status.OPTIMAL, Status.STATIONARY) for s in inversion.status):
        console.print("no signal was inverted: see the statuses above", style="red")
        raise typer.Exit(1)


def _numbers(text: str) -> Any:
    if text == "theorem3":
        return text
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--lam: expected numbers separated by commas, or theorem3, got {text!r}"
        ) from None
    return values if len(values) > 1 else values[0]


def _run(
    method: Method, G: "Generator", y: Any, backend: Any, options: dict[str, Any]
) -> "Inversion":
    from cvxinv.inversion.invert import invert
    from cvxinv.pursuits import latent_pursuit, layered_basis_pursuit, linear_programming

    if method is Method.invert:
        return invert(G, y, solve=backend, **options)
    if method is Method.linear:
        return linear_programming(G, y, **options)
    if method is Method.basis:
        return layered_basis_pursuit(G, y, backend, **options)
    if isinstance(options.get("lam"), str):
        raise ValueError(
            f"--lam: {options['lam']} belongs to {Method.basis.value}; {method.value} takes numbers"
        )
    return latent_pursuit(G, y, backend, **options)


def contents(G: "Generator", inversion: "Inversion", residual: Any) -> dict[str, Any]:
    """The arrays of a result file: z, signal, status, residual, kkt (B, L+1), layer_i, support_i;
    of `cvxinv.invert` also FIT.
    """
    import numpy as np

    from cvxinv.version import __version__

    out = {
        "z": inversion.z,
        "signal": inversion.signal,
        "residual": residual,
        "status": np.array([s.name for s in inversion.status]),
        "kkt": np.stack([s.certificate.kkt for s in inversion.solutions], axis=1),
        "kkt_layers": np.array(layer_names(G)),
        "version": np.asarray(__version__),
    }
    out |= {name: getattr(inversion, name) for name in FIT if getattr(inversion, name) is not None}
    for i, (x, S) in enumerate(zip(inversion.layers, inversion.supports, strict=True), start=1):
        out |= {f"layer_{i}": x, f"support_{i}": S}
    return out
