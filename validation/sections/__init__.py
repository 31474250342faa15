"""The sections of the report, in its order: what each measures, draws and claims."""

from . import (
    digits_and_networks,
    errata,
    generators,
    noise,
    random_networks,
    run_time,
    speed,
    stability,
    trained,
    trust,
    uniqueness,
)
from .section import Section

SECTIONS: tuple[Section, ...] = (
    random_networks.SECTION,
    trained.GAN,
    trained.VAE,
    run_time.SECTION,
    uniqueness.PHASES,
    uniqueness.SHIPPED,
    stability.SECTION,
    errata.SECTION,
    noise.SECTION,
    digits_and_networks.PICTURE_SECTION,
    digits_and_networks.NETWORKS_SECTION,
    digits_and_networks.DIGITS_SECTION,
    generators.DEMO_SECTION,
    generators.GENERATORS_SECTION,
    speed.BENCH_SECTION,
    speed.BATCHES_SECTION,
    speed.LAST_SECTION,
    speed.GRAM_SECTION,
    trust.HOSTILE_SECTION,
    trust.CONFORMANCE_SECTION,
    trust.MUTATION_SECTION,
    trust.LONG_SECTION,
)
