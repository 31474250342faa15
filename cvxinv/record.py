"""What a file of results says of the run that made it: command, date, commit, versions, machine."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from cvxinv.files import draft
from cvxinv.version import __version__

SOURCES = Path(__file__).resolve().parent  # of the package that ran


def run(packages: Iterable[str], command: str | None = None) -> dict[str, Any]:
    """How a result came about.

    Parameters
    ----------
    packages : iterable of str
        Distributions whose versions count, beside ours.
    command : str, optional
        What was typed but for its arguments; `cvxinv` by default.
    """
    versions = {name: metadata.version(name) for name in sorted(packages)}
    return {
        "command": " ".join([command or "cvxinv", *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "versions": {"python": platform.python_version(), "cvxinv": __version__, **versions},
    }


def machine() -> dict[str, Any]:
    """What a run is made on, and how busy that is: to be asked before the load is our own."""
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def commit() -> str | None:
    """The commit of the sources that ran, with `+` if they were changed since; None where they are
    no checkout.
    """
    try:
        _git("ls-files", "--error-unmatch", "__init__.py")
        return _git("rev-parse", "HEAD") + ("+" if _git("status", "--porcelain", "..") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def write(path: Path, result: dict[str, Any]) -> None:
    """The record as JSON, which knows neither nan nor inf."""
    text = json.dumps(result, indent=2, allow_nan=False) + "\n"
    with draft(path) as new:
        new.write_text(text)


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(SOURCES), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
