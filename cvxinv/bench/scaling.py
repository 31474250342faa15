"""How the cost of `fast` grows with the batch and with the width of the layers, and what a single
signal costs.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cvxinv.bench.instances import Case
from cvxinv.bench.measure import Row, fast, measure
from cvxinv.bench.race import race
from cvxinv.generator import Generator

BATCHES = (1, 8, 64, 512, 2048, 8192)
WIDTHS = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Widened:
    """`fast` on the generator whose hidden layers are `width` times as wide: a row per problem."""

    width: float
    sizes: tuple[int, ...]
    rows: list[Row]


@dataclass(frozen=True)
class Scaling:
    """`fast` by batch (a row per problem and batch) and by width, and the race of all solvers on
    one signal, problem by problem.
    """

    batches: list[Row]
    widths: list[Widened]
    single: list[list[Row]]


def scale(
    make: Callable[[Generator, int], list[Case]],
    G: Generator,
    widen: Callable[[float], Generator] | None,
    *,
    batch: int,
    largest: int,
    tol: float,
    repeats: int,
    say: Callable[[str], None],
) -> Scaling:
    """Measure all of it.

    Parameters
    ----------
    make : callable
        `make(G, batch)` gives the cases.
    widen : callable or None
        The generator with its hidden layers so many times as wide; None where there is only one.
    batch, largest : int
        The batch at which widths are compared, and the largest of `BATCHES` to try.
    """

    def row(case: Case, where: str) -> Row:
        say(f"{case.name}: {where}")
        entrant = fast(case, tol)
        entrant.run()
        return measure([entrant], case.batch, tol, repeats)[0]

    cases = make(G, largest)
    batches = [row(case.head(k), f"{k} signals") for case in cases for k in BATCHES if k <= largest]
    widths = []
    for width in WIDTHS if widen is not None else ():
        assert widen is not None
        wider = widen(width)
        widths.append(
            Widened(
                width,
                wider.sizes,
                [row(case, f"hidden layers x {width:g}") for case in make(wider, batch)],
            )
        )
    return Scaling(batches, widths, [race(case.head(1), tol, repeats, 1, say) for case in cases])
