"""pytest in a forked process, which has the libraries loaded but nothing of ours, under time limits
for each test.
"""

import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HEAVY = ("numpy", "scipy.linalg", "torch", "cvxpy", "numba", "hypothesis", "safetensors", "typer")
START = 180.0  # seconds for what comes before the first test
FIRST = 90.0  # and for the first one beyond its limit, as it may compile

Tell = Callable[..., None]


def load() -> None:
    """Load what every process needs, once. None of it is mutated."""
    for name in HEAVY:
        if find_spec(name.split(".")[0]) is not None:
            import_module(name)


@dataclass(eq=False)
class Reports:
    """A plugin: runs the tests that are wanted, in their order, and tells what happens."""

    tell: Tell
    wanted: list[str] | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Choose and order."""
        if self.wanted is not None:
            known = {item.nodeid: item for item in items}
            items[:] = [known[test] for test in self.wanted if test in known]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self.tell("start", nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A part of it is done."""
        if report.failed:
            self.tell("failed", report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        """A file was read."""
        if report.failed:
            self.tell("failed", report.nodeid)


@dataclass
class Outcome:
    """What a process told: tests begun, those that failed, and the one that was late."""

    begun: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    late: str | None = None
    ended: bool = False  # as it should

    @property
    def killed_by(self) -> str | None:
        """The test that noticed, or what else did."""
        if self.failed:
            return self.failed[0]
        if self.late is not None:
            return f"hang: {self.late}"
        return None if self.ended else f"crash: {self.begun[-1] if self.begun else 'at start'}"


def run(folder: Path, job: Callable[[Tell], None], limit: Callable[[str], float]) -> Outcome:
    """`job(tell)` in a process of its own, begun in `folder`, whose modules come first, also where
    others of their names were loaded here.

    Its output is in `folder`/output.txt. It is ended, with all its children, where a test takes
    longer than limit(test) seconds.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _enter(folder)
        code = 1

        def tell(*words: str) -> None:
            os.write(write, (" ".join(words) + "\n").encode())

        try:
            job(tell)
            tell("ended")
            code = 0
        except BaseException:  # of which the caller's stack must not hear
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(write)
    try:
        return _followed(read, limit)
    finally:
        os.close(read)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _enter(folder: Path) -> None:
    os.setsid()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    there = {path.name for path in folder.iterdir()}
    for name in [name for name in sys.modules if name.split(".")[0] in there]:
        del sys.modules[name]
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _followed(read: int, limit: Callable[[str], float]) -> Outcome:
    outcome, rest, left = Outcome(), b"", START
    while True:
        if not select.select([read], [], [], left)[0]:
            outcome.late = outcome.begun[-1] if outcome.begun else "at start"
            return outcome
        if not (told := os.read(read, 1 << 16)):
            return outcome
        *lines, rest = (rest + told).split(b"\n")
        for line in lines:
            word, _, test = line.decode().partition(" ")
            if word == "start":
                left = limit(test) + (0 if outcome.begun else FIRST)
                outcome.begun.append(test)
            elif word == "failed":
                outcome.failed.append(test)
            elif word == "ended":
                outcome.ended = True


def run_pytest(paths: list[str], plugins: list[Any], *more: str) -> None:
    """Run pytest, here; an error if it could not run."""
    loaded = "ignore::pytest.PytestAssertRewriteWarning"  # hypothesis is
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", ".", "-W", loaded)
    code = pytest.main([*options, *more, *paths], plugins=plugins)
    if code not in (0, 1, 2, 5):
        raise SystemExit(f"pytest ended with {code}")
