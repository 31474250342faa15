"""`cvxinv verify`: the certificate of a candidate solution from files."""

from pathlib import Path
from typing import Annotated

import typer

from cvxinv.cli.common import read_array, show, table

SHOWN = 20  # rows printed; the verdict counts all


def verify(
    problem: Annotated[
        Path,
        typer.Argument(
            help="A statement, as cvxinv.problem_file.save writes it (.npz).", show_default=False
        ),
    ],
    solution: Annotated[
        Path,
        typer.Argument(
            help="Candidate points: .npy, or .npz with x and perhaps dual.", show_default=False
        ),
    ],
    tol: Annotated[
        float, typer.Option(help="Largest residual, violation and gap of an optimal point.")
    ] = 1e-6,
) -> None:
    """Print the certificate of a candidate; exit code 0 only if every signal is proven optimal,
    else 1.
    """
    import numpy as np
    from rich.console import Console

    from cvxinv.certificate import verify as certify
    from cvxinv.problems import file as problem_file
    from cvxinv.problems.npz import Arrays

    if not 0 < tol < np.inf:
        raise ValueError(f"--tol: expected a positive number, got {tol}")
    statement = problem_file.load(problem)
    found = Arrays(solution)
    c = certify(statement, read_array(solution, "x"), found.get("dual"))
    optimal, stationary = np.atleast_1d(c.optimal(tol)), np.atleast_1d(c.stationary(tol))
    columns = [np.atleast_1d(a) for a in (c.objective, c.lower_bound, c.gap, c.kkt, c.violation)]

    out = table(
        repr(statement), "signal", "objective", "bound", "gap", "KKT", "violated", "verdict"
    )
    for b in range(min(len(optimal), SHOWN)):
        verdict = (
            "[green]optimal[/]"
            if optimal[b]
            else "[yellow]stationary[/]"
            if stationary[b]
            else "[red]not optimal[/]"
        )
        out.add_row(
            str(b),
            *("-" if np.isnan(a[b]) else f"{a[b]:.5g}" for a in columns[:2]),
            *(_residual(a[b]) for a in columns[2:]),
            verdict,
        )
    console = Console()
    show(console, out)
    console.print(f"{optimal.sum()} of {len(optimal)} optimal to {tol:g}", highlight=False)
    if not c.convex and stationary.any():
        console.print(
            f"{stationary.sum()} stationary, but not proven optimal: the statement is not convex",
            highlight=False,
        )
    elif (stationary & ~optimal).any():
        console.print(
            f"{(stationary & ~optimal).sum()} meet the KKT conditions to {tol:g}, but their gap is"
            " larger",
            highlight=False,
        )
    if not optimal.all():
        raise typer.Exit(1)


def _residual(value: float) -> str:
    return "-" if value != value else f"{value:.1e}"
