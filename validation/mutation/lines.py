"""Which lines each test runs, how long it takes, and so which tests are there for a mutant."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from .forks import Reports, Tell, run, run_pytest
from .operators import Mutant

LONGEST = 300.0  # seconds for a test that is measured
Seconds = dict[str, float]  # of tests


@dataclass
class Lines:
    """What tests take, and which of them run a line; "" stands for the import."""

    seconds: Seconds = field(default_factory=dict)
    tests: dict[str, dict[int, set[str]]] = field(default_factory=dict)  # by file and line

    def of_files(self, files: Iterable[str]) -> set[str]:
        """Tests that run a line of one of these files."""
        return {t for file in files for tests in self.tests.get(file, {}).values() for t in tests}

    def of(self, mutant: Mutant) -> list[str]:
        """Tests that run a mutant's lines, the fastest first. Where that is not seen, those of its
        file, as for what runs when a module is imported, whoever was the first to do it; or those
        of its folder, as for compiled code.
        """
        lines, folder = self.tests.get(mutant.file, {}), Path(mutant.file).parent
        found = {t for k in range(mutant.first, mutant.last + 1) for t in lines.get(k, ())}
        if mutant.unseen == "import" or not found - {""}:
            found = self.of_files([mutant.file])
        if mutant.unseen == "compiled" or not found - {""}:
            found = self.of_files(file for file in self.tests if Path(file).parent == folder)
        return sorted(found & set(self.seconds), key=self.seconds.__getitem__)

    def read(self, path: Path) -> None:
        """Add what `measure` has written of some tests."""
        written = json.loads(path.read_text())
        passed = written["seconds"]
        self.seconds |= passed
        for file, lines in written["tests"].items():
            known = self.tests.setdefault(file, defaultdict(set))
            for line, tests in lines.items():
                known[int(line)] |= {t for t in tests if t in passed or not t}


def within(seconds: Seconds, tests: Iterable[str], budget: float) -> Iterator[str]:
    """The first tests, as many as usually fit into a budget of seconds, and at least one."""
    spent = 0.0
    for test in tests:
        spent += seconds[test]
        if spent > budget and spent > seconds[test]:
            return
        yield test


@dataclass(eq=False)
class _Measured:
    """A plugin: the time of each test that passes, under a context of its name."""

    coverage: Coverage
    seconds: Seconds = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        begin = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = time.perf_counter() - begin
        self.coverage.switch_context("")
        return result


def measure(folder: Path, file: str, packages: tuple[str, ...], out: Path) -> None:
    """Run a file of tests, and write {"seconds", "tests"}, without the tests that fail."""
    draft = folder / "measured.json"

    def job(tell: Tell) -> None:
        coverage = Coverage(data_file=None, source=[str(folder / name) for name in packages])
        plugin = _Measured(coverage)
        coverage.start()
        run_pytest([file], [Reports(tell), plugin], "-m", "not slow and not gpu")
        coverage.stop()
        data = coverage.get_data()
        found = {
            str(Path(source).relative_to(folder)): data.contexts_by_lineno(source)
            for source in data.measured_files()
        }
        draft.write_text(json.dumps({"seconds": plugin.seconds, "tests": found}))

    outcome = run(folder, job, lambda _: LONGEST)
    if not outcome.ended:
        raise RuntimeError(f"{file}: {outcome.killed_by}, see {folder / 'output.txt'}")
    measured = json.loads(draft.read_text())
    for test in outcome.failed:
        measured["seconds"].pop(test, None)
    out.write_text(json.dumps(measured))
