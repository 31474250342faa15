"""What `cvxinv invert` prints and draws."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cvxinv.cli.common import finite, layer_names, spread, table
from cvxinv.cli.result import Rows
from cvxinv.generator.arguments import observed_norm
from cvxinv.solution import Status

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cvxinv.cli.signals import Signals
    from cvxinv.generator import Generator

FEW = 8  # signals up to which each has a row of its own
IN_RANGE = 1e-6  # relative residual up to which a signal counts as reproduced
DRAWN = 12  # signals in the picture
QUANTILES = {"10 %": 0.1, "median": 0.5, "90 %": 0.9, "largest": 1.0}


def statuses(title: str, names: Any) -> "Table":
    """How many signals have which status, with what to know or do about it."""
    out = table(title, "status", "signals")
    out.add_column("what it means", overflow="fold")
    for name in sorted(set(names.tolist())):
        out.add_row(name, str((names == name).sum()), Status[name].value)
    return out


def layers(G: "Generator", found: Rows) -> "Table":
    """The layer problems of a pursuit."""
    out = table("layer problems", "layer", "OPTIMAL", "worst KKT", "support sizes")
    for i, name in enumerate(layer_names(G)):
        optimal, kkt = found["layer_status"][:, i] == "OPTIMAL", finite(found["kkt"][:, i])
        worst = f"{kkt.max():.1e}" if kkt.size else "-"
        sizes = spread(found[f"support_{i}"].sum(axis=1), ".0f") if i else "-"
        out.add_row(name, f"{optimal.sum()}/{len(optimal)}", worst, sizes)
    return out


def figures(found: Rows) -> "Table":
    """Residual, noise, error bar, condition and agreement of a fit: of each signal where there are
    few, else their quantiles.
    """
    error = np.sqrt(np.mean(np.square(found["standard_error"]), axis=1))
    columns: dict[str, Any] = {
        "||y - G(z)||": found["residual"],
        "noise": found["noise"],
        "error bar of z": error,
        "condition": found["condition"],
        "agreement": found["agreement"],
    }
    B = len(error)
    out = table(
        "the fit (error bar: root mean square standard error of the entries of z)",
        "signal" if B <= FEW else "",
        *columns,
    )
    rows = {str(i): [values[i] for values in columns.values()] for i in range(B)}
    if B > FEW:
        known = [values[~np.isnan(values)] for values in columns.values()]
        rows = {
            name: [np.quantile(v, q, method="lower") if v.size else np.nan for v in known]
            for name, q in QUANTILES.items()
        }
    for name, row in rows.items():
        out.add_row(name, *("-" if np.isnan(value) else f"{value:.3g}" for value in row))
    return out


def misfit(console: "Console", given: "Signals", found: Rows, layers: bool) -> None:
    """Print median and largest residual, and how many signals are not reproduced; `layers` says
    that OPTIMAL is said of layers, not of the whole.
    """
    measured = finite(found["residual"])
    middle = (
        f"median {np.median(measured):.2e}, largest {measured.max():.2e}" if measured.size else "-"
    )
    console.print(f"||y - G(z)|| over observed pixels: {middle}", highlight=False)

    B = len(found["z"])
    y, seen = given.y[:B], given.observed
    seen = seen[:B] if np.ndim(seen) == 2 else seen
    size_of_y = observed_norm(np.where(np.isfinite(y), y, 0.0), seen)
    missed = int((found["residual"] > IN_RANGE * np.maximum(size_of_y, 1e-300)).sum())
    if missed:
        text = (
            f"{missed} of {B} are not reproduced to {IN_RANGE:g}: noisy, or not in the range of G"
        )
        text += " (OPTIMAL speaks of layers)" if layers else ""
        console.print(text, highlight=False, style="yellow")


def notes(console: "Console", found: Rows) -> None:
    """Print what is to be said of signals beside their statuses: of the first few, the file has
    all.
    """
    said = np.flatnonzero(found["notes"] != "")
    for b in said[:FEW]:
        text = f"signal {b}: {found['notes'][b]}"
        console.print(text, highlight=False, style="yellow", markup=False)
    if len(said) > FEW:
        text = f"and so on: notes on {len(said)} of {len(found['notes'])} signals are in the file"
        console.print(text, highlight=False, style="yellow")


def image_shape(text: str | None, n: int) -> tuple[int, int]:
    """(height, width) from `HxW`; by default a square."""
    if text is None:
        side = math.isqrt(n)
        if side * side != n:
            raise ValueError(
                f"--shape: expected HxW, the picture needs it as {n} pixels are no square"
            )
        return side, side
    parts = text.lower().split("x")
    if (
        len(parts) != 2
        or not all(p.isascii() and p.isdigit() for p in parts)
        or int(parts[0]) * int(parts[1]) != n
    ):
        raise ValueError(f"--shape: expected HxW with H times W = {n}, got {text!r}")
    return int(parts[0]), int(parts[1])


def picture(path: Path, G: "Generator", y: Any, seen: Any, found: Rows, shape: Any) -> None:
    """Draw the first signals of a file; `seen` and `shape` are the observed pixels and (height,
    width).
    """
    from cvxinv.cli import pictures

    some = slice(DRAWN)
    y = y[: len(found["z"])]
    seen = np.broadcast_to(True if seen is None else seen, y.shape)[some] & np.isfinite(y[some])
    error = found["standard_error"][some] if "standard_error" in found else None
    low, high = G.activation.range
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = np.nanmin(finite(y)), np.nanmax(finite(y))
    drawn = pictures.Fit(y[some], seen, found["signal"][some], found["z"][some], error)
    pictures.fit(path, drawn, shape, (low, high))
