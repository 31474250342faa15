"""The parts of the day, most telling first."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.profiler import profile, supported_activities

import cvxinv
import fast
from cvxinv.bench.instances import Case, cases, gaussian
from fast.core import graphs
from fast.core.layer import ConstrainedLayer, Layer
from fast.core.precision import full_precision
from fast.core.units import scaled
from fast.methods import fista, graph_admm, linearized_admm
from fast.printed import RHO
from validation.gpu.clock import milliseconds
from validation.gpu.day import Part

Rows = Iterator[tuple[str, Any]]

STEPS = 20  # that are compared, and timed
NOISE = 0.05
MOST = 25  # kernels that are listed, those that take longest
HELD = 3 << 30  # bytes that are left where memory is to run out
UNBOUNDED = 1 << 40  # a budget beyond any card


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    layers: tuple[int, ...]
    compared: int  # signals that the CPU solves as well
    signals: int
    batches: tuple[int, ...]
    warm: int  # calls before the first that counts
    repeats: int
    starts: int | None  # of `invert`
    steps: int  # of gradient descent
    crowd: int  # signals for which memory runs out; 0: it is not tried
    every: bool  # kind of generator takes part, or Gaussian ones only

    def generators(self) -> dict[str, cvxinv.Generator]:
        """Whose layers are solved, by name."""
        found = {"gaussian": gaussian(self.layers)}
        if self.every:
            found["condition 100"] = gaussian(self.layers, condition=100)
            found["trained"] = cvxinv.mnist_generator()
        return found


FULL = Sizes(
    layers=(20, 128, 392, 784),
    compared=64,
    signals=512,
    batches=(512, 1, 64, 4_096, 65_536),
    warm=2,
    repeats=10,
    starts=None,
    steps=10_000,
    crowd=8_192,
    every=True,
)
SMALL = Sizes((3, 8, 12, 20), 2, 2, (2, 1), 0, 1, 1, 3, 0, False)


def on_card(case: Case, dtype: torch.dtype = torch.float64) -> Case:
    """The same with its tensors on the card."""
    arrays = {f.name: getattr(case.problem, f.name) for f in fields(case.problem)}
    moved: dict[str, Any] = {
        name: a.to("cuda", dtype if a.is_floating_point() else None)
        for name, a in arrays.items()
        if isinstance(a, Tensor)
    }
    return Case(case.name, replace(case.problem, **moved))


def layers(G: cvxinv.Generator, signals: int) -> list[Case]:
    """Its layer problems, in float64 on the CPU."""
    return cases(G, signals, dtype=torch.float64)


def number(a: Any) -> float | None:
    """As JSON knows it."""
    value = float(a)
    return value if np.isfinite(value) else None


def statuses(*found: Any) -> dict[str, int]:
    """How many signals have which."""
    return dict(Counter(s.name for sol in found for s in sol.status))


def machine(sizes: Sizes) -> Rows:
    """Card, driver, clocks."""
    card = torch.cuda.get_device_properties(0)
    yield "GiB", round(card.total_memory / 2**30, 1)
    yield "multiprocessors", card.multi_processor_count
    yield "CUDA of torch", torch.version.cuda
    query = ["nvidia-smi", "-q", "-d", "CLOCK,POWER,MEMORY"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=10).stdout
    except OSError as error:
        said = repr(error)
    yield "nvidia-smi", said


def agreement(sizes: Sizes) -> Rows:
    """Whether the card's answers are those of the CPU."""
    for name, G in sizes.generators().items():
        for case in layers(G, sizes.compared):
            here, there = fast.solve(case.problem), fast.solve(on_card(case).problem)
            apart = (there.x.cpu() - here.x).norm(dim=1) / here.x.norm(dim=1)
            yield (
                f"{name}, {case.name}",
                {
                    "largest distance": number(apart.max()),
                    "largest KKT residual": number(there.certificate.kkt.max()),
                    "statuses": statuses(there),
                    "those of the CPU": statuses(here),
                },
            )


def methods(layer: Layer) -> dict[str, Any]:
    """The ones whose steps are captured, by name."""
    found: dict[str, Any] = {"graph ADMM": graph_admm.method(layer)}
    if isinstance(layer, ConstrainedLayer):
        alpha_beta = linearized_admm.bound(layer, RHO)
        return found | {"Algorithm 2": linearized_admm.method(layer, RHO, alpha_beta)}
    found["Gram ADMM"] = graph_admm.method(layer.with_gram(0))
    found["Algorithm 5"] = fista.method(layer, False)
    found["Algorithm 5 with restarts"] = fista.method(layer, True)
    return found


def captured_against_plain(sizes: Sizes) -> Rows:
    """Steps as a graph and one by one: how far they end from each other."""
    for case in layers(gaussian(sizes.layers), sizes.compared):
        layer, _ = scaled(on_card(case).problem.quadratic(), even=True)
        for name, method in methods(layer).items():
            begin = method.start(torch.zeros_like(layer.lam), layer.no_dual)
            with full_precision():
                one = graphs.plain(method.step)(begin, STEPS)
                other = graphs.captured(method.step, begin)(begin, STEPS)
            apart = max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))
            yield f"{case.name}, {name}", number(apart)


def times(sizes: Sizes) -> Rows:
    """Each layer, and all of them one after the other, by batch and precision."""
    generators, first = sizes.generators(), sizes.batches[0]
    plan = [(name, first) for name in generators]
    for name, signals in plan + [("gaussian", B) for B in sizes.batches[1:]]:
        here = layers(generators[name], signals)
        for dtype in (torch.float64, torch.float32):
            there = [on_card(case, dtype) for case in here]
            found = {case.name: time_of([case], sizes) for case in there}
            yield f"{name}, {signals}, {dtype}", found | {"total": time_of(there, sizes)}


def time_of(work: list[Case], sizes: Sizes) -> dict[str, Any]:
    """Milliseconds for the cases, one after the other."""

    def solve() -> list[Any]:
        return [fast.solve(case.problem) for case in work]

    torch.cuda.reset_peak_memory_stats()
    found = milliseconds(solve, sizes.repeats, sizes.warm)
    gib = round(torch.cuda.max_memory_allocated() / 2**30, 3)
    return found | {"statuses": statuses(*solve()), "GiB at most": gib}


def launches(sizes: Sizes) -> Rows:
    """What the profiler counts: calls of the driver, among them launches and waits, and kernels."""
    activities = supported_activities()  # type: ignore[no-untyped-call]
    for case in layers(gaussian(sizes.layers), sizes.signals):
        problem = on_card(case).problem
        fast.solve(problem)
        with profile(activities=activities) as seen:
            fast.solve(problem)
            torch.cuda.synchronize()
        events = seen.key_averages()
        kernels = sorted(events, key=lambda e: -e.self_device_time_total)[:MOST]
        yield (
            case.name,
            {
                "driver": {e.key: e.count for e in events if e.key.startswith("cu")},
                "kernels": [
                    [e.key, e.count, round(e.self_device_time_total / 1e3, 3)]
                    for e in kernels
                    if e.self_device_time_total
                ],
            },
        )


def captures(sizes: Sizes) -> Rows:
    """What a capture costs, beside the steps that it saves the host."""
    for case in layers(gaussian(sizes.layers), sizes.signals):
        layer, _ = scaled(on_card(case).problem.quadratic(), even=False)
        method: Any = graph_admm.method(layer.to(torch.float32).with_gram())
        begin = method.cold()
        replay = graphs.captured(method.step, begin)
        work: dict[str, Callable[[], Any]] = {
            "capture": partial(graphs.captured, method.step, begin),
            f"{STEPS} replays": partial(replay, begin, STEPS),
            f"{STEPS} plain steps": partial(graphs.plain(method.step), begin, STEPS),
        }
        yield (
            case.name,
            {name: milliseconds(f, sizes.repeats, sizes.warm) for name, f in work.items()},
        )


def memory(sizes: Sizes) -> Rows:
    """A batch for which memory runs out: it is halved until its parts fit."""
    if not sizes.crowd:
        return
    free = torch.cuda.mem_get_info()[0]
    held = torch.empty(max(1, free - HELD), dtype=torch.uint8, device="cuda")
    for case in layers(gaussian(sizes.layers), sizes.crowd):
        sol = fast.solve(on_card(case).problem, memory=UNBOUNDED)
        yield case.name, {"signals": sizes.crowd, "statuses": statuses(sol)}
    del held


def inversions(sizes: Sizes) -> Rows:
    """Pursuit, `invert` and gradient descent, on the last of the generators."""
    G, rng = [*sizes.generators().values()][-1], np.random.default_rng(0)
    z = rng.standard_normal((sizes.signals, G.sizes[0]))
    y = G(z)
    noisy = y + NOISE * rng.standard_normal(y.shape)
    there = G.to("cuda")
    clean, noisy = (torch.tensor(a, device="cuda") for a in (y, noisy))
    work: dict[str, Callable[[], Any]] = {
        "latent_pursuit": partial(cvxinv.latent_pursuit, there, clean),
        "invert": partial(cvxinv.invert, there, noisy, noise=NOISE, starts=sizes.starts),
        "gradient_descent": partial(fast.gradient_descent, there, clean, sizes.steps, step=1e-3),
    }
    for name, f in work.items():
        found = f()
        quality = cvxinv.snr(torch.tensor(z), found.z.cpu())
        yield (
            name,
            {
                "ms": milliseconds(f, 1, warm=0),  # that was the first call
                "least SNR of z": number(quality.min()),
                "median SNR of z": number(quality.median()),
                "statuses": statuses(found),
            },
        )


PARTS = (
    Part("machine", 15, machine),
    Part("agreement with the CPU", 60, agreement),
    Part("captured against plain steps", 30, captured_against_plain),
    Part("milliseconds", 150, times),
    Part("launches and waits", 40, launches),
    Part("price of a capture", 25, captures),
    Part("memory that runs out", 40, memory),
    Part("inversions", 90, inversions),
)
