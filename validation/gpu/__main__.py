"""Run the parts, and write what they find."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from validation.gpu.day import Day, origin
from validation.gpu.parts import FULL, PARTS, SMALL


def main(
    out: Annotated[Path, typer.Argument(help="The folder for gpu.json; made if it is not there.")],
    small: Annotated[bool, typer.Option(help="A rehearsal with tiny sizes.")] = False,
) -> None:
    """Run the parts that are not done yet; exit with 1 if any of them is not done then."""
    if not torch.cuda.is_available():
        raise typer.BadParameter("torch finds no CUDA device here")
    out.mkdir(parents=True, exist_ok=True)
    day = Day(out / "gpu.json", origin() | {"small": small}, Console(soft_wrap=True))
    for part in PARTS:
        day.run(part, SMALL if small else FULL)
    if not day.done:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
