"""Noise against the Cramer-Rao bound."""

from typing import Any

from matplotlib.figure import Figure

from . import style
from .section import Claim, Drawing, Result, Scale, Section

NAMES = {
    "pursuit": "Latent-Pursuit, exact",
    "oracle": "oracle",
    "gradient descent": "gradient descent",
    "hybrid": "hybrid",
    "invert": "invert",
}
NOMINAL = 95.0  # %


def levels(r: Result) -> dict[float, Result]:
    """The settings with all pixels and some noise, by sigma."""
    found = {name: row for name, row in r["settings"].items() if name.startswith("sigma ")}
    return {float(name.split()[1]): row for name, row in found.items() if name != "sigma 0"}


def snr(row: Result, name: str, kind: str = "median") -> float:
    """SNR of z of a method, or of the bound."""
    given = row["bound"] if name == "bound" else row["methods"][name]["snr_db"]
    return float(given[kind])


def draw(r: Result) -> Figure:
    """Median SNR of z against sigma, thin lines for the 10 % quantile."""
    figure = style.new(7.2, 4.2)
    axis = style.tidy(
        figure.subplots(),
        "standard deviation of the noise of a pixel (pixels are in [-1, 1])",
        "SNR of z in dB: median, and 10 % quantile (thin)",
    )
    rows = levels(r)
    for kind, width in (("median", 1.8), ("quantile_10", 0.8)):
        for name, method in NAMES.items():
            colour, line = style.METHODS[method]
            how: dict[str, Any] = {"color": colour, "linestyle": line, "linewidth": width}
            label = name if kind == "median" else None
            axis.plot(
                list(rows), [snr(row, name, kind) for row in rows.values()], label=label, **how
            )
        label = "Cramer-Rao bound" if kind == "median" else None
        bound = [snr(row, "bound", kind) for row in rows.values()]
        axis.plot(list(rows), bound, "kx", markersize=4 * width, label=label)
    axis.set_xscale("log")
    axis.set_ylim(-12, None)
    style.legend(figure, axis, 6)
    style.count(figure, f"{r['signals']} signals a level, 64 at most for gradient descent")
    return figure


def cells(r: Result) -> str:
    """Median / 10 % quantile at each level, of `invert` and of the bound."""
    return "; ".join(
        f"{sigma:g}: {snr(row, 'invert'):.1f} / {snr(row, 'invert', 'quantile_10'):.1f}"
        f" ({snr(row, 'bound'):.1f} / {snr(row, 'bound', 'quantile_10'):.1f})"
        for sigma, row in levels(r).items()
    )


def shortfall(r: Result) -> float:
    """The most that the median is below the bound's."""
    return max(snr(row, "bound") - snr(row, "invert") for row in levels(r).values())


def others(r: Result) -> str:
    """The other methods at sigma = 0.05."""
    row = r["settings"]["sigma 0.05"]
    names = ("pursuit", "oracle", "gradient descent", "random start", "hybrid", "invert")
    return ", ".join(f"{n} {snr(row, n):.1f} / {snr(row, n, 'quantile_10'):.1f}" for n in names)


def coverage(r: Result) -> dict[float, float]:
    """Of nominal 95 % intervals, in %, by sigma."""
    return {s: 100 * row["methods"]["invert"]["coverage_95"] for s, row in levels(r).items()}


def least(r: Result, setting: str) -> float:
    """The lowest SNR of z of all signals."""
    return float(r["settings"][setting]["methods"]["invert"]["snr_db"]["min"])


CLEAN = ("sigma 0", "random mask", "half mask")
SECTION = Section(
    name="noise",
    title="Noise, and error bars",
    about="The shipped gan generator, G(z) + N(0, sigma^2 I). A median may lie somewhat beyond the"
    " bound, which is one on a mean.",
    results={
        "noise": {
            "signals, seed, gradient_descent": "the setting",
            "settings": "by noise and mask: bound, and methods with snr_db (median, quantile_10,"
            " min), signals, seconds; of invert status, agreement_median, coverage_95",
        }
    },
    commands={
        Scale.tiny: ("validation.noise --signals 2",),
        Scale.small: ("validation.noise --signals 48",),
        Scale.full: ("validation.noise --signals 512",),
    },
    figures=(
        Drawing("SNR of z", "Median SNR of z over the noise for five methods and the bound", draw),
    ),
    claims=(
        Claim(
            "With noise `invert` attains the Cramer-Rao bound in the median",
            "ours",
            lambda r: f"SNR of z in dB, median / 10 % quantile, and of the bound: {cells(r)}",
            lambda r: shortfall(r) <= 0.5,
            "within 0.5 dB of the bound's median at each level",
        ),
        Claim(
            "No single start does so reliably",
            "ours",
            lambda r: f"at sigma 0.05, median / 10 % quantile in dB: {others(r)}",
            lambda r: all(
                snr(r["settings"]["sigma 0.05"], name, "quantile_10")
                < snr(r["settings"]["sigma 0.05"], "invert", "quantile_10")
                for name in ("pursuit", "oracle", "gradient descent", "random start", "hybrid")
            ),
            "the 10 % quantile of every other method is lower",
        ),
        Claim(
            "Latent-Pursuit collapses with noise",
            "ours",
            lambda r: (
                "median SNR of z "
                + ", ".join(
                    f"{snr(row, 'pursuit'):.1f} dB at {s:g}" for s, row in levels(r).items()
                )
            ),
            lambda r: snr(r["settings"]["sigma 0.05"], "pursuit") < 10,
            "under 10 dB at 0.05",
        ),
        Claim(
            "Error bars are honest where noise is small",
            "ours",
            lambda r: (
                "nominal 95 % intervals cover "
                + ", ".join(f"{share:.1f} % at {s:g}" for s, share in coverage(r).items())
            ),
            lambda r: all(
                abs(share - NOMINAL) <= 3 for s, share in coverage(r).items() if s <= 0.1
            ),
            "92 to 98 % up to sigma = 0.1",
        ),
        Claim(
            "Without noise `invert` is exact, clean and masked",
            "ours",
            lambda r: "lowest SNR of z " + ", ".join(f"{least(r, s):.1f} dB ({s})" for s in CLEAN),
            lambda r: all(least(r, s) >= 180 for s in CLEAN),
            "180 dB or more for every signal",
        ),
    ),
)
