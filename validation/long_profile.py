"""The long profile: every property test with thousands of random examples, and a record of them.

Run as `python -m validation.long_profile [MINUTES] [SEED] [PATHS ..]`: `pytest
--hypothesis-profile=long` on the tests that have properties, file by file; writes
validation/results/long_profile.json after each. What does not fit into the minutes is recorded as
not run; the same seed again goes on with it. Delete the file to begin anew.
"""

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from validation.record import RESULTS, store

ROOT = Path(__file__).parents[1]
MINUTES, SEED = 120.0, 0
# what failures turned out to be, by test
FOUND = {
    "tests/solution/test_snr.py::test_by_its_definition": "snr overflowed, with a warning, where x"
    " is 1e3 and differs by 5e-324: it is computed by logarithms now",
    "tests/certificate/test_rival.py::test_nearly_dependent_columns_without_weights": "`verify`"
    " accepted x = 0 where a point at 1e7 is better by half: it had found that point, and refused"
    " it for violations that are its rounding; they are allowed for now. Besides, the test"
    " asked for more than `verify` promises: of columns that differ by 1e-10 a solution is of size"
    " 1e10, and rounding it costs 1e-4; and a point with a residual of 3e-13 may be 1e10 away from"
    " a better one, as is stated there",
    **dict.fromkeys(
        (
            "tests/guarantees/test_symmetries.py::test_uniqueness[permutation]",
            "tests/guarantees/test_symmetries.py::test_oracle_error[permutation]",
        ),
        "a unit whose input is zero in exact arithmetic is turned on by rounding, in one order of"
        " the units and not in another: such signals are not compared now",
    ),
}
COUNTS = re.compile(r"(\d+) passing, (\d+) failing, and (\d+) invalid")
PACKAGES = ("hypothesis", "pytest")
PATH = RESULTS / "long_profile.json"


@dataclass
class Record:
    """A pytest plugin: it keeps the property tests, and counts their examples by file."""

    end: float
    seed: int
    passing: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    not_run: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    @classmethod
    def kept(cls, end: float, seed: int) -> "Record":
        """What an earlier run with this seed has recorded, or an empty one."""
        record = cls(end, seed)
        try:
            found = json.loads(PATH.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return record
        if found["seed"] == seed:
            for name, row in found["files"].items():
                record.passing[name] = row["examples"]
                record.invalid[name] = row["invalid"]
                record.seconds[name] = row["seconds"]
            record.failed, record.done = found["failed"], found["done"]
        return record

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[Any]) -> None:
        """Keep what Hypothesis runs."""
        ours = [i for i in items if getattr(getattr(i, "obj", 0), "is_hypothesis_test", False)]
        kept = [item for item in ours if item.nodeid not in self.done]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept

    def pytest_runtest_setup(self, item: Any) -> None:
        """Skip what comes too late."""
        if time.time() > self.end:
            self.not_run[_file(item)] += 1
            pytest.skip("no time left")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Iterator[None]:
        """Count."""
        yield
        if call.when != "call":
            return
        name = _file(item)
        if call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception):
            return
        self.seconds[name] += call.duration
        self.done.append(item.nodeid)
        for passing, _, invalid in COUNTS.findall(getattr(item, "hypothesis_statistics", "")):
            self.passing[name] += int(passing)
            self.invalid[name] += int(invalid)
        if call.excinfo is not None:
            self.failed[item.nodeid] = str(call.excinfo.value)[-4000:]

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Store what is known so far."""
        self.store()

    def store(self) -> None:
        """Write the result file."""
        files = {
            name: {
                "examples": self.passing[name],
                "invalid": self.invalid[name],
                "seconds": round(self.seconds[name], 1),
                "tests not run": self.not_run[name],
            }
            for name in sorted({*self.passing, *self.seconds, *self.not_run})
        }
        total = {"examples": sum(self.passing.values()), "failed": self.failed, "found": FOUND}
        result = {"seed": self.seed, **total, "files": files, "done": self.done}
        store("long_profile", result, PACKAGES, threads=1)


def _file(item: Any) -> str:
    return str(item.nodeid).split("::")[0]


def main() -> int:
    """Run pytest with the plugin."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    os.chdir(ROOT)
    record = Record.kept(time.time() + 60 * minutes, seed)
    options = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=long"]
    paths = sys.argv[3:] or ["tests"]
    code = pytest.main([*options, f"--hypothesis-seed={seed}", *paths], plugins=[record])
    record.store()
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
