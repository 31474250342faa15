"""Slips in a formula and in a claim about recovery: errata E11 and E12."""

import numpy as np

from cvxinv import Generator, latent_pursuit, reference, snr
from validation.errata.erratum import Erratum, Measurement


def e11() -> Erratum:
    """The debiasing step of Algorithm 3 multiplies matrices that do not fit."""
    rng = np.random.default_rng(0)
    G = Generator([rng.standard_normal((6, 2)), rng.standard_normal((9, 6))])
    z = rng.standard_normal(2)
    W_0, W_1 = G.weights
    S = G.supports(z)[0]
    error = float(np.abs(W_1[:, S] @ W_0[S] @ z - G(z)).max())
    return Erratum(
        name="E11",
        place="Algorithm 3, debiasing",
        claim="G(z) = phi((prod_{i=L..0} W_i^{S_{i+1}}) z), the superscript keeping rows",
        counterexample="n_0 = 2, n_1 = 6, n = 9: W_1^{S_2} has n_1 columns, W_0^{S_1} has s_1 rows",
        printed=(Measurement("n_1, against s_1", 6.0, float(S.sum())),),
        correction="W_i[S_{i+1}, S_i], rows and columns kept",
        corrected=(Measurement("|product z - G(z)|", error, 1e-12),),
    )


def e12() -> Erratum:
    """Recovery with cardinalities that grow by less than a factor of 2."""
    rng = np.random.default_rng(0)
    G = Generator([rng.standard_normal((30, 10)), rng.standard_normal((100, 30))])
    z = rng.standard_normal((200, 10))
    s = G.supports(z)[0].sum(axis=1)
    z = z[(s > 10) & (s < 20)][:20]
    s = G.supports(z)[0].sum(axis=1)
    found = snr(z, latent_pursuit(G, G(z), solve=reference.solve, debias=False).z)
    recovered = float(np.mean(found > 150))
    return Erratum(
        name="E12",
        place="section 6.1",
        claim="Gradient descent (and any other algorithm) fails when the ratio between the"
        " cardinalities of the layers is smaller than 2",
        counterexample=f"Gaussian weights, 10-30-100, {len(z)} signals with s_1 / n_0 from"
        f" {s.min() / 10:g} to {s.max() / 10:g}: Latent-Pursuit",
        printed=(Measurement("share recovered to 150 dB", recovered, 0.0),),
        correction="As Theorem 2 says: a ratio above 1 suffices",
        corrected=(Measurement("share not recovered", 1 - recovered, 0.0),),
    )
