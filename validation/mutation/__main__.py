"""Draw mutants of each room, see which of them a test notices, and print the scores.

What was judged stays judged: the same command again goes on. Delete `results/mutation.json` to
begin anew. It takes half a minute for each mutant, and half an hour before the first where nothing
was measured yet.
"""

import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cvxinv import record

from ..record import RESULTS
from .forks import load
from .operators import Mutant, mutants
from .sandbox import Sandbox
from .score import explained, key, scores, survivors

ROOT = Path(__file__).parents[2]
ROOMS = {
    "certificate": "cvxinv/certificate",
    "problems": "cvxinv/problems",
    "solution": "cvxinv/solution",
    "pursuits": "cvxinv/pursuits",
    "inversion": "cvxinv/inversion",
    "fast": "fast",
    "guarantees": "cvxinv/guarantees",
}
PACKAGES = ("coverage", "hypothesis", "numpy", "pytest", "torch")


def drawn(root: Path, sources: str, seed: int) -> list[tuple[Mutant, int]]:
    """All mutants of a room in a random order, that of one not depending on the others; and which
    of those that read alike each is.
    """
    seen, order = Counter[tuple[str, str, str]](), []
    for path in sorted((root / sources).rglob("*.py")):
        for mutant in mutants(str(path.relative_to(root)), path.read_bytes()):
            name = (mutant.file, mutant.scope, mutant.change)
            place = sha256(repr((seed, name, seen[name])).encode()).hexdigest()
            order.append((place, mutant, seen[name]))
            seen[name] += 1
    return [(mutant, nth) for _, mutant, nth in sorted(order, key=lambda row: row[0])]


def main(
    out: Annotated[Path, typer.Argument(help="A folder for the copy and what tests run.")],
    rooms: Annotated[list[str], typer.Option(help="Of which mutants are drawn.")] = [*ROOMS],  # noqa: B006
    using: Annotated[list[str], typer.Option(help="Whose tests are asked, too.")] = [*ROOMS],  # noqa: B006
    sample: Annotated[int, typer.Option(min=1, help="How many of each room.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Of the order in which they are drawn.")] = 0,
    budget: Annotated[float, typer.Option(help="Seconds of own, and of other tests.")] = 60.0,
    again: Annotated[bool, typer.Option(help="Ask survivors that are not explained.")] = False,
    result: Annotated[Path, typer.Option(help="The record.")] = RESULTS / "mutation.json",
) -> None:
    """Draw, judge, write the record after each mutant, and print the scores."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    origin = record.run(PACKAGES, "python -m validation.mutation")
    origin |= {"machine": record.machine(), "seed": seed, "budget": budget}
    found: list[dict[str, Any]] = []
    if result.exists():
        found = json.loads(result.read_text())["mutants"]
    known = {key(m) for m in found}
    if again:
        known -= {key(m) for m in survivors(found)} - set(explained())
    load()
    out.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(ROOT, out.resolve(), budget)
    for tests in dict.fromkeys((*rooms, *using)):
        console.print(f"tests/{tests}: {sandbox.measure(f'tests/{tests}')} tests")
    for room in rooms:
        for mutant, nth in drawn(ROOT, ROOMS[room], seed)[:sample]:
            row = {"room": room, **mutant.told(), "nth": nth}
            if key(row) in known:
                continue
            row |= sandbox.judge(mutant, f"tests/{room}")
            found = [m for m in found if key(m) != key(row)] + [row]
            order = sorted(found, key=lambda m: ([*ROOMS].index(m["room"]), m["file"], m["line"]))
            record.write(result, {**origin, "scores": scores(found, explained()), "mutants": order})
            verdict = row["killed by"] or "SURVIVED"
            console.print(f"{mutant.file}:{mutant.line} {mutant.change}\n    {verdict}")
    for part, score in scores(found, explained()).items():
        console.print(f"{part}: {score}")


if __name__ == "__main__":
    typer.run(main)
