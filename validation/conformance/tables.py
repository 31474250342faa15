"""The tables of docs/testing.md, from validation/results/conformance.json.

Run as `python -m validation.conformance.tables`.
"""

import json
import re
from pathlib import Path
from typing import Any

from validation.record import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
PLACE = re.compile(r"(?<=<!-- conformance -->\n).*?(?=<!-- /conformance -->)", re.DOTALL)
COMMAND = "`python -m validation.conformance`"


def tables() -> str:
    """Honest solvers, wrong ones, and defaults."""
    found = json.loads((RESULTS / "conformance.json").read_text(encoding="utf-8"))
    honest, wrong = found["honest"], found["wrong"]
    seconds = sum(row["seconds"] for row in honest + wrong)
    caught = [row for row in wrong if not row["accepted"]]
    passed = [row for row in honest if row["accepted"]]
    head = (
        f"{COMMAND} puts {len(wrong)} wrong solvers and {len({r['solver'] for r in honest})} honest"
        f" ones to `check_solver` at its defaults (tol {found['tol']:g}): {len(caught)} of"
        f" {len(wrong)} rejected, {len(passed)} of {len(honest)} pairs of honest solver and kind"
        f" accepted, in {seconds:.0f} s on one thread"
        " ([`conformance.json`](../validation/results/conformance.json), which also says how)."
    )
    return f"{head}\n\n{_wrong(wrong)}\n{_honest(honest)}\n{_defaults(found['defaults'])}"


def _wrong(rows: list[dict[str, Any]]) -> str:
    lines = ["| mistake | kind | rejected at level | examples | s |", "|---|---|---|---|---|"]
    for row in rows:
        level = "**accepted**" if row["accepted"] else row["level"]
        cells = (
            _plain(row["solver"]),
            row["kind"],
            level,
            row["examples"],
            f"{row['seconds']:.1f}",
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def _honest(rows: list[dict[str, Any]]) -> str:
    lines = ["| honest solver | kind | verdict | examples | s |", "|---|---|---|---|---|"]
    for row in rows:
        verdict = "accepted" if row["accepted"] else f"**rejected** at {row['level']}"
        name = f"{row['solver']} {row['version']}"
        cells = (name, row["kind"], verdict, row["examples"], f"{row['seconds']:.1f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def _defaults(rows: list[dict[str, Any]]) -> str:
    text = (
        "**At their defaults.** The same certificate, over solvers as their documentation calls"
        " them, nothing set: 100 problems of 30 unknowns, and the same with signals of size 1e-6."
        " Where tolerances are absolute, as most are, the unit of the data decides; that is no"
        " fault of theirs, but good to know. In each cell: how many say that they are solved; how"
        " many are optimal to 1e-3 / 1e-6 / 1e-8; the worst KKT residual.\n\n"
    )
    head = "| solver | kind | what is promised | signals of size 1 | of size 1e-6 |"
    lines = [head, "|---|---|---|---|---|"]
    for row in rows:
        cells = [f"{row['solver']} {row['version']}", row["kind"], row["promise"]]
        for name in ("ordinary", "small"):
            one = row[name]
            counts = " / ".join(map(str, one["optimal"].values()))
            cells.append(f"{one['claimed']}; {counts}; {one['worst']:.0e}")
        lines.append("| " + " | ".join(cells) + " |")
    return text + "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Without what ends a cell."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(PLACE.sub(lambda _: tables(), PAGE.read_text(encoding="utf-8")), "utf-8")
