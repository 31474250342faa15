"""What the commands share: reading generators, signals and masks, and the look of the tables."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cvxinv import checks

if TYPE_CHECKING:
    from rich.table import Table

    from cvxinv.generator import Generator
    from cvxinv.problems import Problem
    from cvxinv.solution import Solution

# words for `mnist_generator`
SHIPPED: dict[str, Literal["gan", "vae"]] = {"mnist": "gan", "gan": "gan", "vae": "vae"}
SOLVERS = ("CLARABEL", "OSQP", "SCS")


def read_generator(name: str) -> "Generator":
    """The generator in a file written by `Generator.save`, or a shipped one for the words `mnist`
    (or `gan`) and `vae`.
    """
    from cvxinv.generator import Generator, mnist_generator

    return mnist_generator(SHIPPED[name]) if name in SHIPPED else Generator.load(name)


def read_array(path: Path, key: str) -> Any:
    """The array of an .npy file; of an .npz file the one called `key`, or the only one."""
    from cvxinv.errors import ProblemFileError
    from cvxinv.problems.npz import Arrays

    found = Arrays(path)
    if key not in found and len(found) != 1:
        raise ProblemFileError(
            f"{path}: expected an array called {key!r}, or only one; found"
            f" {', '.join(sorted(found)) or 'none'}"
        )
    return found[key if key in found else next(iter(found))]


def read_signals(path: Path, G: "Generator") -> Any:
    """Signals y (B, n) of G; a single one gets a leading axis."""
    y = checks.signals(str(path), read_array(path, "y"), G.sizes[-1])
    return y if y.ndim == 2 else y[None, :]


def read_mask(path: Path | None, y: Any) -> Any:
    """The observed pixels, True where seen, (n,) or (B, n); None without a file."""
    if path is None:
        return None
    return checks.mask(str(path), read_array(path, "mask"), y, y.shape[1])


def check_folder(path: Path) -> None:
    """Complain before long work, not after it, if a file cannot be written there."""
    if not path.resolve().parent.is_dir():
        raise FileNotFoundError(2, "the folder does not exist", str(path.parent))


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
