"""Long work in parts: how large they are."""

import time
from collections.abc import Iterator

FIRST, GROWTH = 4, 8  # signals of the first part; a part is at most so many times the one before
# that a part should take: at 20 to 40 ms a signal, parts of half of that are a third slower
SECONDS = 3.0


def parts(count: int, seconds: float = SECONDS) -> Iterator[slice]:
    """Slices of `count` signals, each of which takes about `seconds`: the first is small, and each
    next one as large as the pace of the one before allows. One empty slice where there is none.
    """
    begin, size = 0, FIRST
    while True:
        started = time.perf_counter()
        yield slice(begin, min(begin + size, count))
        pace = (time.perf_counter() - started) / size
        begin += size
        if begin >= count:
            return
        size = max(1, int(min(GROWTH * size, seconds / max(pace, 1e-9))))
