"""What the commands share: reading generators, signals and masks, and the look of the tables."""

import importlib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cvxinv.cli.output import check_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cvxinv.generator import Generator
    from cvxinv.problems import Problem
    from cvxinv.solution import Solution

# words for `mnist_generator`
SHIPPED: dict[str, Literal["gan", "vae"]] = {"mnist": "gan", "gan": "gan", "vae": "vae"}
LEGIBLE = 16  # characters of a column that may wrap


class Dtype(StrEnum):
    """Precision of the data."""

    float32 = "float32"
    float64 = "float64"


def read_generator(name: str) -> "Generator":
    """The generator in a file written by `Generator.save`, or a shipped one for the words `mnist`
    (or `gan`) and `vae`.
    """
    from cvxinv.generator import Generator, mnist_generator

    return mnist_generator(SHIPPED[name]) if name in SHIPPED else Generator.load(name)


def grey_levels(G: "Generator") -> tuple[float, float]:
    """What pixels are black and white: as the training of such networks has them, [0, 1] where the
    output is a sigmoid, else [-1, 1].
    """
    return (0.0, 1.0) if G.activation.name == "sigmoid" else (-1.0, 1.0)


def read_array(path: Path, key: str, beside: tuple[str, ...] = ()) -> Any:
    """The array of an .npy file; of an .npz file the one called `key`, or the only one but for
    those that may stand `beside` it.
    """
    from cvxinv.errors import ProblemFileError
    from cvxinv.problems.npz import Arrays

    found = Arrays(path)
    candidates = [name for name in found if name not in beside] if len(found) > 1 else [*found]
    if key not in found and len(candidates) != 1:
        raise ProblemFileError(
            f"{path}: expected an array called {key!r}, or only one; found"
            f" {', '.join(sorted(found)) or 'none'}"
        )
    return found[key if key in found else candidates[0]]


def check_picture(path: Path) -> None:
    """The same for a picture, whose name also says its format."""
    from matplotlib.backend_bases import FigureCanvasBase

    check_folder(path)
    known = FigureCanvasBase.filetypes
    if path.suffix[1:].lower() not in known:
        raise ValueError(
            f"{path}: expected a picture that ends in one of"
            f" {', '.join('.' + k for k in sorted(known))}"
        )


def check_device(device: str) -> None:
    """Complain about a device that is not there; torch is loaded only to look for a GPU."""
    if device not in ("cpu", "cuda"):
        raise ValueError(f"--device: expected cpu or cuda, got {device!r}")
    if device == "cuda" and not importlib.import_module("torch").cuda.is_available():
        raise ValueError("--device: this machine has no CUDA device")


def solve(
    problem: "Problem",
    *,
    solver: str | None = None,
    n_jobs: int = 1,
    done: Callable[[], None] | None = None,
) -> "Solution":
    """The reference; `solver` counts where it applies (a smooth non-convex last layer has its own),
    `done()` follows each solve.
    """
    from cvxinv import reference

    found = reference.solve(
        problem,
        solver if problem.convex else None,
        n_jobs=n_jobs,
        progress=None if done is None else False,
    )
    if done is not None:
        done()
    return found


def layer_names(G: "Generator") -> list[str]:
    """`["z", "x_1", .., "x_L"]`."""
    return ["z", *(f"x_{i}" for i in range(1, G.depth + 1))]


def table(title: str, *columns: str) -> "Table":
    """An empty table: the first column names, the others are numbers."""
    from rich import box
    from rich.table import Table

    out = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        out.add_column(column, justify="right" if i else "left", no_wrap=True)
    return out


def show(console: "Console", out: "Table") -> None:
    """Print a table; where the console is too narrow for its columns, a line for every cell, so
    that none is lost.
    """
    if _width(out) <= console.width:
        console.print(out)
        return
    cells = [[*column.cells] for column in out.columns]
    console.print(out.title or "", style="bold", highlight=False)
    for row in zip(*cells, strict=True):
        console.print()
        for column, cell in zip(out.columns, row, strict=True):
            name = f"{column.header}: " if column.header else ""
            if cell:
                console.print(f"{name}{cell}", highlight=False)


def _width(out: "Table") -> int:
    """Columns of the console that a table needs."""
    from rich.text import Text

    def needed(text: str, no_wrap: bool) -> int:
        plain = Text.from_markup(text)
        return plain.cell_len if no_wrap else min(plain.cell_len, LEGIBLE)

    columns = [
        max(needed(str(text), column.no_wrap) for text in (column.header, *column.cells))
        for column in out.columns
    ]
    padding, edges = 2 * len(columns), len(columns) + 1
    return sum(columns) + padding + edges


def finite(values: Any) -> Any:
    """The finite entries, flat."""
    values = np.asarray(values, dtype=float).ravel()
    return values[np.isfinite(values)]


def spread(values: Any, form: str = ".3g") -> str:
    """`least .. largest` of the entries that are not nan."""
    values = np.asarray(values, dtype=float).ravel()
    values = values[~np.isnan(values)]
    if not values.size:
        return "-"
    low, high = format(values.min(), form), format(values.max(), form)
    return low if low == high else f"{low} .. {high}"


def worst_kkt(solution: "Solution") -> str:
    """The largest KKT residual over the signals that were solved."""
    kkt = finite(solution.certificate.kkt)
    return f"{kkt.max():.1e}" if kkt.size else "-"


def count(statuses: Any, name: str) -> str:
    """`k/B`: how many statuses are called `name`."""
    return f"{sum(s.name == name for s in statuses)}/{len(statuses)}"
