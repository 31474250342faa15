"""Fig. 2: random networks tanh(W_1 ReLU(W_0 z)), SNR over the width of the hidden layer."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from .section import Claim, Drawing, Result, Scale, Section, Verdict

PANELS = {"z": "latent vector $z$", "x_1": "hidden layer $x_1$", "image": "image"}
SHOWN = ("gradient descent", "basis pursuit", "Latent-Pursuit, printed", "Latent-Pursuit, exact")
LOW, HIGH = -20.0, 320.0  # dB
MEDIAN = 2  # of the quantiles
EXACT, LOST = 180.0, 20.0  # dB
APART = 0.95, 1.1  # s_1 / n_0 below and above which a point is in the first or second segment


def orthant_limit(n: int) -> float:
    """n_1 above which n random equations and x_1 >= 0 with n_1 / 2 nonzeros have other solutions.

    n_1 - n random directions meet the orthant of n_1 / 2 zeros where n_1 - n > (n_1 / 2) / 2
    (Donoho and Tanner 2010, from Wendel 1962).
    """
    return 4 * n / 3


# -- the figure ------------------------------------------------------------------------------------


def panel(axis: Axes, points: list[Result], what: str, n: int) -> None:
    """The SNR of one layer over n_1, for one n_0."""
    n_1 = np.array([p["n_1"] for p in points])
    n_0 = points[0]["n_0"]
    style.tidy(axis, title=f"{PANELS[what]}, $n_0$ = {n_0}")
    for name in (*SHOWN, "invert"):
        colour, line = style.METHODS[name]
        q = np.clip(np.array([p["SNR"][name][what] for p in points]), LOW, HIGH)
        axis.fill_between(n_1, q[:, 0], q[:, 4], color=colour, alpha=0.12, linewidth=0)
        axis.fill_between(n_1, q[:, 1], q[:, 3], color=colour, alpha=0.22, linewidth=0)
        width = 1.1 if name == "invert" else 1.8
        axis.plot(n_1, q[:, MEDIAN], color=colour, linestyle=line, linewidth=width, label=name)
    marks = (2 * n_0, "$s_1 = n_0$"), (orthant_limit(n), "orthant"), (2 * n, "$s_1 = n$")
    for at, word in marks:
        if n_1.min() <= at <= n_1.max():
            axis.axvline(at, color="#444444", linewidth=0.8, linestyle=(0, (4, 3)))
            axis.text(at, HIGH, f" {word}", fontsize=7, va="top", color="#444444")
    axis.set_ylim(LOW, HIGH)


def draw(result: Result) -> Figure:
    """The six panels."""
    sizes = result["latent"]
    figure = style.new(10.5, 0.6 + 3.1 * len(sizes))
    axes = figure.subplots(len(sizes), len(PANELS), sharex=True, sharey=True, squeeze=False)
    for row, n_0 in zip(axes, sizes, strict=True):
        points = [p for p in result["points"] if p["n_0"] == n_0]
        for axis, what in zip(row, PANELS, strict=True):
            panel(axis, points, what, result["n"])
        row[0].set_ylabel("SNR in dB", fontsize=style.SIZE)
    for axis in axes[-1]:
        axis.set_xlabel("$n_1$, width of the hidden layer", fontsize=style.SIZE)
    style.legend(figure, axes[0, 0], 5)
    style.count(figure, f"{result['signals']} signals a point")
    return figure


# -- what it says ----------------------------------------------------------------------------------


def first(r: Result) -> list[Result]:
    """The points with s_1 < n_0."""
    return [p for p in r["points"] if p["s_1"] < APART[0] * p["n_0"]]


def second(r: Result, most: float = 1.0) -> list[Result]:
    """The points with s_1 > n_0 and n_1 up to so many times n."""
    enough = [p for p in r["points"] if p["s_1"] > APART[1] * p["n_0"]]
    return [p for p in enough if p["n_1"] <= most * r["n"]]


def median(p: Result, name: str, what: str = "z") -> float:
    """The median SNR at a point."""
    return float(p["SNR"][name][what][MEDIAN])


def reach(r: Result, name: str, what: str = "z") -> dict[int, int]:
    """For each n_0 the largest n_1 up to which the median is exact from s_1 > n_0 on."""

    def widths(n_0: int) -> Iterator[int]:
        for p in sorted(second(r, np.inf), key=lambda p: p["n_1"]):
            if p["n_0"] == n_0:
                if median(p, name, what) < EXACT:
                    return
                yield p["n_1"]

    return {n_0: max(widths(n_0), default=0) for n_0 in r["latent"]}


def span(values: list[float]) -> str:
    """Least to largest, in dB."""
    return f"{min(values):.0f} to {max(values):.0f} dB" if values else "no such point"


def past_coherence(r: Result) -> str:
    """How far beyond the bound of Corollary 1."""
    points = second(r)
    exact = [p for p in points if median(p, "Latent-Pursuit, exact") >= EXACT]
    over = max((p["s_1"] / p["worst-case bound on s_1"] for p in exact), default=0.0)
    medians = {
        name: span([median(p, name) for p in points])
        for name in ("basis pursuit", "Latent-Pursuit, exact")
    }
    words = ", ".join(f"{name} {text}" for name, text in medians.items())
    return f"median SNR of z at n_1 <= n: {words}; s_1 up to {over:.0f} times 1 / (3 mu)"


def widest(r: Result, name: str, what: str = "z") -> dict[int, float]:
    """The median at the widest hidden layer, for each n_0."""
    most = max(r["hidden"])
    return {p["n_0"]: median(p, name, what) for p in r["points"] if p["n_1"] == most}


def by_size(values: dict[int, Any], form: str = "{}") -> str:
    """A value for each n_0."""
    return ", ".join(f"{form.format(v)} (n_0 = {n_0})" for n_0, v in values.items())


def stops(r: Result) -> tuple[float, float]:
    """The last width at which Latent-Pursuit, solved exactly, finds x_1, and the next, over the
    orthant's limit, for the least n_0; nan without them.
    """
    n_0 = min(r["latent"])
    last = reach(r, SECOND, "x_1")[n_0]
    wider = [p["n_1"] for p in r["points"] if p["n_0"] == n_0 and p["n_1"] > last]
    if not last or not wider:
        return np.nan, np.nan
    return last / orthant_limit(r["n"]), min(wider) / orthant_limit(r["n"])


SECOND = "Latent-Pursuit, exact"
CLAIMS = (
    Claim(
        "About half of the hidden units are on, s_1 ~ n_1 / 2",
        "Section 6.1",
        lambda r: "s_1 / (n_1 / 2) from {:.3f} to {:.3f}".format(
            *(f(2 * p["s_1"] / p["n_1"] for p in r["points"]) for f in (min, max))
        ),
        lambda r: all(abs(2 * p["s_1"] / p["n_1"] - 1) < 0.1 for p in r["points"]),
        "within 10 %",
    ),
    Claim(
        "Where s_1 < n_0 all methods fail to find z",
        "Fig. 2, first segment; Theorem 2",
        lambda r: (
            "median SNR of z "
            + span([median(p, m) for p in first(r) for m in style.METHODS if m in p["SNR"]])
        ),
        lambda r: all(
            median(p, m) < LOST for p in first(r) for m in style.METHODS if m in p["SNR"]
        ),
        f"every median under {LOST:.0f} dB where s_1 < {APART[0]} n_0",
    ),
    Claim(
        "There the pursuits still find x_1 and the image; gradient descent finds no layer",
        "Section 6.1",
        lambda r: (
            f"medians of x_1: {SECOND} {span([median(p, SECOND, 'x_1') for p in first(r)])},"
            f" gradient descent {span([median(p, 'gradient descent', 'x_1') for p in first(r)])};"
            f" of the image: gradient descent"
            f" {span([median(p, 'gradient descent', 'image') for p in first(r)])}"
        ),
        lambda r: all(
            median(p, SECOND, "x_1") >= EXACT
            and median(p, "gradient descent", "x_1") < LOST
            and median(p, "gradient descent", "image") < LOST
            for p in first(r)
        ),
        f"medians of {EXACT:.0f} dB for the pursuit, under {LOST:.0f} dB for gradient descent",
        Verdict.differs,
        "the pursuits do; gradient descent with the paper's search of its step size reproduces"
        " layers better than the paper says, the more the wider they are",
    ),
    Claim(
        "For n_0 < s_1 < n both pursuits find z exactly, far beyond the bound by coherence",
        "Fig. 2, second segment; Corollary 1",
        past_coherence,
        lambda r: all(
            median(p, name) >= EXACT for p in second(r) for name in (SECOND, "basis pursuit")
        ),
        f"medians of {EXACT:.0f} dB or more where s_1 > {APART[1]} n_0 and n_1 <= n",
    ),
    Claim(
        "They also do for n_1 > n",
        "Section 6.1",
        lambda r: f"exact up to n_1 = {by_size(reach(r, SECOND))}; n = {r['n']}",
        lambda r: min(reach(r, SECOND).values()) > r["n"],
        "Latent-Pursuit's median of z exact at an n_1 > n",
    ),
    Claim(
        "Latent-Pursuit goes further than Layered Basis-Pursuit",
        "Fig. 2",
        lambda r: (
            f"exact up to n_1: Latent-Pursuit {by_size(reach(r, SECOND))}, basis pursuit"
            f" {by_size(reach(r, 'basis pursuit'))}"
        ),
        lambda r: all(
            a > b
            for a, b in zip(
                reach(r, SECOND).values(), reach(r, "basis pursuit").values(), strict=True
            )
        ),
        "at every n_0",
        Verdict.differs,
        "both stop between the same two widths of this grid",
    ),
    Claim(
        "Where the hidden layer is much larger than the image the pursuits fail and gradient"
        " descent succeeds",
        "Fig. 2, third segment",
        lambda r: (
            f"medians at n_1 = {max(r['hidden'])}, in dB: {SECOND}, x_1"
            f" {by_size(widest(r, SECOND, 'x_1'), '{:.0f}')}, z"
            f" {by_size(widest(r, SECOND), '{:.0f}')}; gradient descent, z"
            f" {by_size(widest(r, 'gradient descent'), '{:.0f}')}"
        ),
        lambda r: (
            max(widest(r, SECOND).values()) < LOST
            and min(widest(r, "gradient descent").values()) >= 60
        ),
        f"pursuit under {LOST:.0f} dB, gradient descent 60 dB or more",
        Verdict.differs,
        "the pursuit loses x_1, as it must; but debiasing, with the supports of the z found as long"
        " as they change, may find z all the same",
    ),
    Claim(
        "Latent-Pursuit loses x_1 where x_1 >= 0 no longer singles out one solution of n equations",
        "ours; Donoho and Tanner (2010)",
        lambda r: (
            f"between {stops(r)[0]:.2f} and {stops(r)[1]:.2f} times n_1 = 4 n / 3 ="
            f" {orthant_limit(r['n']):.0f}"
        ),
        lambda r: stops(r)[0] <= 1 <= stops(r)[1],
        "4 n / 3 lies between the last width that is exact and the first that is not",
    ),
    Claim(
        "`invert` finds z wherever s_1 > n_0, in all segments",
        "ours",
        lambda r: f"median SNR of z {span([median(p, 'invert') for p in second(r, np.inf)])}",
        lambda r: all(median(p, "invert") >= EXACT for p in second(r, np.inf)),
        f"medians of {EXACT:.0f} dB or more",
    ),
)

SECTION = Section(
    name="random_networks",
    title="Random networks (Fig. 2)",
    about="tanh(W_1 ReLU(W_0 z)) with i.i.d. Gaussian weights, n = 625. Gradient descent searches"
    " its step size as the paper does; Layered Basis-Pursuit has the best lam_1 of the paper's"
    " list; Latent-Pursuit is solved as printed (rho = 1e-2) and exactly; all are debiased. Lines"
    " are medians, ribbons the 25-75 % and 10-90 % quantiles. The paper has 512 signals a point;"
    ' s_1 = n is at n_1 = 1250, beyond its grid. "orthant": n_1 = 4 n / 3, from which on n random'
    " equations and x_1 >= 0 have other solutions than one with n_1 / 2 nonzeros.",
    results={
        "random_networks": {
            "scale, n, latent, hidden, signals, steps, lam_1, rho, cut, seed": "the setting",
            "quantiles": "those under SNR, in %",
            "points": "one a pair (n_0, n_1): s_1, the mean support; worst-case bound on s_1,"
            " 1 / (3 mu(W_1)); best lam_1; SNR in dB, by method and layer",
        }
    },
    commands={
        Scale.tiny: ("validation.random_networks --scale tiny",),
        Scale.small: ("validation.random_networks --scale small",),
        Scale.full: ("validation.random_networks --scale large",),
    },
    figures=(
        Drawing(
            "Fig. 2",
            "Six panels: SNR of z, x_1 and the image over the width of the hidden layer, for n_0 ="
            " 100 and 200, by five methods",
            draw,
        ),
    ),
    claims=CLAIMS,
)
