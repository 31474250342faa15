"""Signals from files: arrays of any shape that fits, with their masks, and pictures."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cvxinv import checks
from cvxinv.cli.common import grey_levels, read_array
from cvxinv.errors import ProblemFileError, one_line
from cvxinv.generator.arguments import pixels_of, vectors_of
from cvxinv.problems.npz import Arrays

if TYPE_CHECKING:
    from cvxinv.generator import Generator

MASKS = ("observed", "mask")  # their names in an .npz file
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in a grey level (ITU-R BT.601)


@dataclass(frozen=True, eq=False)
class Signals:
    """y (B, n); the pixels seen, (n,), (B, n) or None; the file of each signal, where each has one;
    and what was done to them, if anything.
    """

    y: Any
    observed: Any
    files: list[str] | None = None
    note: str | None = None


def read_signals(path: Path, mask: Path | None, G: "Generator") -> Signals:
    """The signals in an .npy or .npz file, a .png file or a folder of them, and their mask."""
    files, note = None, None
    if path.is_dir() or path.suffix.lower() == ".png":
        pictures = _pictures(path)
        files = [file.name for file in pictures]
        y = np.stack([_grey(file, G) for file in pictures])
    else:
        y = read_array(path, "y", beside=MASKS)
    if files is not None or y.dtype == np.uint8:
        y, note = _scaled(str(path), y, G)
    y = vectors_of(G, str(path), checks.floats(str(path), y))
    return Signals(y.reshape(-1, y.shape[-1]), _mask(path, mask, G, y), files, note)


# -- masks -----------------------------------------------------------------------------------------


def _mask(path: Path, mask: Path | None, G: "Generator", y: Any) -> Any:
    """The observed pixels, True where seen, from a file of their own or from that of the
    signals.
    """
    beside = [] if path.is_dir() or path.suffix.lower() == ".png" else _masks_beside(path)
    if len(beside) + (mask is not None) > 1:
        given = [f"{path} has {name!r}" for name in beside] + ["--mask"] * (mask is not None)
        raise ValueError(f"--mask: expected one mask, got {' and '.join(given)}")
    if mask is not None:
        name, found = str(mask), read_array(mask, "mask")
    elif beside:
        name, found = f"{path} ({beside[0]})", Arrays(path)[beside[0]]
    else:
        return None
    return pixels_of(G, found, y, name)


def _masks_beside(path: Path) -> list[str]:
    found = Arrays(path)
    return [name for name in MASKS if name in found and len(found) > 1]


# -- pictures --------------------------------------------------------------------------------------


def _pictures(path: Path) -> list[Path]:
    """The .png files of a folder, by name; or the one file."""
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() == ".png")
    if not found:
        raise ProblemFileError(f"{path}: expected .png files in this folder, found none")
    return found


def _grey(path: Path, G: "Generator") -> Any:
    """The grey levels of a picture, (n,) in 0 .. 1."""
    from matplotlib.image import imread

    with path.open("rb") as file:
        try:
            image = np.asarray(imread(file, format="png"), dtype=float)
        except Exception as error:  # of the many that pillow has for broken files
            raise ProblemFileError(f"{path}: not a readable picture ({one_line(error)})") from error
    if image.ndim == 3:
        if image.shape[2] == 4 and image[..., 3].min() < 1:
            raise ProblemFileError(f"{path}: expected an opaque picture, got transparent pixels")
        image = image[..., :3] @ LUMA
    n, shape = G.sizes[-1], G.image_shape
    fits = image.size == n if shape is None else math.prod(shape) == image.size
    if shape is not None and len(shape) > 1:
        fits = fits and image.shape == shape[-2:]
    if not fits:
        height, width = image.shape
        size = f"{n} pixels" if shape is None else " x ".join(map(str, shape))
        raise ProblemFileError(f"{path}: expected a picture of {size}, got {height} x {width}")
    return image.reshape(-1)


def _scaled(name: str, levels: Any, G: "Generator") -> tuple[Any, str]:
    """Grey levels in the range of the generator, as its training had them, and a word on that."""
    if levels.dtype == np.uint8:
        if levels.size and levels.max() <= 1:
            raise ValueError(
                f"{name}: expected 8-bit grey levels 0 .. 255, got 0 and 1 alone: save the signals"
                " as floats"
            )
        levels = levels / 255
    low, high = grey_levels(G)
    note = f"grey levels are scaled to [{low:g}, {high:g}], for the output is {G.activation.name}"
    return low + (high - low) * levels, note
