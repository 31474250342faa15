"""Run all errata, print the table, store the numbers."""

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from validation.errata import ERRATA
from validation.record import store


def main() -> None:
    """Run all, print the table, store the numbers."""
    found = [erratum() for erratum in ERRATA]
    table = Table(
        "",
        "as printed, and where",
        "counterexample",
        "measured",
        "corrected",
        "measured",
        show_lines=True,
    )
    for e in found:
        table.add_row(
            e.name,
            f"{e.claim} ({e.place})",
            e.counterexample,
            "\n".join(map(str, e.printed)),
            e.correction,
            "\n".join(map(str, e.corrected)),
        )
    Console(width=200).print(table)
    store("errata", {"errata": [asdict(e) for e in found]}, ("numpy", "cvxpy", "clarabel"))


if __name__ == "__main__":
    main()
