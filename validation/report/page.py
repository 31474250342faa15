"""The report: one self-contained HTML page."""

import base64
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from ..sections.section import Drawing, Result, Scale, Section
from ..sections.style import svg
from .results import Judged, judge, read

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Shown:
    """A section with its results."""

    section: Section
    judged: list[Judged]
    figures: list[tuple[Drawing, Markup]]
    origins: list[dict[str, str]]


def page(sections: Sequence[Section], folder: Path, scale: Scale) -> str:
    """The page of what is measured at a scale.

    Raises
    ------
    ResultError
        For a file that is missing or older than what reads it; says what makes it.
    """
    measured = [s for s in sections if s.commands[scale]]
    shown = [_shown(section, folder, scale) for section in measured]
    verdicts = Counter(one.verdict.value for s in shown for one in s.judged)
    left_out = [s.title for s in sections if not s.commands[scale]]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["code"] = code
    template = environment.get_template("page.html.j2")
    return template.render(
        shown=shown,
        verdicts=verdicts,
        left_out=left_out,
        scale=scale.value,
        date=datetime.now(UTC).date().isoformat(),
        css=Markup((HERE / "page.css").read_text(encoding="utf-8")),
    )


def _shown(section: Section, folder: Path, scale: Scale) -> Shown:
    results = read(section, folder, scale)
    figures = [(d, figure(d, results, folder)) for d in section.figures]
    names = list(section.results)
    origins = [origin(name, r) for name, r in zip(names, results, strict=True)]
    return Shown(section, judge(section, results), figures, origins)


def code(text: str) -> Markup:
    """What stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def figure(drawing: Drawing, results: Sequence[Result], folder: Path) -> Markup:
    """As SVG, or the picture that the experiment wrote."""
    if isinstance(drawing.draw, str):
        data = base64.b64encode((folder / drawing.draw).read_bytes()).decode()
        image = '<img src="data:image/png;base64,{}" alt="{}">'
        return Markup(image).format(data, drawing.alt)
    text = svg(drawing.draw(*results))
    label = Markup('<svg role="img" aria-label="{}"').format(drawing.alt)
    return label + Markup(text.removeprefix("<svg"))


def origin(name: str, r: Result) -> dict[str, str]:
    """Where a result comes from: command, date, commit, versions, machine, seed."""
    machine: Any = r.get("machine", "")
    if isinstance(machine, dict):
        known = {k: v for k, v in machine.items() if v is not None and k != "load before"}
        machine = ", ".join(f"{k} {v}" for k, v in known.items())
    versions = ", ".join(f"{k} {v}" for k, v in r.get("versions", {}).items())
    seed = {"seed": str(r["seed"])} if "seed" in r else {}
    return {
        "file": f"{name}.json",
        "command": str(r["command"]),
        "date": str(r.get("date", "")),
        "commit": str(r.get("commit", ""))[:10],
        "versions": versions,
        "machine": str(machine),
        **seed,
    }
