"""Every check of an argument, once, with one wording: `NAME: expected WHAT, got WHAT`.

A check takes the name of an argument and its value, and returns the value as the code wants it, or
raises: `TypeError` where it is of the wrong kind, `ValueError` where its kind is right. `numbers`
has those of numbers, flags and choices, `arrays` those of arrays, masks and their shapes, `paths`
those of folders.
"""

from .arrays import (
    array,
    booleans,
    finite,
    floats,
    mask,
    matrix,
    per_signal,
    points,
    shape,
    signals,
    supports,
    vector,
    weights,
)
from .numbers import (
    choice,
    flag,
    instance,
    integer,
    nonnegative,
    number,
    per_layer,
    positive,
    sequence,
    share,
    shown,
)
from .paths import folder

__all__ = [
    "array",
    "booleans",
    "choice",
    "finite",
    "flag",
    "floats",
    "folder",
    "instance",
    "integer",
    "mask",
    "matrix",
    "nonnegative",
    "number",
    "per_layer",
    "per_signal",
    "points",
    "positive",
    "sequence",
    "shape",
    "share",
    "shown",
    "signals",
    "supports",
    "vector",
    "weights",
]
