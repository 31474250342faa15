"""Run all instances, store the record, and print the failures."""

import time
from collections import defaultdict
from typing import Annotated, Any

import typer
from rich.console import Console

from ..record import store
from .trial import run

EVERY = {"CLARABEL": 2, "OSQP": 20, "SCS": 20}  # of so many batches, the reference gets one


def nested(counts: dict[Any, int]) -> dict[str, Any]:
    """Counts by tuples as dictionaries in dictionaries, in order."""
    tree: Any = defaultdict(dict)
    for key, count in sorted(counts.items()):
        at = tree
        for name in key[:-1]:
            at = at.setdefault(name, {})
        at[key[-1]] = count
    return dict(tree)


def main(
    instances: Annotated[int, typer.Option(min=1, help="How many signals.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes, of one thread each.")] = 2,
) -> None:
    """Run all instances, store the record, and print the failures."""
    console, start = Console(soft_wrap=True), time.perf_counter()
    tally = run(instances, seed, EVERY, jobs, console)
    failures: list[dict[str, Any]] = [
        {"kind": key[0], "backend": key[1], "class": key[2], "count": count}
        | {"examples": tally.examples[key]}
        for key, count in sorted(tally.failed.items())
    ]
    result = {
        "instances": instances,
        "seed": seed,
        "minutes": (time.perf_counter() - start) / 60,
        "seen": dict(sorted(tally.seen.items())),
        "statuses": nested(tally.statuses),
        "relative_figures_by_power_of_ten": nested(tally.decades),
        "failures": failures,
    }
    store("hostile", result, ("torch", "numpy", "cvxpy", "clarabel", "osqp", "scs"), jobs)
    for f in failures:
        console.print(f"{f['count']} x {f['kind']}: {f['backend']}, {f['class']}", style="bold")
        for example in f["examples"]:
            console.print(f"    # {example['value']}\n    {example['code']}", markup=False)
    console.print(result["seen"])


if __name__ == "__main__":
    typer.run(main)
