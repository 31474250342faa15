"""The roof of the experiments: what each claims, and that pages say what result files say."""

import importlib.util
import re

import pytest

from validation.record import COMMITTED
from validation.report import page, readme, results
from validation.report.results import ResultError
from validation.report.said import SAID
from validation.runner import ROOT
from validation.sections import SECTIONS
from validation.sections.section import Scale, Verdict

# numbers with a unit that are settings or facts, not measurements
GIVEN = {
    "README.md": (
        "small scale in less than 20 minutes",  # what it should keep to
        "finds z to 14 digits",
        "290 dB are 14 digits of z",  # the table above it
        "take 1.5 GB, half of which is torch",  # of an installation, by du
    ),
    "docs/testing.md": (),
}
NUMBER = re.compile(
    r"(?<![\w./-])\d[\d .,]*\d?\s?(?:%|dB|GB|MB|seconds|minutes|digits|ms|s|times)(?!\w)"
    r"|\d+ of (?:the )?\d+"
)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.name)
def test_a_section_is_whole(section):
    """No claim without a figure, no figure without a claim, a command for each result file."""
    assert section.claims
    assert section.figures
    assert section.title
    assert section.about
    assert all(figure.alt and figure.title for figure in section.figures)
    for scale, lines in section.commands.items():
        assert not lines or len(lines) == len(section.results) or len(set(lines)) == 1, scale
        for line in lines:
            module = line.split()[0]
            assert importlib.util.find_spec(module), line
    assert set(section.commands) == set(Scale)
    assert section.commands[Scale.full]


def test_names_are_different():
    names = [section.name for section in SECTIONS]
    files = [name for section in SECTIONS for name in section.results]
    assert len(set(names)) == len(names)
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda s: s.name)
def test_every_claim_has_a_verdict(section):
    found = results.judge(section, results.read(section, COMMITTED))
    for one in found:
        assert one.measured
        assert one.claim.threshold
        assert one.verdict in Verdict
        assert one.verdict is Verdict.confirmed or one.why, one.claim.words


def test_the_tables_are_those_of_the_result_files():
    """`python -m validation tables` writes them anew."""
    for path, text in readme.texts(SECTIONS, COMMITTED).items():
        assert path.read_text(encoding="utf-8") == text, path


def test_pictures_are_there():
    for section in SECTIONS:
        for name in readme.pictures(section):
            assert (COMMITTED / name).stat().st_size > 1_000, name


def test_result_files_are_small_enough_to_commit():
    assert sum(path.stat().st_size for path in COMMITTED.iterdir()) < 20e6


# -- numbers in README and docs/ -------------------------------------------------------------------


def sentences(name):
    """What a page should say of the result files."""
    paths = {f"{path.stem}": path for path in COMMITTED.glob("*.json")}
    for said in SAID:
        if said.page == name:
            yield from said.sentences(*(results.load(paths[r]) for r in said.results))


def prose(name):
    """A page on one line, without code and generated tables."""
    text = (ROOT / name).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!-- (\w+) -->.*?<!-- /\1 -->", "", text, flags=re.DOTALL)
    return " ".join(text.split())


@pytest.mark.parametrize("name", GIVEN)
def test_numbers_of_a_page_are_in_a_result_file(name):
    whole = " ".join((ROOT / name).read_text(encoding="utf-8").split())
    rest = prose(name)
    for sentence in sentences(name):
        assert sentence in whole, sentence
        rest = rest.replace(sentence, "")
    for words in GIVEN[name]:
        assert words in rest, words
        rest = rest.replace(words, "")
    assert [m.group() for m in NUMBER.finditer(rest)] == []


# -- the page --------------------------------------------------------------------------------------


def test_the_page_is_one_file_with_all_of_it():
    text = page.page(SECTIONS, COMMITTED, Scale.full)
    for section in SECTIONS:
        assert f'id="{section.name}"' in text
    figures = sum(len(section.figures) for section in SECTIONS)
    assert text.count("<figure>") == figures
    assert text.count('role="img"') + text.count("<img ") == figures
    assert not re.search(r'(?:src|href)="(?!#|data:)', text.replace("xlink:href", ""))
    assert "<script" not in text


def test_an_older_file_is_refused_with_what_renews_it(tmp_path):
    section = next(s for s in SECTIONS if s.name == "gram_form")
    with pytest.raises(ResultError, match=r"run: python -m validation.gram_form"):
        results.read(section, tmp_path)
    (tmp_path / "gram_form.json").write_text('{"command": "x", "problem": "y"}')
    with pytest.raises(ResultError, match=r"older version: it lacks repeats, .*: python -m"):
        page.page([section], tmp_path, Scale.full)
    (tmp_path / "gram_form.json").write_text("{")
    with pytest.raises(ResultError, match=r"gram_form\.json"):
        results.read(section, tmp_path)
