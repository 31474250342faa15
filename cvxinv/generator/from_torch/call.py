"""A call of a torch function, as the rules see it, and why it may be none of eq. 2."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from cvxinv.generator.from_torch.affine import Affine, Expression, Output

RELU_ONLY = "eq. 2 has ReLU hidden layers, and another activation only at the output: use nn.ReLU"
REPEATS = "it repeats entries by broadcasting"


class Refusal(Exception):  # noqa: N818 (becomes an UnsupportedModuleError)
    """Why a call is none of eq. 2, and the submodule to blame where it is another one."""

    def __init__(self, why: str, place: str = "") -> None:
        super().__init__(why)
        self.place = place


@dataclass(frozen=True)
class Call:
    """A call of a torch function on tensors that depend on z, and one of its results."""

    function: Callable[..., Any]
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    shape: torch.Size  # of the first tensor that depends on z, (B, ..)
    result: torch.Tensor  # (B, ..)
    part: int  # which of the results, where there are several
    place: str  # the submodule in which it stands

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """An argument given by position or by name."""
        if position < len(self.args):
            return self.args[position]
        return self.kwargs.get(name, default)

    def constant(self, c: Any) -> torch.Tensor:
        """c, broadcast against the result: one number per entry of a signal (m,)."""
        if isinstance(c, Expression):
            raise Refusal("only one of its arguments may depend on z")
        c = torch.as_tensor(c, dtype=torch.float64, device=self.result.device)
        rows = torch.broadcast_to(c.detach(), self.result.shape).flatten(1)
        if not bool((rows == rows[0]).all()):
            raise Refusal("it takes a tensor that differs from signal to signal (random numbers?)")
        return rows[0]

    def affine(self, e: Any) -> Affine:
        """e, of which phi has not been taken."""
        if isinstance(e, Output):
            hidden = f"a hidden {type(e.phi).__name__}, which {self.place} follows"
            raise Refusal(f"{hidden}: {RELU_ONLY}", e.place)
        if not isinstance(e, Affine):
            raise Refusal("expected its first argument to depend on z")
        return e

    def scaled(self, e: Any, s: Any) -> Expression:
        """s * e."""
        return self.unrepeated(e).scaled(self.constant(s))

    def unrepeated(self, e: Any) -> Expression:
        """e, of which the result holds each entry once."""
        if not isinstance(e, Expression) or e.size.shape[1] != self.result[0].numel():
            raise Refusal(REPEATS)
        return e
