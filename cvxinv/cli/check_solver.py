"""`cvxinv check-solver`: a solver held against the certificate, and a table of what passed."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvxinv.cli.common import show, table

if TYPE_CHECKING:
    from cvxinv.testing.sweep import Row


class Library(StrEnum):
    """Kind of the arrays."""

    numpy = "numpy"
    torch = "torch"


def check_solver(
    solver: Annotated[
        str,
        typer.Argument(
            help="MODULE:FUNCTION, or FILE.py:FUNCTION; it takes a problem and returns x, (x, dual)"
            " or a cvxinv.Solution.",
            show_default=False,
        ),
    ],
    problems: Annotated[
        list[str] | None,
        typer.Option(help="A kind of problems, for example lasso; repeatable. All by default."),
    ] = None,
    tol: Annotated[float, typer.Option(help="Of KKT residual, violation and gap.")] = 1e-6,
    max_examples: Annotated[int, typer.Option(min=1, help="Of a kind, over all levels.")] = 200,
    arrays: Annotated[
        bool, typer.Option("--arrays", help="It takes plain arrays of one signal: solve(A, b, ..).")
    ] = False,
    batch: Annotated[
        int, typer.Option(min=0, help="Signals of a problem at most; 0: one, without a B axis.")
    ] = 3,
    library: Annotated[Library, typer.Option(help="Kind of the arrays.")] = Library.numpy,
    skip: Annotated[
        list[str] | None, typer.Option(help="A level to leave out, as the table names it.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the instances.")] = 0,
    save: Annotated[
        Path | None,
        typer.Option(
            help="A folder for the instances that fail: KIND/problem.npz, KIND/solution.npz.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Hold a solver against the certificate, level by level; exit code 0 if all pass, else 1."""
    from rich.console import Console

    from cvxinv import checks
    from cvxinv.testing.names import ensure_hypothesis

    ensure_hypothesis("check-solver")
    from cvxinv.testing.conformance import message
    from cvxinv.testing.sweep import sweep

    folder = None if save is None else checks.folder("--save", save)
    asked = sweep(
        found(solver),
        problems or None,
        tol=tol,
        max_examples=max_examples,
        batch=batch or None,
        arrays=arrays,
        library=library.value,
        skip=skip or (),
        seed=seed,
    )
    console = Console()
    rows: list[Row] = []
    with console.status("") as status:
        for row in asked.rows():
            rows.append(row)
            status.update(f"{row.kind}: {row.level}")
    show(console, _table(solver, rows))
    failed = [row for row in rows if row.failure is not None]
    for row in failed:
        console.print(message(asked, row, folder), markup=False, highlight=False, soft_wrap=True)
        console.print()
    passed = sorted({row.kind for row in rows} - {row.kind for row in failed})
    console.print(f"passed: {', '.join(passed) or 'none'}", highlight=False)
    if failed:
        raise typer.Exit(1)


def _table(solver: str, rows: list["Row"]) -> Any:
    """A line for each kind: how far it came."""
    out = table(solver, "problems", "levels", "examples", "seconds", "verdict")
    for kind in dict.fromkeys(row.kind for row in rows):
        mine = [row for row in rows if row.kind == kind]
        last = mine[-1]
        good = sum(row.failure is None for row in mine)
        out.add_row(
            kind,
            str(good),
            str(sum(row.examples for row in mine)),
            f"{sum(row.seconds for row in mine):.1f}",
            "[green]passed[/]" if last.failure is None else f"[red]failed: {last.level}[/]",
        )
    return out


def found(name: str) -> Callable[..., Any]:
    """The function called MODULE:FUNCTION; MODULE may be a file.

    Raises
    ------
    ValueError
        Naming what is not there.
    """
    place, _, function = name.rpartition(":")
    if not place or not function:
        raise ValueError(f"SOLVER: expected MODULE:FUNCTION or FILE.py:FUNCTION, got {name!r}")
    try:
        module = _of_file(Path(place)) if place.endswith(".py") else _of_path(place)
    except (ImportError, FileNotFoundError) as error:
        raise ValueError(f"SOLVER: {place} cannot be imported: {error}") from error
    try:
        solve: Callable[..., Any] = getattr(module, function)
    except AttributeError:
        raise ValueError(f"SOLVER: {place} has no {function!r}") from None
    return solve


def _of_path(name: str) -> Any:
    """A module by its name; the current folder counts, as for `python -m`."""
    with _importable(""):
        return importlib.import_module(name)


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    """Modules of a folder can be imported, as `python` has it of a script's own."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _of_file(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    with _importable(str(path.resolve().parent)):
        spec.loader.exec_module(module)
    return module
