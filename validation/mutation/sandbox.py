"""A copy of the sources in which one file at a time is changed, and the tests that run there."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from .forks import Outcome, Reports, Tell, run, run_pytest
from .lines import Lines, measure, within
from .operators import Mutant

PATIENCE, TIMES = (
    30.0,
    10.0,
)  # a test may take so many seconds, and so many times what it usually does
LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__")


@dataclass
class Sandbox:
    """The copy of `root` in `folder`, made anew, and what its tests run."""

    root: Path
    folder: Path
    budget: float  # seconds, for the tests of its own room, and for the others, of each mutant
    packages: tuple[str, ...] = ("cvxinv", "fast")

    def __post_init__(self) -> None:
        self.copy, self.lines = self.folder / "copy", Lines()
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.root, self.copy, ignore=LEFT_BEHIND)

    def measure(self, tests: str) -> int:
        """See what a folder of tests runs, but for files of which that was written and that have
        not changed, nor the sources; how many tests are known then.
        """
        shared = [*(self.copy / "tests/support").rglob("*.py"), *self.copy.glob("tests/*.py")]
        ours = [path for name in self.packages for path in (self.copy / name).rglob("*.py")]
        same = b"".join(path.read_bytes() for path in sorted((*ours, *shared)))
        for path in sorted((self.copy / tests).rglob("test_*.py")):
            digest = sha256(same + path.read_bytes()).hexdigest()[:12]
            name = str(path.relative_to(self.copy))
            out = self.folder / f"{name.replace('/', '-')}-{digest}.json"
            if not out.exists():
                measure(self.copy, name, self.packages, out)
            self.lines.read(out)
        return len(self.lines.seconds)

    def judge(self, mutant: Mutant, own: str) -> dict[str, Any]:
        """Whether a test notices a mutant: those of its own room are asked first."""
        begin, run_there, killed_by = time.perf_counter(), self.lines.of(mutant), None
        first = [test for test in run_there if test.startswith(f"{own}/")]
        asked = 0
        with self.changed(mutant):
            for tests in (first, [test for test in run_there if test not in set(first)]):
                chosen = list(within(self.lines.seconds, tests, self.budget))
                if chosen and killed_by is None:
                    outcome = self.run(chosen)
                    asked, killed_by = asked + len(outcome.begun), outcome.killed_by
        seconds = round(time.perf_counter() - begin, 1)
        return {"killed by": killed_by, "tests": asked, "of": len(run_there), "seconds": seconds}

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """The copy with a change; what Python has kept of the file goes before and after."""
        path = self.copy / mutant.file
        kept, source = Path(cache_from_source(str(path))), path.read_bytes()
        path.write_bytes(mutant.applied(source))
        kept.unlink(missing_ok=True)
        try:
            yield
        finally:
            path.write_bytes(source)
            kept.unlink(missing_ok=True)

    def run(self, tests: list[str]) -> Outcome:
        """These tests in their order, until one fails."""
        paths = sorted({test.split("::")[0] for test in tests})

        def job(tell: Tell) -> None:
            run_pytest(paths, [Reports(tell, tests)], "-x")

        seconds = self.lines.seconds
        return run(self.copy, job, lambda test: PATIENCE + TIMES * seconds.get(test, 0.0))
