"""The table of faults, `tests/faults/faults.md`, and which tests stand for its rows."""

import importlib
from itertools import product
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "faults"
TABLE = FOLDER / "faults.md"


def tables() -> list[list[list[str]]]:
    """The tables of the page, each as rows of cells; the first is the head."""
    found: list[list[list[str]]] = [[]]
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [[rows[0], *rows[2:]] for rows in found if rows]


def cells() -> dict[tuple[str, str], str]:
    """What is expected of a fault in an argument of a column."""
    (_, *columns), *rows = tables()[0]
    return {
        (fault, column): cell
        for fault, *words in rows
        for column, cell in zip(columns, words, strict=True)
    }


def rows() -> list[str]:
    """The tests that the other tables name."""
    return [row[0].strip("`") for table in tables()[1:] for row in table[1:]]


def covered() -> list[str]:
    """The tests of the folder, `file: test[words of its parameters]`, but for those of the table
    itself.
    """
    found = []
    for path in sorted(FOLDER.glob("test_*.py")):
        room = path.stem.removeprefix("test_")
        if room in ("arguments", "table"):
            continue
        module = importlib.import_module(f"tests.faults.{path.stem}")
        for name, function in vars(module).items():
            if name.startswith("test_"):
                found += [f"{room}: {name.removeprefix('test_')}{p}" for p in parameters(function)]
    return found


def parameters(function: Any) -> list[str]:
    """`[a-b]` for each case of a test whose parameters are words."""
    marks = [m for m in getattr(function, "pytestmark", []) if m.name == "parametrize"]
    words = [[str(value) for value in mark.args[1]] for mark in marks]
    return [f"[{'-'.join(case)}]" if case else "" for case in product(*words)]
