"""The kinds of statements by the names that people know, and strategies for each."""

from typing import Unpack

from hypothesis import strategies as st

from cvxinv import checks
from cvxinv.problems import BasisPursuit, LastLayer, Latent, LayerProblem, LeastSquares, MidLayer
from cvxinv.testing.examples import Form, examples
from cvxinv.testing.names import KINDS
from cvxinv.testing.plant import Planted, planted_examples
from cvxinv.testing.traits import Traits, asked

FORMS: dict[str, tuple[Form, ...]] = {
    "least_squares": (Form(LeastSquares),),
    "nnls": (Form(LastLayer, weighted=False, plain=True),),
    "lasso": (Form(BasisPursuit, weighted=True, one_weight=True, plain=True),),
    "last_layers": (Form(LastLayer),),
    "basis_pursuits": (Form(BasisPursuit),),
    "mid_layers": (Form(MidLayer),),
    "latents": (Form(Latent),),
    "qps": (Form(MidLayer), Form(Latent)),
}


def statements(kind: str, **traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """Statements of a kind by its name, for example `statements("lasso", rows=(1, 4))`.

    Parameters
    ----------
    kind : "least_squares", "nnls", "lasso", "last_layers", "basis_pursuits", "mid_layers",
        "latents" or "qps"
    **traits
        What is asked of them: `cvxinv.testing.Traits`.

    Raises
    ------
    TypeError, ValueError
        Naming the trait, what was given and what is expected.
    """
    forms = FORMS[checks.choice("kind", kind, KINDS)]
    return examples(forms, asked(**traits)).map(lambda example: example.problem)


def planted(kind: str, **traits: Unpack[Traits]) -> st.SearchStrategy[Planted]:
    """Statements made around their solution, with it: what is optimal is known without a solver.

    Parameters
    ----------
    kind : as of `statements`
    **traits
        `rows`, `columns`, `batch`, `dtype`, `library`, `weight`, `scale` and `matrix_scale` count.
        With fewer rows than signals, there are more: one for each.
    """
    return planted_examples(FORMS[checks.choice("kind", kind, KINDS)], asked(**traits))


def last_layers(**traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """Image layers with the identity, eq. 5: min 1/2 ||W x + b - y||^2 + lam 1'x over x >= 0."""
    return statements("last_layers", **traits)


def mid_layers(**traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """Hidden layers, eq. 6: least squares and lam 1'x over x >= 0 with W^Sc x + b^Sc <= 0."""
    return statements("mid_layers", **traits)


def latents(**traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """Latent vectors, eq. 9: least squares and gamma/2 ||z||^2 with W^Sc z + b^Sc <= 0."""
    return statements("latents", **traits)


def basis_pursuits(**traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """Basis pursuits (Algorithm 1): least squares and sum_j lam_j |x_j|."""
    return statements("basis_pursuits", **traits)


def least_squares(**traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """Least squares on some rows and columns (Algorithm 4)."""
    return statements("least_squares", **traits)


def nnls(**traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """Non-negative least squares: `LastLayer` with lam = 0, without bias and masks."""
    return statements("nnls", **traits)


def lasso(**traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """The lasso: `BasisPursuit` with one lam > 0, without bias and masks."""
    return statements("lasso", **traits)


def qps(**traits: Unpack[Traits]) -> st.SearchStrategy[LayerProblem]:
    """Quadratic programs with inequalities: `MidLayer` or `Latent`."""
    return statements("qps", **traits)
