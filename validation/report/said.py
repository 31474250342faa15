"""Sentences with measured numbers in README and docs/, made of the result files: the tests look for
them there, and for numbers that no result file has.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..sections.digits_and_networks import SHARE, TIMES
from ..sections.section import Result
from ..sections.trained_claims import MASKS
from ..sections.uniqueness import UNIQUE


@dataclass(frozen=True)
class Said:
    """Sentences of a page, by the result files that they are made of."""

    page: str
    results: tuple[str, ...]
    sentences: Callable[..., Iterator[str]]


def digits(gan: Result, vae: Result) -> Iterator[str]:
    """Of real digits."""
    yield (
        f"On {gan['signals']} real test digits, which neither shipped network can make, `invert` is"
        f" within 0.1 % of the best of ten restarts of Adam (1 000 steps each), or lower, on"
        f" {100 * gan[SHARE]:.0f} % (gan) and {100 * vae[SHARE]:.0f} % (vae) of them"
    )
    yield f"in 1 / {gan[TIMES]:.1f} and 1 / {vae[TIMES]:.1f} of their time"


def picture(r: Result) -> Iterator[str]:
    """Of noisy halves."""
    yield f"{100 * r['covered']:.0f} % of the bars hold the true value"


def demo(r: Result) -> Iterator[str]:
    """The table of the demo, and its time."""
    for g, one in r["generators"].items():
        for mask, row in one["settings"].items():
            yield demo_row(f"{g}, {MASKS[mask]}", row["layers"], r["signals"])
    settings = sum(len(one["settings"]) for one in r["generators"].values())
    yield f"the demo's {settings * r['signals']} inversions took {r['seconds']:.1f} s"


def demo_row(name: str, layers: dict[str, Any], signals: int) -> str:
    """A row."""
    cells = [name]
    for layer in ("z", "G(z)"):
        snr = layers[layer]["snr dB"]
        cells.append(f"{snr['min']:.1f} / {snr['median']:.1f} dB")
    solved = [row for row in layers.values() if "optimal" in row]
    cells.append(f"{max(row['worst kkt'] for row in solved):.1e}")
    least = min(row["optimal"] for row in solved)
    cells.append(f"{least} of {signals} in every layer")
    return "| " + " | ".join(cells) + " |"


def unique(r: Result) -> Iterator[str]:
    """Theorem 1 on the shipped generator."""
    one = r["gan"]
    yield (
        f"On the shipped generator it holds for {one['holds']} of {r['samples']} samples, fails for"
        f" {one['fails']} and is undecided for {one['undecided']}; no layer has dependent columns"
        f" for {one[UNIQUE]}, so their z is unique anyway."
    )


def coverage(r: Result) -> Iterator[str]:
    """Error bars."""
    at = {
        s: 100 * r["settings"][f"sigma {s}"]["methods"]["invert"]["coverage_95"]
        for s in (0.05, 0.3)
    }
    yield (
        f"nominal 95 % intervals cover {at[0.05]:.0f} % at a noise of 0.05 of the shipped"
        f" generator, {at[0.3]:.0f} % at 0.3"
    )


def alone(r: Result) -> Iterator[str]:
    """One signal, all layers."""
    times = 1 / r["scaling"]["one signal, total"]["best per-signal solvers"]["ratio to fast"]
    yield f"a single signal costs it {times:.1f} times what the best solvers take"


def kit(r: Result) -> Iterator[str]:
    """The table of docs/testing.md."""
    wrong, honest = r["wrong"], r["honest"]
    yield f"{sum(not row['accepted'] for row in wrong)} of {len(wrong)} rejected"
    yield f"{sum(row['accepted'] for row in honest)} of {len(honest)} pairs of honest solver"


SAID = (
    Said("README.md", ("digits_gan", "digits_vae"), digits),
    Said("README.md", ("picture",), picture),
    Said("README.md", ("demo",), demo),
    Said("README.md", ("shipped_uniqueness",), unique),
    Said("README.md", ("noise",), coverage),
    Said("README.md", ("bench_gaussian",), alone),
    Said("docs/testing.md", ("conformance",), kit),
)
