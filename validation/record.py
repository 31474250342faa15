"""How results are stored: with the command that made them, versions, date and commit."""

import os
from pathlib import Path
from typing import Any

from cvxinv import record

COMMITTED = Path(__file__).parent / "results"
RESULTS = Path(os.environ.get("CVXINV_RESULTS", COMMITTED))  # where experiments write


def store(
    name: str,
    result: dict[str, Any],
    packages: tuple[str, ...],
    threads: int | None = None,
    script: str | None = None,
) -> dict[str, Any]:
    """Write RESULTS/NAME.json, of the script of that name unless another is given, and return what
    was written.
    """
    origin = record.run(packages, f"python -m validation.{script or name}")
    where = record.machine() | {"threads": threads}
    whole = {**origin, "machine": where, **result}
    record.write(RESULTS / f"{name}.json", whole)
    return whole
