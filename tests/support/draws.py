"""Hypothesis as a source of examples: the same ones for the same seed."""

import hypothesis
from hypothesis import HealthCheck, Phase, settings


def drawn(strategy, count=30, seed=0):
    """The first examples of a strategy; of strategies that ask for the same choices, alike."""
    found = []

    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.seed(seed)
    @hypothesis.given(strategy)
    def collect(example):
        found.append(example)

    collect()
    return found
