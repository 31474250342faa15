"""The commands, gathered. They import what they need when they run: `--help` loads neither cvxpy
nor torch nor matplotlib.
"""

from typing import Annotated

import typer

from cvxinv.cli import bench, check, check_solver, convert, demo, invert, verify
from cvxinv.version import __version__

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo.demo,
    convert.convert,
    invert.invert,
    verify.verify,
    check.check,
    check_solver.check_solver,
    bench.bench,
):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cvxinv {__version__}")
        raise typer.Exit


@app.callback()
def _about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Invert ReLU generators layer by layer as convex problems, and prove each answer right."""
