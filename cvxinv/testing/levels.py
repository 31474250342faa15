"""The levels of the sweep of `check_solver`, in rising difficulty: a name, and what is drawn."""

from dataclasses import dataclass, field

from cvxinv.testing.names import LEVELS
from cvxinv.testing.traits import Traits

HIDDEN = ("mid_layers", "latents", "qps")  # the kinds with inequalities
UNWEIGHTED = ("least_squares", "nnls")
MODERATE = 100.0  # condition of a matrix that any solver can bear
SMALL, LARGE = 1e-8, 1e8
WEAK = 2.0**-16  # of a weight: it decides among points that fit equally well


@dataclass(frozen=True)
class Level:
    """What is drawn at a level, and which kinds have it.

    `planted` statements are held against their known solutions besides; `companions` are also
    solved in another order, and alone. Of a level with more than one signal at `least` there are no
    more than are asked for, and none where that is one.
    """

    name: str
    traits: Traits = field(default_factory=Traits)
    kinds: tuple[str, ...] | None = None  # None: all
    not_kinds: tuple[str, ...] = ()
    planted: bool = False
    least: int = 1
    companions: bool = False

    def applies(self, kind: str) -> bool:
        """Whether a kind has this level."""
        return (self.kinds is None or kind in self.kinds) and kind not in self.not_kinds


_WEAK = Traits(rows=(1, 4), columns=(3, 8), weight=WEAK, dtype="float64")  # float32 cannot decide
SWEEP = (
    Level("one column", Traits(rows=(1, 2), columns=1)),
    Level("tiny", Traits(rows=(1, 2), columns=(1, 2))),
    Level("small"),
    Level("tall", Traits(rows=(6, 12), columns=(1, 4))),
    Level("wide", Traits(rows=(1, 4), columns=(5, 10))),
    Level("zero or duplicate columns", Traits(degenerate=True)),
    Level("opposite columns", Traits(columns=(2, 6), opposite=True, weight=1 / 16)),
    Level("zero signals", Traits(zero=True)),
    Level("weight at its largest", Traits(weight=1.0), not_kinds=UNWEIGHTED),
    Level("weak weight", _WEAK, not_kinds=UNWEIGHTED),
    Level("general position", Traits(rows=(8, 16), columns=(4, 8), degenerate=False)),
    Level("larger", Traits(rows=(30, 50), columns=(10, 25), degenerate=False, noise=0.125)),
    Level("ill-conditioned", Traits(rows=(8, 16), columns=(2, 8), condition=MODERATE)),
    Level("small signals", Traits(scale=SMALL)),
    Level("large signals", Traits(scale=LARGE)),
    Level("small matrix", Traits(matrix_scale=SMALL)),
    Level("large matrix", Traits(matrix_scale=LARGE)),
    Level(
        "signals of unequal size",
        Traits(rows=(4, 12), columns=(2, 8), uneven=True, bias=False),
        least=3,
    ),
    Level("planted", planted=True),
    Level("float32", Traits(dtype="float32", rows=(1, 12), columns=(1, 6))),
    Level("infeasible", Traits(feasible=False), kinds=HIDDEN),
    Level("not finite", Traits(finite=False)),
    Level("companions", Traits(rows=(4, 10)), least=2, companions=True),
)
assert tuple(level.name for level in SWEEP) == LEVELS
