"""Paths as arguments, before the work whose results they are for."""

import os
from pathlib import Path
from typing import Any

from .numbers import shown


def folder(name: str, value: Any) -> Path:
    """The path of a folder that is there, or can be made."""
    what = f"{name}: expected the path of a folder"
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{what}, got {shown(value)}")
    path = Path(value)
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise ValueError(f"{what}, got {path}: {there} is a file")
    if not os.access(there, os.W_OK):
        raise ValueError(f"{what}, got {path}: {there} cannot be written to")
    return path
