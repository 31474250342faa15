"""`cvxinv check`: sizes, conditioning and realised supports of a generator, and what they say about
the uniqueness of z.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvxinv.cli.common import (
    check_picture,
    layer_names,
    read_generator,
    show,
    solve,
    spread,
    table,
)

if TYPE_CHECKING:
    from rich.table import Table

    from cvxinv.generator import Generator


def check(
    generator: Annotated[
        str,
        typer.Argument(help="A generator file (safetensors), or gan or vae.", show_default=False),
    ],
    signals: Annotated[
        Path | None,
        typer.Argument(help="Signals as for invert, whose supports to find.", show_default=False),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Observed pixels of the signals (boolean .npy, .npz).")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Latent samples, without signals.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the samples.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes for the pursuit; -1: all cores.")] = 1,
    budget: Annotated[
        float, typer.Option(min=0, help="Seconds for sparks that ranks and coherence leave open.")
    ] = 10.0,
    plot: Annotated[
        Path | None,
        typer.Option(
            help="A picture of the cardinalities against the conditions.", show_default=False
        ),
    ] = None,
) -> None:
    """Print sizes, conditioning of the weights, supports with the conditioning they leave, and the
    conditions of Theorems 1 and 2.
    """
    import numpy as np
    from rich.console import Console

    from cvxinv.cli import check_report
    from cvxinv.guarantees import uniqueness

    if plot is not None:
        check_picture(plot)
    G = read_generator(generator)
    console = Console()
    n = G.sizes
    console.print(
        f"sizes {'-'.join(map(str, n))}, activation {G.activation}, biases:"
        f" {'no' if G.biases is None else 'yes'}",
        highlight=False,
    )

    weights = table("Weights", "", "shape", "spectral norm", "rank", "condition", "column norms")
    for i, W in enumerate(G.weights):
        W = np.asarray(W, dtype=float)
        values = np.linalg.svd(W, compute_uv=False)
        rank = int(np.linalg.matrix_rank(W))
        weights.add_row(
            f"W_{i}",
            f"{W.shape[0]} x {W.shape[1]}",
            f"{values[0]:.4g}",
            str(rank),
            f"{conditioning(W):.3g}",
            spread(np.linalg.norm(W, axis=0)),
        )
    show(console, weights)

    observed = None
    if signals is None:
        supports = G.supports(np.random.default_rng(seed).standard_normal((samples, n[0])))
        source = f"{samples} latent samples, seed {seed}"
    else:
        from cvxinv.cli.signals import read_signals
        from cvxinv.pursuits import latent_pursuit
        from cvxinv.solution import Status

        given = read_signals(signals, mask, G)
        y, observed = given.y, given.observed
        if given.note is not None:
            console.print(given.note, highlight=False)
        inversion = latent_pursuit(
            G, y, partial(solve, n_jobs=jobs), observed=observed, debias=False
        )
        solved = np.array(
            [s in (Status.OPTIMAL, Status.STATIONARY) for s in inversion.status], dtype=bool
        )
        supports = [S[solved] for S in inversion.supports]
        observed = observed[solved] if np.ndim(observed) == 2 else observed
        source = f"{solved.sum()} signals, as the pursuit finds them"
        if not solved.all():
            text = (
                f"{len(y) - solved.sum()} of {len(y)} signals were not solved and are left out:"
                " `cvxinv invert` says why"
            )
            console.print(text, highlight=False, style="yellow")
    masks = _masks(G, supports, observed)
    show(console, _supports(G, masks, source))
    sizes = [S.sum(axis=1) for S in masks]
    unique = np.all(
        [rows >= unknowns for rows, unknowns in zip(sizes[1:], n, strict=False)], axis=0
    )
    console.print(
        f"as many equations as unknowns in every layer problem, without a prior: {unique.sum()} of"
        f" {len(unique)}",
        highlight=False,
    )
    found = [uniqueness(G, masks[1:-1], theorem, observed, budget=budget) for theorem in (1, 2)]
    check_report.show(console, found)
    if plot is not None:
        check_report.plot(plot, G, found)
        console.print(f"picture: {plot.resolve()}", highlight=False, soft_wrap=True)


def conditioning(W: Any) -> float:
    """Largest over smallest singular value; inf where the columns are dependent, as they are in a
    wide matrix.
    """
    import numpy as np

    if not W.shape[1]:
        return 1.0  # nothing to determine
    if W.shape[0] < W.shape[1]:
        return float("inf")
    values = np.linalg.svd(W, compute_uv=False)
    return float(values[0] / values[-1]) if values[-1] > 0 else float("inf")


def _masks(G: "Generator", supports: list[Any], observed: Any) -> list[Any]:
    """What is unknown and known, from z (everything) over S_1 .. S_L to the pixels that are seen;
    (B, n_i) each.
    """
    import numpy as np

    B = len(supports[0])
    seen = np.broadcast_to(True if observed is None else observed, (B, G.sizes[-1]))
    return [np.ones((B, G.sizes[0]), dtype=bool), *supports, seen]


def _supports(G: "Generator", masks: list[Any], source: str) -> "Table":
    import numpy as np

    out = table(
        f"Supports of {source}", "", "n_i", "support sizes", "matrix", "condition", "dependent"
    )
    for i, name in enumerate(layer_names(G)):
        W = np.asarray(G.weights[i], dtype=float)
        conditions = np.array(
            [
                conditioning(W[rows][:, columns])
                for columns, rows in zip(masks[i], masks[i + 1], strict=True)
            ]
        )
        finite = conditions[np.isfinite(conditions)]
        rows, columns = "seen" if i == G.depth else f"S_{i + 1}", f"S_{i}" if i else ":"
        out.add_row(
            name,
            str(G.sizes[i]),
            spread(masks[i].sum(axis=1), ".0f") if i else "all",
            rf"W_{i}\[{rows}, {columns}]",
            spread(finite),
            f"{len(conditions) - len(finite)}/{len(conditions)}",
        )
    return out
