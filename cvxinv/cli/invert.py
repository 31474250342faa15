"""`cvxinv invert`: signals from a file, latent vectors with error bars and certificates to a file,
and perhaps a picture. In parts: what is finished is kept, whatever ends the run.
"""

from contextlib import nullcontext
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvxinv.cli.common import (
    Dtype,
    check_device,
    check_picture,
    layer_names,
    read_generator,
    show,
    solve,
)
from cvxinv.cli.invert_run import Method, Run
from cvxinv.cli.output import InterruptedRunError, one_interrupt, output

if TYPE_CHECKING:
    from cvxinv.cli.result import Rows
    from cvxinv.cli.signals import Signals
    from cvxinv.generator import Generator


class Solver(StrEnum):
    """CVXPY's solvers for the quadratic statements."""

    CLARABEL = "CLARABEL"
    OSQP = "OSQP"
    SCS = "SCS"


APPLIES = {  # which options which method has
    Method.invert: {"--noise", "--starts", "--prior", "--seed", "--solver", "--jobs"},
    Method.latent: {"--lam", "--gamma", "--debias", "--solver", "--jobs"},
    Method.basis: {"--lam", "--noise", "--debias", "--solver", "--jobs"},
    Method.linear: {"--noise"},
}


def invert(
    generator: Annotated[
        str,
        typer.Argument(
            help="A generator file (safetensors; `cvxinv convert` makes one), or gan or vae.",
            show_default=False,
        ),
    ],
    signals: Annotated[
        Path,
        typer.Argument(
            help="Signals, (n,), (B, n) or images: .npy, .npz with y (and perhaps observed), a .png"
            " file or a folder of them, which are scaled to the output's range.",
            show_default=False,
        ),
    ],
    mask: Annotated[
        Path | None, typer.Option(help="Observed pixels, True where seen: boolean .npy or .npz.")
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
            help="CVXPY and this solver for the pursuit (default: fast.solve, without CVXPY).",
            show_choices=True,
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes of CVXPY; -1: all cores (default: 1).")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to compute: cpu or cuda.")] = "cpu",
    dtype: Annotated[
        Dtype | None, typer.Option(help="Precision (default: that of the signals).")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of torch (default: its own choice).")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the result goes (.npz).")] = Path(
        "inversion.npz"
    ),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace result and picture if they exist.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Where a picture of the first 12 signals goes, if anywhere.")
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Of an image in the picture (default: a square)."),
    ] = None,
) -> None:
    """Find the latent vectors of signals of a generator, and how sure they are.

    The signals are taken in order, in parts. Ctrl-C ends the run with exit code 130 and keeps what
    is finished: the result then has the rows of the first signals alone, while its `total` says how
    many there were. Exit code 1 if not one signal was inverted.
    """
    from rich.console import Console

    from cvxinv.cli import invert_report as report
    from cvxinv.cli import result
    from cvxinv.cli.signals import read_signals

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
    _check_options(method, options)
    if shape is not None and picture is None:
        raise ValueError("--shape: needs --picture, whose images it is for")
    if picture is not None:
        check_picture(picture)
    if device != "cpu" and (solver is not None or method is Method.linear):
        raise ValueError("--device: CVXPY computes on the CPU")
    check_device(device)
    with one_interrupt() as ignore:
        console = Console()
        with (
            output(out, overwrite) as draft,
            nullcontext() if picture is None else output(picture, overwrite) as canvas,
        ):
            G = read_generator(generator)
            size = None if picture is None else report.image_shape(shape, G.sizes[-1])
            given = read_signals(signals, mask, G)
            if given.note is not None:
                console.print(given.note, highlight=False)
            run = Run(method, G, given, _arguments(options), device, dtype, threads)
            parts, stopped = run.in_parts()
            if not parts:
                assert stopped is not None
                raise stopped
            ignore()
            found = result.joined(parts)
            result.write(draft, found, _shared(method, G, given))
            if canvas is not None:
                report.picture(canvas, G, given.y, given.observed, found, size)

        B = len(found["z"])
        show(console, report.statuses(f"{method.value} of {B} signals", found["status"]))
        fit = "standard_error" in found
        show(console, report.figures(found) if fit else report.layers(G, found))
        report.misfit(console, given, found, layers=method is not Method.invert)
        report.notes(console, found)
        if picture is not None:
            console.print(f"picture: {picture}", highlight=False, soft_wrap=True)
        console.print(f"result: {out}", highlight=False, soft_wrap=True)
        if stopped is not None:
            _explain(stopped, f"{out} keeps the first {B} of {len(given.y)} signals")
    if B and not _solved(found).any():
        console.print("no signal was inverted: see the statuses above", style="red")
        raise typer.Exit(1)


def _explain(stopped: BaseException, kept: str) -> None:
    """What ended the work before its time, and what is left of it."""
    if isinstance(stopped, KeyboardInterrupt):
        raise InterruptedRunError(f"interrupted; {kept}")
    typer.echo(kept, err=True)
    raise stopped


def _shared(method: Method, G: "Generator", given: "Signals") -> dict[str, Any]:
    """What a result file holds beside its rows."""
    from cvxinv.version import __version__

    shared = {
        "total": len(given.y),
        "kkt_layers": layer_names(G),
        "method": method.value,
        "version": __version__,
    }
    return shared if given.files is None else shared | {"files": given.files}


def _check_options(method: Method, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None and f"--{name}" not in APPLIES[method]:
            raise ValueError(f"--{name} does not apply to {method.value}")
    if options["jobs"] == 0:
        raise ValueError("--jobs: expected a number of processes, or -1 for all cores, got 0")
    if options["jobs"] is not None and options["solver"] is None:
        raise ValueError("--jobs: these are processes of CVXPY, which needs --solver")
    if options["prior"] is not None and options["noise"] is None:
        raise ValueError("--prior: needs --noise, the standard deviation of the noise of a pixel")
    lam = options["lam"]
    if lam == "theorem3" and method is not Method.basis:
        raise ValueError(
            f"--lam: {lam} belongs to {Method.basis.value}; {method.value} takes numbers"
        )


def _arguments(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as the library takes them."""
    given = {k: v for k, v in options.items() if v is not None}
    if "lam" in given:
        given["lam"] = _numbers(given["lam"])
    solver, jobs = given.pop("solver", None), given.pop("jobs", 1)
    if solver is not None:
        given["solve"] = partial(solve, solver=solver.value, n_jobs=jobs)
    return given


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


def _solved(found: "Rows") -> Any:
    return (found["status"] == "OPTIMAL") | (found["status"] == "STATIONARY")
