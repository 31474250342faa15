"""`cvxinv demo`: the shipped generators inverted from all pixels, from 55 % of them, and from the
lower half.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cvxinv import record
from cvxinv.cli.common import (
    check_picture,
    count,
    finite,
    grey_levels,
    layer_names,
    show,
    solve,
    table,
    worst_kkt,
)
from cvxinv.cli.output import check_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from cvxinv.generator import Generator
    from cvxinv.solution import Inversion

SIDE, HIDDEN_SHARE, HIDDEN_ROWS = 28, 0.45, 13  # the paper's masks (section 6)
NETWORKS: dict[Literal["gan", "vae"], str] = {"gan": "GAN generator", "vae": "VAE decoder"}
TITLES = {
    "clean": "clean",
    "random mask": "45 % of the pixels hidden",
    "half mask": "upper 13 of 28 rows hidden",
}
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


@dataclass(frozen=True, eq=False)
class Shown:
    """A generator of the demo, its signals (B, n), and a run per setting."""

    name: Literal["gan", "vae"]
    G: "Generator"
    y: Any
    runs: list[Run]


def demo(
    out: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("cvxinv-demo.png"),
    report: Annotated[
        Path | None,
        typer.Option("--json", help="Where the numbers go, if anywhere.", show_default=False),
    ] = None,
    signals: Annotated[int, typer.Option(min=1, help="How many signals of each generator.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Seed of latent vectors and masks.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes; -1: all cores.")] = -1,
) -> None:
    """Invert digits of the two shipped generators: clean, 45 % of the pixels hidden, upper 13 of 28
    rows hidden.
    """
    from rich.console import Console

    from cvxinv.generator import mnist_generator

    if jobs == 0:
        raise ValueError("--jobs: expected a number of processes, or -1 for all cores, got 0")
    check_picture(out)
    if report is not None:
        check_folder(report)
    where = record.machine()
    networks = {name: mnist_generator(name) for name in NETWORKS}
    shown = []
    with _progress(sum(len(TITLES) * len(G.weights) for G in networks.values())) as bar:
        for name, G in networks.items():
            shown.append(_invert(name, G, signals, seed, jobs, bar))
    console = Console()
    for of in shown:
        show(console, _table(of))
        _explain(console, of)
    _draw(out, shown)
    if report is not None:
        settings = {"signals": signals, "seed": seed, "jobs": jobs}
        record.write(report, _report(shown, settings, where))
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


def _progress(total: int) -> "Progress":
    """A bar of one task, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    console = Console(stderr=True)
    bar = Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    bar.add_task("", total=total)
    return bar


def _invert(
    name: Literal["gan", "vae"], G: "Generator", signals: int, seed: int, jobs: int, bar: "Progress"
) -> Shown:
    """The signals of one generator, inverted in every setting."""
    import numpy as np

    from cvxinv.pursuits import latent_pursuit
    from cvxinv.solution import snr

    rng = np.random.default_rng(seed)
    z = rng.standard_normal((signals, G.sizes[0]))
    y, runs, names = G(z), [], [*layer_names(G), "G(z)"]
    (task,) = bar.task_ids
    for title, observed in _masks(rng, y.shape).items():
        bar.update(task, description=f"{name}, {title}, layer by layer")
        start = time.perf_counter()
        found = latent_pursuit(
            G,
            np.where(observed, y, np.nan),  # so that nothing can leak from what is hidden
            partial(solve, n_jobs=jobs, done=partial(bar.advance, task)),
            observed=observed,
        )
        seconds = time.perf_counter() - start
        true, ours = [z, *G.layers(z), y], [found.z, *G.layers(found.z), found.signal]
        values = dict(zip(names, map(snr, true, ours), strict=True))
        runs.append(Run(title, observed, found, values, seconds))
    return Shown(name, G, y, runs)


def _table(of: Shown) -> "Table":
    import numpy as np

    out = table(
        f"Latent-Pursuit, {NETWORKS[of.name]} {'-'.join(map(str, of.G.sizes))}: SNR in dB",
        "setting",
        "layer",
        "min",
        "median",
        "worst KKT",
        "OPTIMAL",
    )
    for run in of.runs:
        solutions = dict(zip(layer_names(of.G), run.inversion.solutions, strict=True))
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


def _explain(console: "Console", of: Shown) -> None:
    for run in of.runs:
        lost = int((~(run.snr["z"] >= SOLVED)).sum())
        proof = sum(s.name == "OPTIMAL" for s in run.inversion.status)
        text = (
            f"{run.title}: z recovered for {len(run.snr['z']) - lost} of {len(run.snr['z'])}, all"
            f" layers OPTIMAL for {proof}"
        )
        console.print(f"{text}, {run.seconds:.1f} s", highlight=False)
    if any(
        ((r.snr["z"] < SOLVED) & [s.name == "OPTIMAL" for s in r.inversion.status]).any()
        for r in of.runs
    ):
        console.print(
            "OPTIMAL and yet lost: the layer problem is solved, but where its support leaves fewer"
            " equations than unknowns"
            f" it can have more than one solution (`cvxinv check {of.name}` counts such signals).",
            highlight=False,
            style="yellow",
        )


def _draw(path: Path, shown: list[Shown]) -> None:
    """A row per setting, a generator beside the other."""
    from cvxinv.cli import pictures

    def panel(of: Shown, run: Run) -> pictures.Panel:
        title = f"{NETWORKS[of.name]}: {TITLES[run.title]}"
        images = of.y, run.observed, run.inversion.signal
        return pictures.Panel(title, *images, run.snr["G(z)"], grey_levels(of.G))

    settings = zip(*(of.runs for of in shown), strict=True)
    rows = [[panel(of, run) for of, run in zip(shown, s, strict=True)] for s in settings]
    pictures.panels(path, rows, (SIDE, SIDE))


# -- the record of a run ---------------------------------------------------------------------------


def _report(shown: list[Shown], settings: dict[str, int], where: dict[str, Any]) -> dict[str, Any]:
    return {
        **record.run(("cvxpy", "clarabel", "numpy")),
        "machine": where,
        **settings,
        "seconds": round(sum(run.seconds for of in shown for run in of.runs), 1),
        "generators": {
            of.name: {
                "generator": repr(of.G),
                "settings": {run.title: _setting(of.G, run) for run in of.runs},
            }
            for of in shown
        },
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
