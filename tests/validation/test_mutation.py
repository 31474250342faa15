"""The mutants of a small module, and the record of ours: no survivor is left unexplained."""

import json
import subprocess
import sys

import pytest

from validation.mutation.operators import mutants
from validation.mutation.score import KINDS, explained, key, scores, survivors
from validation.record import RESULTS

pytest.importorskip("coverage")

SOURCE = '''"""Sizes, 1 < 2."""

def size(x: int, at: "tuple[int, 3]" = (0, 1)) -> int:
    """How large, 1 + 1."""
    if x < 0:
        raise ValueError(f"{x} < 0", 7)
    return min(x, 8)

def __repr__(x): return 1 + 2
'''


def changes(source):
    return {mutant.change for mutant in mutants("a.py", source.encode())}


def test_texts_hints_errors_and_what_is_printed_are_left_alone():
    assert changes(SOURCE) == {
        *("0 -> 1", "0 -> (-1)", "1 -> 2", "1 -> 0", "8 -> 9", "8 -> 7"),
        *("x < 0 -> x <= 0", "x < 0 -> x >= 0", "min(x, 8) -> None"),
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a = b**c + d", {"b**c -> b*c", "b**c + d -> b**c - d"}),
        ("a = (b) / (c)", {"b) / (c -> b) * (c"}),
        ("a = not b and -c", {"not b -> b", "-c -> c", "not b and -c -> not b or -c"}),
        ("a = b is not None", {"b is not None -> b is None"}),
        ("a = 1e-3", {"1e-3 -> 1.0", "1e-3 -> 1e-06"}),
        ("a = True", {"True -> False"}),
        ("a = f(b, c, k=d)", {"b, c -> c, b", "c, k=d -> c"}),
        ("a = f(b, b)", set()),
        ("a[b] = c", {"a[b] = c -> pass"}),
        ("a.append(b)", {"a.append(b) -> pass"}),
        ("a += b", {"a += b -> a -= b", "a += b -> pass"}),
        ("a = b if c() else d", {"c() -> (not (c()))"}),
        ("def f(a):\n  a = b\n  c = a", {"a = b -> pass"}),
    ],
)
def test_changes(line, expected):
    assert changes(line) == expected


def test_changes_are_applied_where_they_are_beside_letters_of_more_than_a_byte():
    source = 'é = "φ"; a = b < c\n'
    applied = {m.applied(source.encode()).decode() for m in mutants("a.py", source.encode())}
    assert applied == {source.replace("<", "<="), source.replace("<", ">=")}


JUDGED = """
import json, sys
from pathlib import Path
from validation.mutation.operators import mutants
from validation.mutation.score import KINDS, explained, key, scores, survivors
from validation.record import RESULTS
from validation.mutation.sandbox import Sandbox

root, out = map(Path, sys.argv[1:])
sys.path.insert(0, str(root))
import tiny.sizes  # what is loaded here is not what is tested there
sandbox = Sandbox(root, out, 30.0, ("tiny",))
known = sandbox.measure("tests/tiny")
found = mutants("tiny/sizes.py", (root / "tiny/sizes.py").read_bytes())
print(json.dumps([known, {m.change: sandbox.judge(m, "tests/tiny") for m in found}]))
"""


def test_one_mutant_is_killed_and_one_survives(tmp_path):
    root = tmp_path / "root"
    for folder in ("tiny", "tests/tiny"):
        (root / folder).mkdir(parents=True)
    (root / "tiny/sizes.py").write_text("def larger(a, b):\n    return a > b\n")
    (root / "tests/tiny/test_sizes.py").write_text(
        "from tiny.sizes import larger\n"
        "def test_larger(): assert larger(2, 1) and not larger(1, 2)\n"
        "def test_another(): pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", JUDGED, root, tmp_path / "out"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    known, judged = json.loads(done.stdout)
    by = {change: verdict["killed by"] for change, verdict in judged.items()}
    test = "tests/tiny/test_sizes.py::test_larger"
    assert known == 2
    assert by == {"a > b -> a >= b": None, "a > b -> a <= b": test, "a > b -> None": test}
    assert {verdict["of"] for verdict in judged.values()} == {1}  # the other one runs no line


# -- the record -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def record():
    return json.loads((RESULTS / "mutation.json").read_text())


def test_every_survivor_is_explained_and_only_those(record):
    table = explained()
    assert {key(mutant) for mutant in survivors(record["mutants"])} == set(table)
    assert {row["kind"] for row in table.values()} <= set(KINDS)
    assert all(len(row["why"].split()) > 3 for row in table.values())


def test_scores(record):
    assert record["scores"] == scores(record["mutants"], explained())
    assert all(score["score"] >= 0.85 for score in record["scores"].values())
    assert all(score["drawn"] >= 30 for score in record["scores"].values())
