"""What every result file says beside its figures: versions, machine, date and commit."""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

RESULTS = Path(__file__).parent / "results"


def write(name: str, result: dict[str, Any]) -> None:
    """Store `result` as validation/results/<name>.json, with where it comes from, and print it."""
    git = ["git", "-C", str(RESULTS), "describe", "--always", "--dirty", "--exclude", "*"]
    result = {"command": " ".join(["python -m", f"validation.{name}", *sys.argv[1:]])} | result | {
        "versions": {package: version(package) for package in ("torch", "numpy")} | {"python": platform.python_version()},
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip(),
    }  # fmt: skip
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    Console().print_json(data=result)
