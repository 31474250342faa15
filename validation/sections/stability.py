"""Theorems 3 and 4, measured: errors over their bounds."""

from matplotlib.figure import Figure

from . import style
from .section import Claim, Drawing, Result, Scale, Section


def designs(r: Result) -> list[str]:
    """Their names, in order."""
    return list(dict.fromkeys(row["design"] for row in r["theorem_3"]))


def worst(r: Result, design: str, key: str) -> float:
    """The largest ratio of a design."""
    rows = [row for row in r["theorem_3"] if row["design"] == design]
    kinds = [q for row in rows for q in (row[key] if isinstance(row[key], list) else [row[key]])]
    return max((q["max"] for q in kinds if q), default=float("nan"))


def ratios(r: Result) -> Figure:
    """The largest errors over their bounds, a line a design."""
    words = {"entrywise": "largest entry of x_i", "norms": "||x_i||_2", "latent": "z"}
    rows = {d: {word: worst(r, d, key) for key, word in words.items()} for d in designs(r)}
    title = f"Theorem 3, corrected: largest of {r['draws']} draws"
    return style.dots(rows, "error / bound", title, line=1.0)


def oracle(r: Result) -> Figure:
    """Measured mean squared errors, with both ends and the expectation."""
    rows = {
        f"{row['design']}, layer {row['layer']}": {
            "measured": row["mean"],
            "expected": row["expected"],
            "lower bound": row["lower"],
            "upper bound": row["upper"],
        }
        for row in r["theorem_4"]
    }
    return style.dots(rows, "mean squared error (logarithmic)", "Theorem 4", log=True)


def inside(r: Result) -> list[bool]:
    """Whether the exact expectation lies in the 99 % interval, for each layer."""
    rows = r["theorem_4"]
    return [row["interval_99"][0] <= row["expected"] <= row["interval_99"][1] for row in rows]


def apart(r: Result) -> dict[str, float]:
    """Upper over lower bound, the largest of each design."""
    out: dict[str, float] = {}
    for row in r["theorem_4"]:
        out[row["design"]] = max(out.get(row["design"], 0.0), row["upper"] / row["lower"])
    return out


def of_shipped(r: Result) -> str:
    """How far the shipped generator is from the condition."""
    rows = r["shipped_generator"]
    holds, limit = sum(row["holds"] for row in rows), max(row["largest_limit"] for row in rows)
    least = min(row["least_s"] for row in rows)
    return (
        f"holds for {holds} of {rows[0]['signals']} signals: at most {limit:.2f} on the right,"
        f" {least} nonzeros or more on the left"
    )


SECTION = Section(
    name="tightness",
    title="Stability (Theorems 3 and 4)",
    about="Algorithm 1 with one weight per column, lam_j = 2 eps ||w_j||, on nine designs whose"
    " coherence is small enough, with noise at random and aimed; and the oracle on two generators"
    " against both ends of Theorem 4.",
    results={
        "tightness": {
            "draws, violations, constant, worst_entrywise": "in all",
            "shipped_generator": "the condition of Theorem 3 there, by layer",
            "theorem_3": "one a design, noise level and kind of noise: counts, and quantiles of"
            " error over bound",
            "theorem_4": "one a design and layer: mean, interval_99, expected, lower, upper",
        }
    },
    commands={
        Scale.tiny: ("validation.tightness --draws 4",),
        Scale.small: ("validation.tightness --draws 250",),
        Scale.full: ("validation.tightness",),
    },
    figures=(
        Drawing("Theorem 3", "Largest error over bound for nine designs; none exceeds 1", ratios),
        Drawing("Theorem 4", "Mean squared error by layer, between its two bounds", oracle),
    ),
    claims=(
        Claim(
            "Theorem 3, corrected, is never violated where its conditions hold",
            "Theorem 3",
            lambda r: f"{r['violations']} violations in {r['draws']} draws",
            lambda r: r["violations"] == 0,
            "none",
        ),
        Claim(
            "Its entrywise bound is tight up to a tenth",
            "ours",
            lambda r: f"largest error {r['worst_entrywise']:.3f} of the bound",
            lambda r: r["worst_entrywise"] >= 0.9,
            "0.9 or more",
        ),
        Claim(
            "The shipped generator is far from its condition, s_i < 1 / (3 mu)",
            "ours",
            of_shipped,
            lambda r: all(row["holds"] == 0 for row in r["shipped_generator"]),
            "for no signal",
        ),
        Claim(
            "The oracle's error lies between the bounds, and its expectation is known exactly",
            "Theorem 4",
            lambda r: (
                f"the expectation lies in {sum(inside(r))} of {len(inside(r))} 99 % intervals"
            ),
            lambda r: (
                all(inside(r))
                and all(row["lower"] <= 1.01 * row["mean"] for row in r["theorem_4"])
                and all(row["mean"] <= 1.01 * row["upper"] for row in r["theorem_4"])
            ),
            "all intervals, and both bounds to 1 %",
        ),
        Claim(
            "The bounds meet on orthogonal designs, and are far apart elsewhere",
            "ours",
            lambda r: (
                "upper over lower bound "
                + ", ".join(f"{ratio:.4g} ({name})" for name, ratio in apart(r).items())
            ),
            lambda r: abs(apart(r)["orthogonal"] - 1) < 1e-9 and apart(r)["Gaussian"] > 100,
            "equal to 1e-9; a factor of 100 or more",
        ),
    ),
)
