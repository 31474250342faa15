"""What belongs to the whole process, and a call must leave as it was."""

import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import threadpoolctl
import torch


def of_the_process() -> dict[str, Any]:
    """The settings that everybody shares."""
    blas = threadpoolctl.ThreadpoolController().select(user_api="blas").info()
    return {
        "torch threads": torch.get_num_threads(),
        "torch dtype": torch.get_default_dtype(),
        "torch grad": torch.is_grad_enabled(),
        "torch precision": torch.get_float32_matmul_precision(),
        "torch random": torch.random.get_rng_state().numpy().tobytes(),
        "NumPy errors": np.geterr(),
        "NumPy random": repr(np.random.get_state()),  # noqa: NPY002
        "warnings": repr(warnings.filters),
        "BLAS threads": [library["num_threads"] for library in blas],
        "signals": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)],
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "threads": {t.name for t in threading.enumerate() if not t.daemon} - {"cvxinv"},
    }


@contextmanager
def unchanged() -> Iterator[None]:
    """The process is the same afterwards, whatever happened."""
    before = of_the_process()
    try:
        yield
    finally:
        after = of_the_process()
        changed = {name for name in before if before[name] != after[name]}
        assert not changed - {"threads"}, changed  # pools of ours stay
        assert not {t for t in after["threads"] - before["threads"] if "cvxinv" not in t}
