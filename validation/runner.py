"""Runs experiments, each in a process of its own, and skips what its folder has already.

What was made by the same command is kept, so that a run that was stopped or killed goes on where it
was; within a long experiment `validation.points` does the same.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from .record import COMMITTED
from .sections.section import Scale, Section

ROOT = Path(__file__).parents[1]


def folder(scale: Scale) -> Path:
    """Where results of a scale go: those of the full one are committed."""
    return COMMITTED if scale is Scale.full else Path(__file__).parent / "runs" / scale.value


def done(section: Section, scale: Scale, out: Path) -> bool:
    """Whether all files of a section are there, made by the commands of that scale."""
    return all(
        made_by(out / f"{name}.json") == section.command(name, scale) for name in section.results
    )


def made_by(path: Path) -> str | None:
    """The command that wrote a result file, if it is one."""
    try:
        command = json.loads(path.read_text(encoding="utf-8")).get("command")
    except (OSError, ValueError, AttributeError):
        return None
    return str(command)


def run(sections: Sequence[Section], scale: Scale, out: Path, again: bool = False) -> list[str]:
    """Run what is not done, say how far it is, and return the names of what failed."""
    out.mkdir(parents=True, exist_ok=True)
    console, failed, begin = Console(stderr=True), [], time.perf_counter()
    measured = [section for section in sections if section.commands[scale]]
    for i, section in enumerate(measured, 1):
        head = f"[bold]{section.name}[/] ({i} of {len(measured)}"
        if not again and done(section, scale, out):
            console.print(f"{head}): there already")
            continue
        console.print(f"{head}, {(time.perf_counter() - begin) / 60:.1f} min so far)")
        if not all(command(line, out) for line in dict.fromkeys(section.commands[scale])):
            failed.append(section.name)
            console.print(f"[red]{section.name} failed[/]; the others go on")
    console.print(f"results are in {out}")
    return failed


def command(line: str, out: Path) -> bool:
    """Run a command there; its report goes to a file beside its results."""
    words = line.split()
    module = [words[0], *words[1:]] if words[0] == "cvxinv" else words
    env = os.environ | {"CVXINV_RESULTS": str(out), "PYTHONPATH": str(ROOT)}
    with open(out / "log.txt", "a", encoding="utf-8") as log:
        print(f"$ {line}", file=log, flush=True)
        run = subprocess.run(
            [sys.executable, "-m", *module], cwd=out, env=env, stdout=log, check=False
        )
    return run.returncode == 0
