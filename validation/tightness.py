"""How tight the corrected Theorem 3 and Theorem 4 are: errors over bounds, on designs where the
conditions hold, for aimed noise too.

Run as `python -m validation.tightness`; writes validation/results/tightness.json and tightness.png.
"""

from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from rich.console import Console
from rich.table import Table

from cvxinv import Generator, Status, layered_basis_pursuit, mnist_generator, oracle
from cvxinv.guarantees import Verdict, oracle_error, stability
from cvxinv.guarantees.recursion import TROPP
from cvxinv.pursuits.common import Solve
from validation.designs import NOISES, Design, designs, noise, orthonormal, pairs
from validation.record import RESULTS, store

DRAWS, SEED = 1_250, 0  # draws per design, noise level and kind of noise
ORACLE_DRAWS = 20_000


@dataclass(frozen=True, eq=False)
class Measured:
    """Errors over bounds for B signals, nan where the theorem does not promise anything; violations
    are to be zero.

    Attributes
    ----------
    entries, norms : list of (B,) arrays
        For x_1 .. x_L: the largest |x^_ij - x_ij| over its bound, and ||x^_i - x_i||_2 over its
        bound.
    latent : (B,) array
        ||z^ - z||_2 over its bound.
    outside : int
        Signals and layers with S^_i not within S_i, although guaranteed.
    missed : int
        Signals and layers with S^_i other than S_i, although the sizes of the entries promise it
        beforehand.
    guaranteed, strict, foreseen : list of float
        Per layer, the share of signals for which the claims are proven knowing S^ and s_i; for
        which S^_i is a strict subset of S_i; for which S^_i = S_i was promised beforehand.
    optimal : float
        The share of signals that the solver solved.
    """

    entries: list[Any]
    norms: list[Any]
    latent: Any
    outside: int
    missed: int
    guaranteed: list[float]
    strict: list[float]
    foreseen: list[float]
    optimal: float

    @property
    def violations(self) -> int:
        """How often the theorem was wrong: in a support, or by an error that is not less than its
        bound.
        """
        ratios = np.array([*self.entries, *self.norms, self.latent])
        return self.outside + self.missed + int(np.sum(ratios > 1))


def over(error: Any, bound: Any) -> Any:
    """error / bound, which is 0 where there is no error, whatever the bound."""
    with np.errstate(divide="ignore"):
        return np.divide(error, bound, out=np.zeros_like(error), where=error > 0)


def measure(
    G: Generator, z: Any, e: Any, eps: float, solve: Solve | None = None, observed: Any = None
) -> Measured:
    """Algorithm 1 on G(z) + e with ||e||_2 <= eps, against everything that Theorem 3 (corrected)
    claims of it.
    """
    truth, y = G.layers(z), G(z) + e
    S = [x > 0 for x in truth]
    before = stability(G, S, eps, layers=truth, observed=observed)
    inv = layered_basis_pursuit(G, y, solve=solve, noise=eps, observed=observed)
    after = stability(
        G, inv.supports, eps, sparsity=[s.sum(axis=1) for s in S], signal=y, observed=observed
    )
    solved = inv.status == Status.OPTIMAL
    entries, norms, outside, missed = [], [], 0, 0
    for x, x_hat, s, s_hat, known, foreseen in zip(
        truth, inv.layers, S, inv.supports, after.layers, before.layers, strict=True
    ):
        sure, error = known.guaranteed & solved, np.abs(x_hat - x)
        entries.append(np.where(sure, over(error, known.entrywise).max(axis=1), np.nan))
        norms.append(np.where(sure, over(np.linalg.norm(error, axis=1), known.error), np.nan))
        outside += int(np.sum(sure & (s_hat & ~s).any(axis=1)))
        missed += int(
            np.sum(solved & (foreseen.recovered == Verdict.HOLDS) & (s_hat != s).any(axis=1))
        )
    sure = after.latent_guaranteed & solved
    latent = np.where(sure, over(np.linalg.norm(inv.z - z, axis=1), after.latent), np.nan)
    return Measured(
        entries,
        norms,
        latent,
        outside,
        missed,
        guaranteed=[float(a.guaranteed.mean()) for a in after.layers],
        strict=[
            float((s != s_hat).any(axis=1).mean()) for s, s_hat in zip(S, inv.supports, strict=True)
        ],
        foreseen=[float((a.recovered == Verdict.HOLDS).mean()) for a in before.layers],
        optimal=float(solved.mean()),
    )


def quantiles(ratios: Any) -> dict[str, float] | None:
    """Median, 99 % quantile and maximum of the ratios that are not nan."""
    ratios = ratios[~np.isnan(ratios)]
    return (
        {
            "median": float(np.median(ratios)),
            "q99": float(np.quantile(ratios, 0.99)),
            "max": float(ratios.max()),
        }
        if len(ratios)
        else None
    )


def theorem3(design: Design, draws: int = DRAWS) -> list[dict[str, Any]]:
    """All noise levels and kinds of noise for one design; the ratios themselves under "ratios"."""
    rng, rows = np.random.default_rng(SEED), []
    for eps in design.noises:
        for kind in NOISES:
            z = design.draw(draws, rng)
            m = measure(design.G, z, noise(kind, design, z, eps, rng), eps)
            rows.append(
                {
                    "design": design.name,
                    "sizes": design.G.sizes,
                    "activation": design.G.activation.name,
                    "noise": eps,
                    "kind": kind,
                    "draws": draws,
                    "largest_s": [int(s.sum(axis=1).max()) for s in design.G.supports(z)],
                    "violations": m.violations,
                    "guaranteed": m.guaranteed,
                    "found_a_strict_subset": m.strict,
                    "recovery_promised_beforehand": m.foreseen,
                    "solved": m.optimal,
                    "entrywise": [quantiles(r) for r in m.entries],
                    "norms": [quantiles(r) for r in m.norms],
                    "latent": quantiles(m.latent),
                    "ratios": m.entries[-1],
                }
            )
    return rows


def theorem4(
    name: str, G: Generator, z: Any, sigma: float = 0.01, draws: int = ORACLE_DRAWS
) -> list[dict[str, Any]]:
    """The oracle's mean squared error over many draws of noise, with its 99 % confidence interval,
    against Theorem 4.
    """
    S = G.supports(z)
    bounds = oracle_error(G, S, sigma)
    y = G(z) + sigma * np.random.default_rng(SEED).standard_normal((draws, G.sizes[-1]))
    inv = oracle(G, y, [np.repeat(s[None], draws, axis=0) for s in S])
    rows = []
    for i, (x, x_hat) in enumerate(zip([z, *G.layers(z)], [inv.z, *inv.layers], strict=True)):
        squares = np.sum((x_hat - x) ** 2, axis=1)
        mean, half = float(squares.mean()), float(2.576 * squares.std() / np.sqrt(draws))
        rows.append(
            {
                "design": name,
                "layer": i,
                "draws": draws,
                "mean": mean,
                "interval_99": [mean - half, mean + half],
                "expected": float(bounds.expected[i]),
                "lower": float(bounds.lower[i]),
                "upper": float(bounds.upper[i]),
            }
        )
    return rows


def oracles() -> list[tuple[str, Generator, Any]]:
    """Generators for Theorem 4: orthogonal at every support, where both bounds are equal; and
    Gaussian ones.
    """
    rng = np.random.default_rng(0)
    orthogonal = Generator(
        [
            pairs(2 * orthonormal(4, 4, rng)),
            pairs(orthonormal(8, 8, rng)),
            3 * orthonormal(24, 16, rng),
        ]
    )
    gaussian = Generator([rng.standard_normal((m, n)) for n, m in ((3, 16), (16, 40), (40, 60))])
    return [
        ("orthogonal", orthogonal, rng.standard_normal(4)),
        ("Gaussian", gaussian, rng.standard_normal(3)),
    ]


def shipped(count: int = 128) -> list[dict[str, Any]]:
    """How far the layers of the shipped generator are from the condition s_i < 1 / (3 mu), at their
    true supports.
    """
    G = mnist_generator()
    S = G.supports(np.random.default_rng(SEED).standard_normal((count, G.sizes[0])))
    layers = stability(G, S, 1e-3).layers
    return [
        {
            "layer": i + 1,
            "least_s": int(s.sum(axis=1).min()),
            "median_s": float(np.median(s.sum(axis=1))),
            "least_coherence": float(layer.coherence.min()),
            "largest_limit": float(1 / (3 * layer.coherence.min())),
            "holds": int(np.sum(layer.condition == Verdict.HOLDS)),
            "signals": count,
        }
        for i, (layer, s) in enumerate(zip(layers, S, strict=True))
    ]


def picture(rows: list[dict[str, Any]]) -> None:
    """Histograms of the last layer's largest entrywise error over its bound, one panel per
    design.
    """
    names = list(dict.fromkeys(row["design"] for row in rows))
    figure, axes = plt.subplots(3, 3, figsize=(11, 7), sharex=True, layout="constrained")
    for name, axis in zip(names, axes.flat, strict=True):
        for kind in NOISES:
            ratios = np.concatenate(
                [row["ratios"] for row in rows if row["design"] == name and row["kind"] == kind]
            )
            axis.hist(
                ratios[~np.isnan(ratios)],
                bins=np.linspace(0, 1.05, 64),
                histtype="step",
                label=kind,
            )
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_title(name, fontsize=9)
        axis.set_yticks([])
    axes[0, 0].legend(fontsize=7)
    figure.supxlabel("largest entrywise error of x_L / bound of Theorem 3, corrected")
    figure.savefig(RESULTS / "tightness.png", dpi=110)


def main() -> None:
    """Measure, store, draw and print a summary."""
    rows = [row for design in designs() for row in theorem3(design)]
    picture(rows)
    console, table = (
        Console(width=140),
        Table(
            "design",
            "draws",
            "s up to",
            "violations",
            "worst entrywise",
            "worst norm",
            "worst latent",
        ),
    )
    for name in dict.fromkeys(row["design"] for row in rows):
        mine = [row for row in rows if row["design"] == name]
        worst = [
            max((q["max"] for row in mine for q in key(row) if q), default=float("nan"))
            for key in KEYS
        ]
        table.add_row(
            name,
            str(sum(r["draws"] for r in mine)),
            str(max(max(r["largest_s"]) for r in mine)),
            str(sum(r["violations"] for r in mine)),
            *(f"{w:.3f}" for w in worst),
        )
    console.print(table)
    found = [row for name, G, z in oracles() for row in theorem4(name, G, z)]
    table = Table("design", "layer", "lower", "mean, 99 % interval", "expected", "upper")
    for row in found:
        low, high = row["interval_99"]
        table.add_row(
            row["design"],
            str(row["layer"]),
            *(f"{v}" for v in (f"{row['lower']:.3e}", f"{low:.3e} .. {high:.3e}")),
            f"{row['expected']:.3e}",
            f"{row['upper']:.3e}",
        )
    console.print(table)
    result = {
        "draws": sum(row["draws"] for row in rows),
        "violations": sum(row["violations"] for row in rows),
        "constant": TROPP,
        "worst_entrywise": max(q["max"] for row in rows for q in row["entrywise"] if q),
        "shipped_generator": shipped(),
        "theorem_3": [{k: v for k, v in row.items() if k != "ratios"} for row in rows],
        "theorem_4": found,
    }
    store("tightness", result, ("numpy", "torch"))


KEYS = (lambda row: row["entrywise"], lambda row: row["norms"], lambda row: [row["latent"]])

if __name__ == "__main__":
    main()
