"""Theorem 3 (corrected), measured: errors of Algorithm 1 over their bounds, by design, noise level
and kind of noise.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxinv import Generator, Status, layered_basis_pursuit, mnist_generator
from cvxinv.guarantees import Verdict, stability
from cvxinv.pursuits.common import Solve
from validation.tightness.designs import NOISES, Design, noise

DRAWS, SEED = 1_250, 0  # draws per design, noise level and kind of noise


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
    s = [x.sum(axis=1) for x in S]
    after = stability(G, inv.supports, eps, sparsity=s, signal=y, observed=observed)
    # whether z is determined, which the status of the inversion says too, is not asked here
    solved = np.all([s.status == Status.OPTIMAL for s in inv.solutions], axis=0)
    entries, norms, outside, missed = [], [], 0, 0
    rows = zip(truth, inv.layers, S, inv.supports, after.layers, before.layers, strict=True)
    for x, x_hat, s, s_hat, known, foreseen in rows:
        sure, error = known.guaranteed & solved, np.abs(x_hat - x)
        entries.append(np.where(sure, over(error, known.entrywise).max(axis=1), np.nan))
        norms.append(np.where(sure, over(np.linalg.norm(error, axis=1), known.error), np.nan))
        outside += int(np.sum(sure & (s_hat & ~s).any(axis=1)))
        promised = solved & (foreseen.recovered == Verdict.HOLDS)
        missed += int(np.sum(promised & (s_hat != s).any(axis=1)))
    sure = after.latent_guaranteed & solved
    latent = np.where(sure, over(np.linalg.norm(inv.z - z, axis=1), after.latent), np.nan)
    pairs = zip(S, inv.supports, strict=True)
    return Measured(
        entries,
        norms,
        latent,
        outside,
        missed,
        guaranteed=[float(layer.guaranteed.mean()) for layer in after.layers],
        strict=[float((s != s_hat).any(axis=1).mean()) for s, s_hat in pairs],
        foreseen=[float((a.recovered == Verdict.HOLDS).mean()) for a in before.layers],
        optimal=float(solved.mean()),
    )


def quantiles(ratios: Any) -> dict[str, float] | None:
    """Median, 99 % quantile and maximum of the ratios that are not nan."""
    ratios = ratios[~np.isnan(ratios)]
    if not len(ratios):
        return None
    median, q99 = np.quantile(ratios, [0.5, 0.99])
    return {"median": float(median), "q99": float(q99), "max": float(ratios.max())}


def theorem3(design: Design, draws: int = DRAWS) -> list[dict[str, Any]]:
    """All noise levels and kinds of noise for one design."""
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
                }
            )
    return rows


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
