"""`cvxinv demo`: the shipped generator inverted from all pixels, from 55 % of them, and from the
lower half.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvxinv import record
from cvxinv.cli.common import (
    check_picture,
    count,
    finite,
    layer_names,
    show,
    solve,
    table,
    worst_kkt,
)
from cvxinv.cli.output import check_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cvxinv.generator import Generator
    from cvxinv.solution import Inversion

SIDE, HIDDEN_SHARE, HIDDEN_ROWS = 28, 0.45, 13  # the paper's masks (section 6)
SOLVED = 100.0  # dB: further from the truth than rounding explains counts as lost


@dataclass(frozen=True, eq=False)
class Run:
    """One setting of the demo: its mask, its answer, and the SNR of every layer (z, x_1, .., x_L,
    G(z)), (B,) each.
    """

    title: str
    observed: Any
    inversion: "Inversion"
    snr: dict[str, Any]
    seconds: float


def demo(
    out: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("cvxinv-demo.png"),
    report: Annotated[
        Path | None,
        typer.Option("--json", help="Where the numbers go, if anywhere.", show_default=False),
    ] = None,
    signals: Annotated[int, typer.Option(min=1, help="How many signals.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of latent vectors and masks.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes; -1: all cores.")] = -1,
) -> None:
    """Invert a dozen digits of the shipped generator: clean, 45 % of the pixels hidden, upper 13 of
    28 rows hidden.
    """
    import numpy as np
    from rich.console import Console

    from cvxinv.generator import mnist_generator

    if jobs == 0:
        raise ValueError("--jobs: expected a number of processes, or -1 for all cores, got 0")
    check_picture(out)
    if report is not None:
        check_folder(report)
    G = mnist_generator()
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((signals, G.sizes[0]))
    where = record.machine()
    runs = _runs(G, z, _masks(rng, (signals, G.sizes[-1])), jobs)
    console = Console()
    show(console, _table(G, runs))
    _explain(console, runs)
    _draw(out, G(z), runs)
    if report is not None:
        settings = {"signals": signals, "seed": seed, "jobs": jobs}
        record.write(report, _report(G, runs, settings, where))
        console.print(f"numbers: {report}", highlight=False, soft_wrap=True)
    console.print(f"picture: {out.resolve()}", highlight=False, soft_wrap=True)


def _masks(rng: Any, shape: tuple[int, int]) -> dict[str, Any]:
    import numpy as np

    lower = np.arange(shape[1]) >= HIDDEN_ROWS * SIDE
    return {
        "clean": np.ones(shape, dtype=bool),
        "random mask": rng.random(shape) >= HIDDEN_SHARE,
        "half mask": np.broadcast_to(lower, shape),
    }


def _runs(G: "Generator", z: Any, masks: dict[str, Any], jobs: int) -> list[Run]:
    import numpy as np
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from cvxinv.pursuits import latent_pursuit
    from cvxinv.solution import snr

    y, runs = G(z), []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=len(masks) * len(G.weights))
        for title, observed in masks.items():
            bar.update(task, description=f"{title}, layer by layer")
            start = time.perf_counter()
            # hidden pixels are nan, so that nothing can leak from them
            signals = np.where(observed, y, np.nan)
            found = latent_pursuit(
                G,
                signals,
                partial(solve, n_jobs=jobs, done=partial(bar.advance, task)),
                observed=observed,
            )
            seconds = time.perf_counter() - start
            pairs = zip(
                [z, *G.layers(z), y], [found.z, *G.layers(found.z), found.signal], strict=True
            )
            names = [*layer_names(G), "G(z)"]
            runs.append(
                Run(
                    title,
                    observed,
                    found,
                    dict(zip(names, (snr(*pair) for pair in pairs), strict=True)),
                    seconds,
                )
            )
    return runs


def _table(G: "Generator", runs: list[Run]) -> "Table":
    import numpy as np

    out = table(
        "Latent-Pursuit, SNR in dB over the signals",
        "setting",
        "layer",
        "min",
        "median",
        "worst KKT",
        "OPTIMAL",
    )
    for run in runs:
        solutions = dict(zip(layer_names(G), run.inversion.solutions, strict=True))
        for name, values in run.snr.items():
            solved = (
                (worst_kkt(solutions[name]), count(solutions[name].status, "OPTIMAL"))
                if name in solutions
                else ("", "")
            )
            out.add_row(
                run.title if name == "z" else "",
                name,
                f"{np.min(values):.1f}",
                f"{np.median(values):.1f}",
                *solved,
            )
        out.add_section()
    return out


def _explain(console: "Console", runs: list[Run]) -> None:
    for run in runs:
        lost = int((~(run.snr["z"] >= SOLVED)).sum())
        proof = sum(s.name == "OPTIMAL" for s in run.inversion.status)
        text = (
            f"{run.title}: z recovered for {len(run.snr['z']) - lost} of {len(run.snr['z'])}, all"
            f" layers OPTIMAL for {proof}"
        )
        console.print(f"{text}, {run.seconds:.1f} s", highlight=False)
    if any(
        ((r.snr["z"] < SOLVED) & [s.name == "OPTIMAL" for s in r.inversion.status]).any()
        for r in runs
    ):
        console.print(
            "OPTIMAL and yet lost: the layer problem is solved, but where its support leaves fewer"
            " equations than unknowns"
            " it can have more than one solution (`cvxinv check mnist` counts such signals).",
            highlight=False,
            style="yellow",
        )


def _draw(path: Path, y: Any, runs: list[Run]) -> None:
    from cvxinv.cli import pictures

    names = {
        "clean": "clean",
        "random mask": "45 % of the pixels hidden",
        "half mask": "upper 13 of 28 rows hidden",
    }
    pictures.panels(
        path,
        [
            pictures.Panel(names[r.title], y, r.observed, r.inversion.signal, r.snr["G(z)"])
            for r in runs
        ],
        (SIDE, SIDE),
    )


# -- the record of a run ---------------------------------------------------------------------------


def _report(
    G: "Generator", runs: list[Run], settings: dict[str, int], where: dict[str, Any]
) -> dict[str, Any]:
    return {
        **record.run(("cvxpy", "clarabel", "numpy")),
        "machine": where,
        "generator": repr(G),
        **settings,
        "seconds": round(sum(run.seconds for run in runs), 1),
        "settings": {run.title: _setting(G, run) for run in runs},
    }


def _setting(G: "Generator", run: Run) -> dict[str, Any]:
    layers: dict[str, Any] = {
        name: {"snr dB": _summary(values)} for name, values in run.snr.items()
    }
    for name, solution in zip(layer_names(G), run.inversion.solutions, strict=True):
        kkt = finite(solution.certificate.kkt)
        layers[name] |= {
            "worst kkt": float(kkt.max()) if kkt.size else None,
            "optimal": sum(s.name == "OPTIMAL" for s in solution.status),
            "seconds": round(solution.seconds, 2),
        }
    recovered = int((run.snr["z"] >= SOLVED).sum())
    return {
        "seconds": round(run.seconds, 1),
        f"z above {SOLVED:.0f} dB": recovered,
        "layers": layers,
    }


def _summary(values: Any) -> dict[str, Any]:
    import numpy as np

    def number(
        v: Any,
    ) -> float | None:  # JSON knows neither nan nor inf: an exact answer has no number
        return round(float(v), 2) if np.isfinite(v) else None

    return {
        "min": number(np.min(values)),
        "median": number(np.median(values)),
        "each": [number(v) for v in values],
    }
