"""validation/README.md and validation/results/README.md, made of the sections and result files."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2

from ..sections.section import Section
from .results import judge, read

HERE = Path(__file__).parent


def texts(sections: Sequence[Section], folder: Path) -> dict[Path, str]:
    """Both files: what should be in them."""
    shown = [
        SimpleNamespace(
            section=section,
            judged=judge(section, read(section, folder)),
            pictures=list(zip(section.figures, pictures(section), strict=True)),
            links=", ".join(f"[`{n}`](results/{n}.json)" for n in section.results),
        )
        for section in sections
    ]
    verdicts = Counter(one.verdict.value for s in shown for one in s.judged)
    counts: dict[str, Any] = {"confirmed": 0, "refuted": 0, "differs": 0} | dict(verdicts)
    counts["count"] = verdicts.total()
    return {
        folder.parent / "README.md": _render("readme.md.j2", shown=shown, **counts),
        folder / "README.md": _render("schema.md.j2", sections=sections),
    }


def write(sections: Sequence[Section], folder: Path) -> list[Path]:
    """Write both, draw the figures beside the results, and return all paths."""
    found = texts(sections, folder)
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")
    return [*found, *(path for section in sections for path in draw(section, folder))]


def draw(section: Section, folder: Path) -> Iterator[Path]:
    """Write the figures that are drawn of a section's results."""
    results = read(section, folder)
    for drawing, name in zip(section.figures, pictures(section), strict=True):
        if not isinstance(drawing.draw, str):
            drawing.draw(*results).savefig(folder / name, dpi=110)
            yield folder / name


def pictures(section: Section) -> list[str]:
    """The files of its figures."""
    return [
        drawing.draw if isinstance(drawing.draw, str) else f"{section.name}_{i}.png"
        for i, drawing in enumerate(section.figures, 1)
    ]


def _render(template: str, **values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["cell"] = lambda text: text.replace("|", r"\|")  # of a table
    return environment.get_template(template).render(**values)
