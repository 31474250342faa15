"""Whether it can be trusted: hostile instances, wrong solvers, mutants, a long profile."""

from matplotlib.figure import Figure

from . import style
from .section import Claim, Drawing, Result, Scale, Section, Verdict

# kinds of failures of the hostile run that are outside of what is promised
BEYOND = ("far out only", "farther than promised")


def statuses(r: Result) -> Figure:
    """How many signals each backend solved."""
    values = {
        name: sum(row.get("OPTIMAL", 0) for row in kinds.values()) / sum(map(_all, kinds.values()))
        for name, kinds in r["statuses"].items()
    }
    return style.bars(
        {name: 100 * share for name, share in values.items()},
        "OPTIMAL, % of the hostile signals",
        f"{r['instances']} small signals",
    )


def _all(row: Result) -> int:
    return sum(row.values())


def failures(r: Result, beyond: bool) -> dict[str, int]:
    """Counts by kind: of what is promised, or beyond it."""
    out: dict[str, int] = {}
    for f in r["failures"]:
        if any(words in f["kind"] for words in BEYOND) == beyond:
            out[f["kind"]] = out.get(f["kind"], 0) + f["count"]
    return out


def listed(counts: dict[str, int]) -> str:
    """Counts in words."""
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "none"


HOSTILE_SECTION = Section(
    name="hostile",
    title="Hostile instances, in exact arithmetic",
    about="Ties, degenerate vertices, near-duplicate columns, scales from 1e-12 to 1e12, good and"
    " bad rows together; statuses and bounds are checked in rational arithmetic.",
    results={
        "hostile": {
            "instances, seed, minutes, seen": "the setting; how many answers of whom",
            "statuses": "by backend and statement",
            "relative_figures_by_power_of_ten": "by backend and figure",
            "failures": "kind, backend, class, count, examples as code",
        }
    },
    commands={
        Scale.tiny: ("validation.hostile --instances 20",),
        Scale.small: ("validation.hostile --instances 400",),
        Scale.full: ("validation.hostile --instances 20000",),
    },
    figures=(
        Drawing("Solved", "Share of hostile signals that each backend calls OPTIMAL", statuses),
    ),
    claims=(
        Claim(
            "What a certificate promises holds on hostile instances",
            "ours",
            lambda r: (
                f"{r['seen']['verify']} points judged by `verify`; broken promises:"
                f" {listed(failures(r, beyond=False))}"
            ),
            lambda r: not failures(r, beyond=False),
            "none broken",
        ),
        Claim(
            "Beyond what it promises, little goes wrong",
            "ours",
            lambda r: listed(failures(r, beyond=True)),
            lambda r: sum(failures(r, beyond=True).values()) <= 0.01 * r["seen"]["verify"],
            "1 % of the points",
        ),
    ),
)


def examples(r: Result) -> Figure:
    """Examples until a wrong solver is rejected."""
    values = {f"{row['solver']} ({row['kind']})": row["examples"] for row in r["wrong"]}
    return style.bars(values, "examples until it is rejected (logarithmic)", "Wrong solvers", True)


def rejected(r: Result) -> int:
    """How many wrong solvers were."""
    return sum(not row["accepted"] for row in r["wrong"])


def accepted(r: Result) -> int:
    """How many honest ones were."""
    return sum(row["accepted"] for row in r["honest"])


CONFORMANCE_SECTION = Section(
    name="conformance",
    title="Other people's solvers",
    about="`cvxinv.testing.check_solver` on wrong solvers and on honest ones; tables in"
    " docs/testing.md.",
    results={
        "conformance": {
            "tol, max_examples": "of check_solver",
            "honest, wrong": "solver, kind, accepted, examples, seconds, level, words, version",
            "defaults": "solvers at their defaults: promise, claimed and optimal by size",
        }
    },
    commands={Scale.tiny: (), Scale.small: (), Scale.full: ("validation.conformance",)},
    figures=(Drawing("Wrong solvers", "Examples until each wrong solver is rejected", examples),),
    claims=(
        Claim(
            "The kit rejects wrong solvers",
            "ours",
            lambda r: (
                f"{rejected(r)} of {len(r['wrong'])}, in"
                f" {sum(row['seconds'] for row in r['wrong']):.0f} s"
            ),
            lambda r: rejected(r) == len(r["wrong"]),
            "all",
        ),
        Claim(
            "It accepts honest ones",
            "ours",
            lambda r: f"{accepted(r)} of {len(r['honest'])} pairs of solver and kind",
            lambda r: accepted(r) == len(r["honest"]),
            "all",
        ),
    ),
)


def rooms(r: Result) -> dict[str, float]:
    """Mutation scores in %, by room."""
    return {name: 100 * row["score"] for name, row in r["scores"].items()}


MUTATION_SECTION = Section(
    name="mutation",
    title="Mutants of our own code",
    about="Small changes of the sources, drawn at random: does a test notice? Survivors are"
    " explained in mutation/survivors.toml; those that change nothing do not count.",
    results={
        "mutation": {
            "seed, budget": "the setting",
            "scores": "by room: drawn, killed, equivalent, speed, heuristic, unexplained, score",
            "mutants": "one a mutant",
        }
    },
    commands={Scale.tiny: (), Scale.small: (), Scale.full: ("validation.mutation OUT",)},
    figures=(
        Drawing(
            "Scores",
            "Mutation score of each room",
            lambda r: style.bars(rooms(r), "noticed, %", "Mutants", line=85.0),
        ),
    ),
    claims=(
        Claim(
            "The tests notice small changes of the sources",
            "ours",
            lambda r: (
                f"{r['scores']['all']['killed']} of {r['scores']['all']['drawn']} noticed,"
                f" {r['scores']['all']['equivalent']} of the others equivalent,"
                f" {r['scores']['all']['speed']} a matter of speed; score "
                + ", ".join(f"{name} {score:.1f} %" for name, score in rooms(r).items())
            ),
            lambda r: min(rooms(r).values()) >= 85,
            "85 % in each room",
        ),
    ),
)


def files(r: Result) -> Figure:
    """Examples by file."""
    values = {
        name.removeprefix("tests/"): float(row["examples"])
        for name, row in r["files"].items()
        if row["examples"]
    }
    return style.bars(values, "examples (logarithmic)", "Property tests", True, form="{:.0f}")


LONG_SECTION = Section(
    name="long_profile",
    title="The property tests, long",
    about="Every property test with up to 2 000 random examples; `pytest"
    " --hypothesis-profile=long`.",
    results={
        "long_profile": {
            "seed, examples": "the setting; how many in all",
            "failed": "by test: the message",
            "found": "what the failures were",
            "files": "examples, invalid, seconds, tests not run",
            "done": "the tests that were run",
        }
    },
    commands={
        Scale.tiny: ("validation.long_profile 1 0 tests/rows",),
        Scale.small: (),
        Scale.full: ("validation.long_profile 125 0",),
    },
    figures=(Drawing("Examples", "Examples by file of tests", files),),
    claims=(
        Claim(
            "200 000 random examples fail nowhere without an explanation",
            "ours",
            lambda r: f"{r['examples']} examples, {len(r['failed'])} tests failed",
            lambda r: r["examples"] >= 200_000 and set(r["failed"]) <= set(r.get("found", {})),
            "200 000 examples, each failure explained",
            Verdict.refuted,
        ),
    ),
)
