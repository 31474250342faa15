"""`python -m validation`: lists, runs and reports all experiments."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from . import runner
from .record import COMMITTED
from .report import page, readme
from .report.results import ResultError
from .sections import SECTIONS
from .sections.section import Scale, Section

app = typer.Typer(add_completion=False, no_args_is_help=False, help=__doc__)
Out = Annotated[Path | None, typer.Option(help="The folder of the results.")]


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Lists, runs and reports all experiments."""
    if context.invoked_subcommand is None:
        listing()


@app.command("list")
def listing() -> None:
    """All experiments: how much they claim, and what is there."""
    table = Table("name", "what", "claims", "figures", "small", "full: results")
    for section in SECTIONS:
        small = "yes" if section.commands[Scale.small] else "-"
        there = [n for n in section.results if (COMMITTED / f"{n}.json").exists()]
        counts = str(len(section.claims)), str(len(section.figures))
        table.add_row(section.name, section.title, *counts, small, ", ".join(there) or "-")
    Console().print(table)


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Experiments; all by default.")] = None,
    scale: Annotated[Scale, typer.Option(help="How much is measured.")] = Scale.small,
    out: Out = None,
    again: Annotated[bool, typer.Option(help="Also what is there already.")] = False,
) -> None:
    """Measure; what is there already is kept, so that a stopped run goes on where it was."""
    failed = runner.run(chosen(names), scale, (out or runner.folder(scale)).resolve(), again)
    if failed:
        raise typer.Exit(1)


@app.command()
def report(
    scale: Annotated[Scale, typer.Option(help="Of which the results are.")] = Scale.full,
    out: Out = None,
    to: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("report.html"),
) -> None:
    """Write one HTML page of all figures, claims and verdicts."""
    try:
        text = page.page(SECTIONS, out or runner.folder(scale), scale)
    except ResultError as e:
        Console(stderr=True).print(f"[red]{e}[/]", soft_wrap=True)
        raise typer.Exit(1) from None
    to.write_text(text, encoding="utf-8")
    Console().print(f"{to}, {len(text) / 1e6:.1f} MB", soft_wrap=True)


@app.command()
def tables() -> None:
    """Write validation/README.md and validation/results/README.md anew from the result files."""
    for path in readme.write(SECTIONS, COMMITTED):
        Console().print(str(path), soft_wrap=True)


def chosen(names: list[str] | None) -> list[Section]:
    """The sections of these names."""
    known = {section.name: section for section in SECTIONS}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(SECTIONS)


if __name__ == "__main__":
    app()
