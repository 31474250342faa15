"""A rival in several processes: what a user with as many cores would do."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import numpy as np

from cvxinv.bench.gram import Answer, attempt
from cvxinv.problems import Quadratic
from cvxinv.rows import take

Solve = Callable[[Quadratic], Answer]

_share: list[Callable[[], Answer]] = []  # of a worker process: what it is there for


@contextmanager
def shared_out(solve: Solve, q: Quadratic, processes: int) -> Iterator[Callable[[], Answer]]:
    """What answers for q, a part of its signals in each of so many processes of one thread.

    They have started, hold their part of the data and have solved it once before it is handed out;
    what it costs is to call them, to solve, and to gather what they found.
    """
    ends = np.linspace(0, q.size, min(processes, q.size) + 1).astype(int)
    context = get_context("spawn")  # a fork of a process that has threads may hang
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                ProcessPoolExecutor(1, context, _hold, (solve, take(q, slice(*part))))
            )
            for part in pairwise(ends)
        ]

        def run(_: Quadratic) -> Answer:
            waiting = [worker.submit(_solve) for worker in workers]
            return _joined([found.result() for found in waiting])

        answer = partial(attempt, run, q)  # of a worker that dies, too
        answer()
        yield answer


def _hold(solve: Solve, part: Quadratic) -> None:
    # for the libraries that `solve` will load
    os.environ |= {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    _share[:] = [partial(attempt, solve, part)]


def _solve() -> Answer:
    return _share[0]()


def _joined(parts: Sequence[Answer]) -> Answer:
    def all_of(arrays: Sequence[Any]) -> Any:
        return None if any(a is None for a in arrays) else np.concatenate(arrays)

    return Answer(
        all_of([part.x for part in parts]),
        all_of([part.dual for part in parts]),
        all_of([part.iterations for part in parts]),
        next((part.note for part in parts if part.note), ""),
    )
