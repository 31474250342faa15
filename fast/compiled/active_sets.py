"""Active sets for a layer on a CPU, signal by signal in compiled code: one thread for each that
torch uses, each taking the next few signals when it has done some.

Where numba, SciPy or threadpoolctl are missing, or for what compiled code does not know, `usable`
says so, and the batched methods do all.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache
from importlib import import_module
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core import loop
from ..core.diagonal import Identity
from ..core.layer import ConstrainedLayer, GramLayer, Layer
from ..core.process_wide import ProcessWide

NEEDED = ("numba", "scipy", "threadpoolctl")
MOST = 16  # signals that a thread takes at a time
LARGEST = 1024  # columns beyond which a factor for each signal costs more than a batch does
FEW = 32  # columns up to which signals are solved from nothing, and BLAS takes no more threads


@cache
def installed() -> bool:
    """Whether all that compiled code needs is there, SciPy's routines are, and numba compiles."""
    try:
        numba, *_ = map(import_module, NEEDED)
        import_module(".many_signals", __package__)
    except (ImportError, ValueError):
        return False
    config: Any = numba.config
    return not config.DISABLE_JIT


def usable(layer: Layer) -> bool:
    """Whether compiled code solves such a layer: on a CPU, of not too many columns, with x >= 0 or
    without weights.
    """
    every_column = isinstance(layer.columns, Identity)
    if layer.W.device.type != "cpu" or layer.W.dtype != torch.float64 or not every_column:
        return False
    if layer.W.shape[1] > LARGEST or not installed():
        return False
    return layer.nonnegative or not bool(layer.lam.any())


def solve(
    layer: Layer,
    x: Tensor,
    dual: Tensor,
    goal: float,
    rounded: float,
    max_iter: int,
    easy: bool = False,
) -> tuple[loop.Result, Tensor]:
    """Active sets from points and their multipliers, down to the goal, or to rounding where
    supports hang on the last digits; and which signals those are, (B,).

    `easy`: whether A is so well conditioned that conjugate gradients do without factors.
    """
    from .many_signals import Signals
    from .state import Shared

    B, n = x.shape
    if isinstance(layer, GramLayer):  # all that counts is A'A and A't
        none = layer.t[:, :0]
        gram = layer.gram + torch.diag(layer.gamma.values.expand(n))
        W, t, on, d, eta, g = layer.W[:0], none, none != 0, none, none, layer.g
    else:
        gram, W, t, g = layer.W.new_empty((0, 0)), layer.W, layer.t, layer.t[:, :0]
        on = (layer.rows.values != 0).expand(t.shape)
        d, eta = torch.full_like(t, torch.inf), torch.zeros_like(t)
    unit = layer.t.new_ones(len(W))
    if isinstance(layer, ConstrainedLayer):
        d, eta, unit = layer.d, dual, layer.unit
    some = Signals(
        t=plain(t),
        on=plain(on),
        d=plain(d),
        lam=plain(layer.lam.expand(B, n)),
        g=plain(g),
        x=own(x),
        eta=own(eta),
        residual=np.full(B, np.inf),
        steps=np.zeros(B, np.int64),
        doubtful=np.zeros(B, np.bool_),
    )
    shared = Shared(
        W=plain(W),
        narrow=plain(W.to(torch.float32)),
        gram=plain(gram),
        unit=plain(unit),
        gamma=plain(layer.gamma.values.expand(n)),
        nonnegative=layer.nonnegative,
        easy=easy,
    )
    solve_all(shared, some, goal, rounded, max_iter)
    dual = torch.from_numpy(some.eta) if isinstance(layer, ConstrainedLayer) else layer.no_dual
    numbers = (torch.from_numpy(a) for a in (some.residual, some.steps))
    best = loop.Result(torch.from_numpy(some.x), dual, *numbers)
    return best, torch.from_numpy(some.doubtful)


def solve_all(shared: Any, some: Any, goal: float, rounded: float, max_iter: int) -> None:
    """The same for `Signals` of a `Shared` in their units, whose answers are put in."""
    from .many_signals import solve_some
    from .state import new_room

    B, n, H = len(some.t), len(shared.gamma), shared.gram.astype(np.float32)
    at_once = MOST if n <= FEW else max(1, min(MOST, B // (4 * torch.get_num_threads())))

    def run(starts: Iterator[int]) -> None:
        room = new_room(len(shared.unit), n, H)
        for first in starts:
            if first >= B:
                return
            last = min(first + at_once, B)
            solve_some(shared, some, room, goal, rounded, max_iter, first, last)

    in_threads(run, count(0, at_once), -(-B // at_once), n > FEW)


def plain(a: Tensor) -> Any:
    """The tensor as a NumPy array with its entries in order."""
    return a.contiguous().numpy()


def own(a: Tensor) -> Any:
    """A copy in float64, to be written into."""
    return a.to(torch.float64, copy=True, memory_format=torch.contiguous_format).numpy()


def in_threads(
    run: Callable[[Iterator[int]], None], starts: Iterator[int], parts: int, blas: bool
) -> None:
    """`run` in as many threads as torch has, and as there are parts; they deal the starts of the
    parts among themselves.

    `blas`: whether BLAS would take several threads for the matrices of one signal.
    """
    threads = min(torch.get_num_threads(), parts)
    with single_threaded() if blas else nullcontext():
        others = [_pool(threads).submit(run, starts) for _ in range(threads - 1)]
        run(starts)
        for other in others:
            other.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="cvxinv")


if hasattr(os, "register_at_fork"):  # a child process has no threads of its parent's
    os.register_at_fork(after_in_child=_pool.cache_clear)


@cache
def _controller() -> Any:
    import threadpoolctl

    return threadpoolctl.ThreadpoolController().select(user_api="blas")


def _limit() -> Callable[[], None]:
    limit = _controller().limit(limits=1)
    restore: Callable[[], None] = limit.restore_original_limits
    return restore


single_threaded = ProcessWide(_limit)  # BLAS, while any thread of ours calls it
