"""The errata, a claim each: as printed refuted, as corrected kept."""

from functools import partial

from matplotlib.figure import Figure

from . import style
from .section import Claim, Drawing, Result, Scale, Section

# name: (what the paper says, where, what is true instead)
PRINTED = {
    "E1": (
        "With one lam = 2 eps for all columns supports and errors are those of Theorem 3",
        "Theorem 3, eq. 19",
        "it takes a weight for each column, lam_j = 2 eps ||w_j||",
    ),
    "E2": (
        "The coherence of W_i bounds the error of a layer below the last",
        "Theorem 3",
        "it is the coherence of the rows kept that does",
    ),
    "E3": (
        "Eq. 5 is convex for a smooth, strictly increasing phi",
        "Section 5",
        "it is not; on phi^-1(y) it is",
    ),
    "E4": (
        "A step below 1 / ell for an ell-smooth phi is small enough",
        "Algorithm 5",
        "the step must account for ||W|| and the curvature of phi",
    ),
    "E5": (
        "||z^ - z||^2 is what the proof's product says",
        "Proof of Theorem 3, eqs. 24 and 25",
        "its dimensions do not match; the bound of eq. 4 is right all the same",
    ),
    "E6": (
        "The point that is returned satisfies x >= 0",
        "Algorithm 5",
        "the extrapolated point need not; return the projected one",
    ),
    "E7": (
        "Without noise lam = 0 gives x and z exactly",
        "Corollary 1",
        "a wide W_L has many minimisers at lam = 0; take the limit of small eps",
    ),
    "E8": (
        "i.i.d. weights of any kind make z unique with probability 1",
        "Theorem 2",
        "they need a density",
    ),
    "E9": (
        "With probability 1 z is unique for all signals of a network",
        "Theorem 2, if read so",
        "for one z that is fixed before the weights are drawn",
    ),
    "E10": (
        "The lower bound holds for any W~_j",
        "Theorem 4, eq. 13",
        "it needs full column rank",
    ),
    "E11": (
        "Debiasing keeps the rows of the next support only",
        "Algorithm 3",
        "rows and columns: W_i[S_{i+1}, S_i]",
    ),
    "E12": (
        "Any algorithm fails where the cardinalities of two layers have a ratio below 2",
        "Section 6.1",
        "a ratio above 1 suffices, as Theorem 2 says",
    ),
}


def one(r: Result, name: str) -> Result:
    """The erratum of that name."""
    found: Result = next(e for e in r["errata"] if e["name"] == name)
    return found


def over(m: Result) -> float:
    """A value over its limit, and 1 + value where that is zero."""
    return float(m["value"] / m["limit"] if m["limit"] else 1 + m["value"])


def draw(r: Result) -> Figure:
    """For each erratum the value over the limit, as printed and corrected."""
    rows = {
        e["name"]: {
            "as printed": max(map(over, e["printed"])),
            "corrected": max(map(over, e["corrected"])),
        }
        for e in r["errata"]
    }
    shown = {n: {k: min(max(v, 1e-3), 1e6) for k, v in row.items()} for n, row in rows.items()}
    return style.dots(shown, "measured / claimed (cut at 1e-3 and 1e6)", "Errata", True, 1.0)


def numbers(r: Result, name: str) -> str:
    """What was measured: the printed claim's numbers."""
    return "; ".join(
        f"{m['what']} {m['value']:.3g}, claimed at most {m['limit']:.3g}"
        for m in one(r, name)["printed"]
    )


def printed_holds(r: Result, name: str) -> bool:
    """Whether any number keeps to the printed claim."""
    return any(m["value"] <= m["limit"] for m in one(r, name)["printed"])


def corrected_holds(r: Result) -> bool:
    """Whether every corrected claim is kept."""
    return all(m["value"] <= m["limit"] for e in r["errata"] for m in e["corrected"])


def printed(name: str) -> Claim:
    """A claim as printed."""
    words, place, truth = PRINTED[name]
    return Claim(
        f"{name}: {words}",
        place,
        partial(numbers, name=name),
        partial(printed_holds, name=name),
        "some number keeps to the claim",
        why=truth,
    )


SECTION = Section(
    name="errata",
    title="Errata",
    about="Counterexamples to twelve statements of the paper as printed, small enough to check by"
    " hand. Each number of a printed claim exceeds what it says; the corrected claims hold.",
    results={
        "errata": {
            "errata": "one an erratum: name, place, claim, counterexample, printed and corrected"
            " (what, value, limit), correction"
        }
    },
    commands=dict.fromkeys(Scale, ("validation.errata",)),
    figures=(
        Drawing("Errata", "What was measured over what is claimed, as printed and corrected", draw),
    ),
    claims=(
        *map(printed, PRINTED),
        Claim(
            "Each corrected statement holds on the same counterexample",
            "ours",
            lambda r: (
                f"{sum(len(e['corrected']) for e in r['errata'])} numbers, each within its limit"
            ),
            corrected_holds,
            "all of them",
        ),
    ),
)
