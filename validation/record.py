"""How results are stored: with the command that made them, versions, date and commit."""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def store(
    name: str, result: dict[str, Any], packages: tuple[str, ...], threads: int | None = None
) -> dict[str, Any]:
    """Write validation/results/NAME.json and return what was written."""
    record = {"command": " ".join(["python -m", f"validation.{name}", *sys.argv[1:]])} | result
    record["versions"] = {package: version(package) for package in packages} | {
        "python": platform.python_version()
    }
    record["machine"] = (
        f"{platform.machine()}, {threads} threads" if threads else platform.machine()
    )
    record["date"] = datetime.now(UTC).date().isoformat()
    record["commit"] = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2, allow_nan=False) + "\n")
    return record
