"""Every example of the README and of docs/ runs, on its own, as it is printed."""

import re
from pathlib import Path

import pytest

from validation import bench_table
from validation.conformance import tables

README = Path(__file__).parents[2] / "README.md"
PAGES = [README, *sorted((README.parent / "docs").glob("*.md"))]
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(
        r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_example(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # under no file's name: Hypothesis would read its source there
    exec(compile(block, "<example>", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out.strip()


def test_there_are_examples():
    assert len(BLOCKS) >= 5


def test_commands_stand_on_lines_of_their_own():
    text = README.read_text(encoding="utf-8")
    found = [line for line in text.splitlines() if line.startswith("pip install")]
    assert found == [
        "pip install -c constraints.txt . && cvxinv demo",
        'pip install -c constraints.txt ".[test]" && pytest -n 2 --dist worksteal',
    ]


def test_links_lead_somewhere():
    for page in PAGES:
        targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        assert targets
        for target in targets:
            assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_table_of_the_benchmark_is_that_of_the_result_files():
    """`python -m validation.bench_table` writes it anew."""
    (found,) = bench_table.PLACE.findall(README.read_text(encoding="utf-8"))
    assert found == bench_table.table()


def test_the_tables_of_the_kit_are_those_of_its_result_file():
    """`python -m validation.conformance.tables` writes them anew."""
    (found,) = tables.PLACE.findall(tables.PAGE.read_text(encoding="utf-8"))
    assert found == tables.tables()
