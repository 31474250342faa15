"""`cvxinv bench`: fast against the solvers a user would pick instead, the paper's algorithms and
the GEMM floor, in one run.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cvxinv import record
from cvxinv.cli.common import Dtype, check_device, check_picture, read_generator
from cvxinv.cli.output import check_folder

if TYPE_CHECKING:
    from cvxinv.generator import Generator

SIZES = "20-128-392-784"
SEEDS = 0, 1
PICTURE = Path("cvxinv-bench.png")


def bench(
    sizes: Annotated[
        str | None,
        typer.Option(help="Layers of a Gaussian generator, z first.", show_default=SIZES),
    ] = None,
    condition: Annotated[
        float | None,
        typer.Option(min=1, help="Condition number of its weights; Gaussian by default."),
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option(help="A generator file (safetensors), or gan or vae, in its place."),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="How many signals.")] = 512,
    noise: Annotated[
        float, typer.Option(min=0, help="Noise, relative to the data of each layer.")
    ] = 1e-2,
    lam: Annotated[float, typer.Option(min=0, help="Weight of the l1 terms.")] = 1e-3,
    gamma: Annotated[float, typer.Option(min=0, help="Weight of the prior on z.")] = 1e-3,
    dtype: Annotated[
        Dtype, typer.Option(help="Precision of the data; also sets the tolerance, 1e-8 or 1e-5.")
    ] = Dtype.float64,
    device: Annotated[str, typer.Option(help="Device of fast: cpu or cuda.")] = "cpu",
    threads: Annotated[
        int, typer.Option(min=1, help="Threads of fast; rivals run in one process.")
    ] = 2,
    processes: Annotated[
        int,
        typer.Option(min=1, help="The best rivals also run in so many processes; 1: they do not."),
    ] = 2,
    repeats: Annotated[
        int,
        typer.Option(min=1, help="Runs of fast and its best rivals, in turn; figures are medians."),
    ] = 5,
    rival_signals: Annotated[
        int,
        typer.Option(min=1, help="Signals on which all rivals run; the best two then run on all."),
    ] = 64,
    max_iter: Annotated[
        int, typer.Option(min=1, help="Cap on the iterations of the paper's algorithms.")
    ] = 20_000,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Also measure and draw cost against batch and width.")
    ] = False,
    largest_batch: Annotated[
        int, typer.Option(min=1, help="The largest batch of --scaling.")
    ] = 8192,
    out: Annotated[
        Path | None,
        typer.Option(help="Where the picture of --scaling goes.", show_default=str(PICTURE)),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--json", help="Where the numbers go, if anywhere.", show_default=False),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(
            min=0,
            help="Seed of weights, signals and noise; may be given more than once.",
            show_default=" and ".join(map(str, SEEDS)),
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            help="A file that --json wrote: show what changed since, and exit with 1 where fast"
            " solves fewer signals or is more than 10 % slower than then, both against the rival"
            " that was best and against the GEMM floor. Each run times these itself, so two"
            " machines compare.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Time fast against per-signal solvers, in one process and in several, the paper's algorithms
    and the GEMM floor; every answer's KKT residual is checked. Ratios are medians over repeats that
    were taken in turn.
    """
    if out is not None and not scaling:
        raise ValueError("--out: the picture is that of --scaling, which is not asked for")
    out = PICTURE if out is None else out
    if scaling:
        check_picture(out)
    if report is not None:
        check_folder(report)
    if generator is not None and (sizes is not None or condition is not None):
        raise ValueError(
            "--generator: its sizes and conditioning are its own; --sizes and --condition do not"
            " apply"
        )
    shape = _sizes(sizes or SIZES)
    seeds = [*dict.fromkeys(SEEDS if seed is None else seed)]

    import torch
    from rich.console import Console

    from cvxinv.bench import compare as comparison
    from cvxinv.bench import result as results
    from cvxinv.bench.instances import cases, gaussian
    from cvxinv.bench.race import everyone
    from cvxinv.bench.scaling import scale
    from cvxinv.bench.summary import Run
    from cvxinv.cli import bench_report
    from cvxinv.solution import STATUS_TOLERANCE

    check_device(device)
    torch.set_num_threads(threads)
    tol = STATUS_TOLERANCE[dtype]

    def widen(width: float, seed: int = seeds[0]) -> "Generator":
        hidden = [max(1, round(width * n)) for n in shape[1:-1]]
        return gaussian([shape[0], *hidden, shape[-1]], seed, condition)

    stored = None if generator is None else read_generator(generator)
    networks = {k: widen(1, k) if stored is None else stored for k in seeds}
    name = repr(networks[seeds[0]])
    settings = {
        "generator": name,
        "condition": condition,
        "batch": batch,
        "noise": noise,
        "lam": lam,
        "gamma": gamma,
        "dtype": dtype,
        "tolerance": tol,
        "device": device,
        "threads": threads,
        "processes": processes,
        "repeats": repeats,
        "rival signals": rival_signals,
        "max_iter": max_iter,
        "seeds": seeds,
    }
    old = None if compare is None else results.read(compare)
    if old is not None:
        comparison.check_comparable(old, settings)
    about = results.about(threads, torch.cuda.get_device_name() if device == "cuda" else None)
    make = partial(
        cases, noise=noise, lam=lam, gamma=gamma, dtype=getattr(torch, dtype), device=device
    )
    runs = [
        Run(
            k,
            everyone(
                make(networks[k], batch, seed=k),
                tol,
                repeats=repeats,
                first=rival_signals,
                processes=processes,
                max_iter=max_iter,
                cold=k == seeds[0],
                say=_say,
            ),
        )
        for k in seeds
    ]
    grown = None
    if scaling:
        grown = scale(
            partial(make, seed=seeds[0]),
            networks[seeds[0]],
            widen if stored is None else None,
            batch=batch,
            largest=largest_batch,
            tol=tol,
            repeats=repeats,
            say=_say,
        )
    result = results.Result(settings, about, runs, grown)
    console = Console()
    console.width = max(console.width, bench_report.WIDTH if not console.is_terminal else 0)
    bench_report.show(console, name, result)
    if grown is not None:
        from cvxinv.cli.bench_plot import plot

        plot(out, grown, runs[0].groups)
        console.print(f"picture: {out.resolve()}", highlight=False, soft_wrap=True)
    if report is not None:
        record.write(report, result.as_json())
        console.print(f"numbers: {report}", highlight=False, soft_wrap=True)
    if old is not None:
        changes = comparison.compare(old, result)
        bench_report.show_changes(console, old, changes)
        if any(change.regressed for change in changes):
            raise typer.Exit(1)


def _sizes(text: str) -> list[int]:
    parts = text.split("-")
    if len(parts) < 3 or not all(part.isdigit() and int(part) for part in parts):
        raise ValueError(
            f"--sizes: expected n_0-n_1-..-n, at least three positive numbers, got {text!r}"
        )
    return [int(part) for part in parts]


def _say(text: str) -> None:
    """What is measured next, on a terminal; a line, because a moving bar would be timed along with
    the solvers.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        console.print(text, style="dim", highlight=False)
