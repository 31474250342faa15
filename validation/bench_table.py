"""README's table of the benchmark, made of the result files of `cvxinv bench`.

Run as `python -m validation.bench_table`; it is written into README.md. The files come of

    cd validation/results
    cvxinv bench --json bench_gaussian.json --scaling --out bench_gaussian.png
    cvxinv bench --json bench_condition100.json --condition 100 --max-iter 500 --rival-signals 32
    cvxinv bench --json bench_gan.json --generator gan --max-iter 500 --rival-signals 16
    cvxinv bench --json bench_vae.json --generator vae --max-iter 500 --rival-signals 16
"""

import re
from collections.abc import Iterator
from pathlib import Path

from cvxinv.bench.measure import Kind
from cvxinv.bench.result import Result, read
from cvxinv.bench.summary import summary
from cvxinv.cli.bench_report import COLUMNS, cells

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
FILES = {
    "gaussian": "Gaussian weights",
    "condition100": "the same with condition 100",
    "gan": "the shipped gan",
    "vae": "the shipped vae",
}
PLACE = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)


def table() -> str:
    """The table in Markdown, and a line on how its figures were measured; of the files that are
    there.
    """
    found = {
        name: read(RESULTS / f"bench_{key}.json")
        for key, name in FILES.items()
        if (RESULTS / f"bench_{key}.json").exists()
    }
    return "\n".join(_lines(found)) + "\n"


def _lines(found: dict[str, Result]) -> Iterator[str]:
    yield _row("weights", "problem", *COLUMNS)
    yield _row(*["---"] * (2 + len(COLUMNS)))
    for name, result in found.items():
        for i, line in enumerate(summary(result.runs)):
            shown = [line.problem, *cells(line)]
            yield _row(
                "" if i else name, *(f"**{s}**" if line.problem == "all" else s for s in shown)
            )
    yield ""
    how = {name: _measured(result) for name, result in found.items()}
    for text in dict.fromkeys(how.values()):
        names = ", ".join(name for name in how if how[name] == text)
        yield f"{names[0].upper()}{names[1:]}: {text}."


def _row(*values: str) -> str:
    return f"| {' | '.join(values)} |"


def _measured(result: Result) -> str:
    """Sizes, seeds, repeats, rivals, and what ratios are."""
    s, groups = result.settings, [rows for run in result.runs for rows in run.groups]
    sizes = re.sub(r"Generator\(([\d-]*),.*", r"\1", s["generator"])
    seeds = " and ".join(str(run.seed) for run in result.runs)
    paired = all(len(rows[0].times) == s["repeats"] for rows in groups)
    rivals = dict.fromkeys(r.solver for rows in groups for r in rows if r.kind is Kind.RIVAL)
    return (
        f"{sizes}, {s['batch']} signals, seed{'s' * (len(result.runs) > 1)} {seeds},"
        f" {s['repeats']} {'paired repeats' if paired else 'repeats, not paired'},"
        f" {s['threads']} threads; rivals {', '.join(rivals)}; {result.about['date']}"
    )


def main() -> None:
    """Write the table into README.md."""
    text = README.read_text(encoding="utf-8")
    README.write_text(PLACE.sub(lambda _: table(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
