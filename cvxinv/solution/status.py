"""How the solve of a signal ended."""

from collections import Counter
from enum import Enum
from typing import Any

import numpy as np


class Status(Enum):
    """How the solve of one signal ended; the value is what a person should know or do about it."""

    OPTIMAL = (
        "Optimal to the tolerance, by the data: KKT residual, violation and, where there is one,"
        " duality gap (`cvxinv.certificate.verify` says what that promises); of `invert`: the"
        " signal is reproduced."
    )
    STATIONARY = "A KKT point of a problem that is not convex: better ones may exist."
    MAX_ITER = (
        "Not optimal to the tolerance; the certificate, where there is one, says how far."
        " Try more iterations or another solver, or look at the scaling of the data."
    )
    NONFINITE = (
        "The signal holds nan or inf where it is observed; it was not solved. Hide those pixels:"
        " observed=np.isfinite(y)."
    )
    INVALID_SIGNAL = (
        "The signal lies far outside the range of the output activation; it was not solved. Is it"
        " scaled otherwise?"
    )
    NOT_IDENTIFIABLE = (
        "Other latent vectors nearby give the same observed pixels: z is one of many. Observe more"
        " pixels, or state a prior (with noise)."
    )
    INFEASIBLE = (
        "No x satisfies the constraints (a bias can do that): no point of the layer has this"
        " support; `infeasibility` proves it (`cvxinv.refutes` says to what reach)."
    )

    def __repr__(self) -> str:
        return self.name


# what the figures of a certificate may be of a point that is called OPTIMAL
STATUS_TOLERANCE = {"float64": 1e-8, "float32": 1e-5}


def tally(status: Any) -> str:
    """How many signals have which status; its name for a signal alone."""
    if isinstance(status, Status):
        return status.name
    counts = Counter(s.name for s in status).most_common()
    return ", ".join(f"{count} {name}" for name, count in counts) or "no signals"


def worst(statuses: list[Any]) -> Any:
    """Per signal, the first failure among statuses in the order given; else STATIONARY if any is,
    else OPTIMAL.
    """
    out = np.full(np.shape(statuses[0]), Status.OPTIMAL, dtype=object)
    for status in reversed(statuses):
        status = np.asarray(status, dtype=object)
        out = np.where(
            status == Status.OPTIMAL,
            out,
            np.where((status == Status.STATIONARY) & (out != Status.OPTIMAL), out, status),
        )
    return out if out.ndim else out.item()


def marked(status: Any, mask: Any, mark: Status) -> Any:
    """The statuses, with `mark` where `mask` says so."""
    out = np.array(status, dtype=object)
    out[np.asarray(mask)] = mark
    return out if out.ndim else out.item()
