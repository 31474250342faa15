"""What `cvxinv invert` prints and draws."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cvxinv.cli.common import count, finite, layer_names, spread, table, worst_kkt

if TYPE_CHECKING:
    from rich.table import Table

    from cvxinv.generator import Generator
    from cvxinv.solution import Inversion

FEW = 8  # signals up to which each has a row of its own
DRAWN = 12  # signals in the picture
QUANTILES = {"10 %": 0.1, "median": 0.5, "90 %": 0.9, "largest": 1.0}


def statuses(title: str, status: Any) -> "Table":
    """How many signals have which status, with what to know or do about it."""
    out = table(title, "status", "signals")
    out.add_column("what it means", overflow="fold")
    for one in sorted(set(status), key=lambda s: str(s.name)):
        out.add_row(one.name, str(sum(s is one for s in status)), one.value)
    return out


def layers(G: "Generator", inversion: "Inversion") -> "Table":
    """The layer problems of a pursuit."""
    out = table("layer problems", "layer", "OPTIMAL", "worst KKT", "support sizes")
    for i, (name, solution) in enumerate(zip(layer_names(G), inversion.solutions, strict=True)):
        sizes = spread(inversion.supports[i - 1].sum(axis=1), ".0f") if i else "-"
        out.add_row(name, count(solution.status, "OPTIMAL"), worst_kkt(solution), sizes)
    return out


def figures(inversion: "Inversion") -> "Table":
    """Residual, noise, error bar, condition and agreement of a fit: of each signal where there are
    few, else their quantiles.
    """
    assert inversion.standard_error is not None
    error = np.sqrt(np.mean(np.square(inversion.standard_error), axis=1))
    columns: dict[str, Any] = {
        "||y - G(z)||": inversion.residual,
        "noise": inversion.noise,
        "error bar of z": error,
        "condition": inversion.condition,
        "agreement": inversion.agreement,
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


def misfit(residual: Any) -> str:
    """Median and largest residual."""
    measured = finite(residual)
    middle = (
        f"median {np.median(measured):.2e}, largest {measured.max():.2e}" if measured.size else "-"
    )
    return f"||y - G(z)|| over observed pixels: {middle}"


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


def picture(
    path: Path,
    G: "Generator",
    y: Any,
    observed: Any,
    inversion: "Inversion",
    shape: tuple[int, int],
) -> None:
    """Draw the first signals of a file."""
    from cvxinv.cli import pictures

    some = slice(DRAWN)
    seen = np.broadcast_to(True if observed is None else observed, y.shape)[some] & np.isfinite(
        y[some]
    )
    error = None if inversion.standard_error is None else inversion.standard_error[some]
    low, high = G.activation.range
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = np.nanmin(finite(y)), np.nanmax(finite(y))
    pictures.fit(
        path,
        pictures.Fit(y[some], seen, inversion.signal[some], inversion.z[some], error),
        shape,
        (low, high),
    )
