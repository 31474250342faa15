"""What `cvxinv invert` computes: a method of the library, on one part of the signals after the
other.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cvxinv.cli.common import Dtype

if TYPE_CHECKING:
    from cvxinv.cli.result import Rows
    from cvxinv.cli.signals import Signals
    from cvxinv.generator import Generator
    from cvxinv.solution import Inversion


class Method(StrEnum):
    """`cvxinv.invert`, and the pursuits by the names of the paper."""

    invert = "invert"
    latent = "latent-pursuit"
    basis = "layered-basis-pursuit"
    linear = "linear-programming"


@dataclass(frozen=True, eq=False)
class Run:
    """A method on signals, with what it is told and where it computes."""

    method: Method
    G: "Generator"
    given: "Signals"
    arguments: dict[str, Any]
    device: str
    dtype: Dtype | None
    threads: int | None

    def in_parts(self) -> tuple[list["Rows"], BaseException | None]:
        """The parts that were finished, and what ended the work before its time, if anything."""
        from cvxinv.cli.parts import parts
        from cvxinv.cli.result import rows_of
        from cvxinv.progress import meter

        found: list[Rows] = []
        count = len(self.given.y)
        try:
            with meter(True, count, "signals") as progress:
                compute = self._prepared()
                for b in parts(count):
                    found.append(rows_of(compute(b)))
                    progress.reach(b.stop)
        except BaseException as error:
            return found, error
        return found, None

    def _prepared(self) -> Callable[[slice], "Inversion"]:
        """What inverts a part of the signals."""
        from cvxinv.generator.arguments import seen_of

        G, y, seen = self.G, self.given.y, self.given.observed
        pursuit = _method(self.method)
        if self.dtype is not None:
            y = y.astype(self.dtype.value)
        if self.threads is not None:
            importlib.import_module("torch").set_num_threads(self.threads)
        if self.device != "cpu":
            G = G.to(self.device)

        def there(a: Any) -> Any:
            if self.device == "cpu":
                return a
            return importlib.import_module("torch").as_tensor(a, device=self.device)

        def compute(b: slice) -> "Inversion":
            rows = seen_of(seen, b)
            observed = None if rows is None else there(rows)
            return pursuit(G, there(y[b]), observed=observed, **self.arguments)

        return compute


def _method(method: Method) -> Callable[..., "Inversion"]:
    from cvxinv.inversion import invert
    from cvxinv.pursuits import latent_pursuit, layered_basis_pursuit, linear_programming

    methods: dict[Method, Callable[..., Inversion]] = {
        Method.invert: invert,
        Method.latent: latent_pursuit,
        Method.basis: layered_basis_pursuit,
        Method.linear: linear_programming,
    }
    return methods[method]
