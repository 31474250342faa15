"""The score of a record, and which survivors are explained."""

import tomllib
from pathlib import Path
from typing import Any

Key = tuple[str, str, str, int]  # file, scope, change, and which of those that read alike
EXPLAINED = Path(__file__).with_name("survivors.toml")
KINDS = ("equivalent", "speed", "heuristic")  # the last are not forgiven


def key(mutant: dict[str, Any]) -> Key:
    """What names a mutant wherever its line goes."""
    return mutant["file"], mutant["scope"], mutant["change"], mutant.get("nth", 0)


def explained(path: Path = EXPLAINED) -> dict[Key, dict[str, Any]]:
    """The table of survivors: for each a kind and a reason."""
    rows = tomllib.loads(path.read_text("utf-8")).get("survivor", [])
    return {key(row): row for row in rows}


def survivors(mutants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that no test has noticed."""
    return [mutant for mutant in mutants if mutant["killed by"] is None]


def scores(
    mutants: list[dict[str, Any]], table: dict[Key, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Per room, and in all: killed / (drawn - equivalent), where what changes nothing but the time
    that something takes is equivalent, too.
    """
    rooms = dict.fromkeys(mutant["room"] for mutant in mutants)
    parts = {room: [m for m in mutants if m["room"] == room] for room in rooms}
    return {name: _score(part, table) for name, part in {**parts, "all": mutants}.items()}


def _score(mutants: list[dict[str, Any]], table: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    left = survivors(mutants)
    kinds = [table[key(mutant)]["kind"] for mutant in left if key(mutant) in table]
    counts = {kind: kinds.count(kind) for kind in KINDS}
    killed, same = len(mutants) - len(left), counts["equivalent"] + counts["speed"]
    told = {
        "drawn": len(mutants),
        "killed": killed,
        **counts,
        "unexplained": len(left) - len(kinds),
    }
    return told | {"score": round(killed / max(1, len(mutants) - same), 3)}
