"""Every example of the README runs, on its own, as it is printed."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(
    r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_example(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out.strip()


def test_there_are_examples():
    assert len(BLOCKS) >= 5


def test_commands_stand_on_lines_of_their_own():
    text = README.read_text(encoding="utf-8")
    found = [line for line in text.splitlines() if line.startswith("pip install")]
    assert found == [
        "pip install -c constraints.txt . && cvxinv demo",
        'pip install -c constraints.txt ".[test]" && pytest',
    ]


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert targets
    for target in targets:
        assert target.startswith("http") or (README.parent / target).exists(), target
