"""Run time of section 6.2, beside the paper's."""

from matplotlib.figure import Figure

from . import style
from .section import Claim, Drawing, Result, Scale, Section, Verdict


def draw(r: Result) -> Figure:
    """Seconds layer by layer, and in all."""
    paper = {f"paper, GPU: {name}": seconds for name, seconds in r["paper"].items()}
    here = {
        f"{name}: {part}": seconds
        for name, parts in r["seconds"].items()
        for part, seconds in parts.items()
    }
    title = f"{r['signals']} signals, {r['steps']} iterations"
    return style.bars(paper | here, "seconds (logarithmic)", title, log=True)


def seconds(r: Result, name: str) -> str:
    """By part."""
    return f"{name} " + ", ".join(f"{part} {s:.2f} s" for part, s in r["seconds"][name].items())


def total(r: Result, name: str) -> float:
    """In all."""
    return float(r["seconds"][name]["in all"])


SECTION = Section(
    name="run_time",
    title="Run time (section 6.2)",
    about="512 clean signals of the gan generator, in one batch, layer by layer. The paper's GPU, a"
    " GTX 1080 Ti, does about 11 TFLOP/s in float32; two cores of this CPU about a hundredth of"
    " that. The printed algorithms run with 10 000 iterations a layer and of debiasing in float32;"
    " the paper does not say how many its layers took.",
    results={
        "run_time": {
            "signals, steps": "how many; iterations of the printed methods",
            "paper": "seconds as the paper has them",
            "seconds": "by method: of each layer, of debiasing, and in all",
        }
    },
    commands={
        Scale.tiny: ("validation.run_time --signals 4 --steps 20",),
        Scale.small: ("validation.run_time --signals 64 --steps 1000",),
        Scale.full: ("validation.run_time",),
    },
    figures=(
        Drawing("Seconds", "Bars of seconds: the paper's, the printed algorithms', ours", draw),
    ),
    claims=(
        Claim(
            "Latent-Pursuit takes about 15 s a layer and 75 s with debiasing, for 512 signals",
            "Section 6.2",
            lambda r: seconds(r, "Latent-Pursuit, printed"),
            lambda r: 25 <= total(r, "Latent-Pursuit, printed") <= 225,
            "within a factor of 3 of 75 s, on this CPU",
            Verdict.differs,
            "another machine, another number of iterations",
        ),
        Claim(
            "Gradient descent takes about 30 s, less than Latent-Pursuit",
            "Section 6.2",
            lambda r: seconds(r, "gradient descent"),
            lambda r: total(r, "gradient descent") < total(r, "Latent-Pursuit, printed"),
            "less than the printed pursuit, on this CPU",
        ),
        Claim(
            "Solved by active sets, Latent-Pursuit takes a hundredth of that, and is exact",
            "ours",
            lambda r: seconds(r, "Latent-Pursuit, exact") + "; " + seconds(r, "invert"),
            lambda r: (
                100 * total(r, "Latent-Pursuit, exact") <= total(r, "Latent-Pursuit, printed")
            ),
            "a hundredth of the printed pursuit's time in all",
            Verdict.differs,
            "less than a hundredfold in this run",
        ),
    ),
)
