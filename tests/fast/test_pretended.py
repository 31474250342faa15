"""`fast` on a pretended CUDA device (`tests.support.pretend`): everything stays on the tensors' own
card, answers are those of the CPU, and the host seldom waits.
"""

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import torch

import cvxinv
import fast
from cvxinv import LastLayer, LeastSquares, MidLayer
from cvxinv.bench.instances import cases, gaussian
from fast.core import loop
from fast.core.units import scaled
from fast.latent import bfgs, clarke, race, steps
from fast.latent.eq1 import Fit, fit_to
from fast.latent.gradient_descent import EVERY
from fast.methods import active_rows
from fast.solve import ARRAYS, MATRICES, _signals
from tests.support.instances import (
    CLASSES,
    CONSTRAINED,
    DATA,
    PRINTED_METHOD,
    generator,
    instance,
    replaced,
    tensors,
)
from tests.support.layers import ACTIVATIONS, layers, nonconvex
from tests.support.pretend import Card, memory, pretended
from tests.support.tolerances import SAME_POINT

CARDS = ("cuda:0", "cuda:1")  # the current one, and another
METHODS = [(cls, "linearized_admm") for cls in CLASSES]
METHODS += [(cls, "fista") for cls in CLASSES if cls not in CONSTRAINED]
# for 512 signals of Gaussian layers there are 29, 33 and 27 of them; 139 and 112 kernels a step
MOST_WAITS = {"last layer": 36, "midlayer": 40, "latent": 34}
MOST_KERNELS = {"last layer": 1600, "midlayer": 1400, "latent": 1000}
MOST_KERNELS_A_STEP = 150
SLOW = (8, 9)  # compute capability of a card with little float64


def same(work, card, **machine):
    """The arrays that `work(device)` gives on a card, after a check that they are there and those
    of the CPU; and the machine.
    """
    here = work("cpu")
    with pretended(**machine) as machine:
        there = work(card)
    assert len(there) == len(here)
    for a, b in zip(there, here, strict=True):
        assert isinstance(a, Card)
        assert a.device == torch.device(card)
        np.testing.assert_allclose(memory(a).double(), b.double(), atol=SAME_POINT, rtol=1e-6)
    return [memory(a) for a in there], machine


def solved(problem, **options):
    """What `fast.solve` answers on a device, as a list of arrays."""

    def work(device):
        sol = fast.solve(tensors(problem, device), **options)
        found = [sol.x, sol.support, sol.certificate.kkt <= 1e-8, sol.dual, sol.infeasibility]
        return [a for a in found if a is not None]

    return work


# -- fast.solve ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["noisy", "mask", "wide", "rank_deficient"])
@pytest.mark.parametrize("cls", CLASSES)
def test_the_default_agrees_with_the_cpu(cls, kind):
    same(solved(instance(cls, kind, 3)), CARDS[kind == "wide"])


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize(("cls", "method"), METHODS)
def test_the_printed_methods_agree_with_the_cpu(cls, method, card):
    problem = instance(cls, "full_support" if cls in CONSTRAINED else "noisy", 3)
    _, machine = same(solved(problem, method=method), card)
    assert machine.graphs
    for graph in machine.graphs:
        assert (str(graph.device), graph.mode) == (card, "thread_local")


def test_the_base_of_the_default_is_captured_on_its_own_card():
    _, machine = same(solved(instance(MidLayer, "rank_deficient", 3)), "cuda:1")
    assert {str(graph.device) for graph in machine.graphs} == {"cuda:1"}


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize("capability", [(9, 0), SLOW])
def test_midlayers_agree_however_their_systems_are_solved(monkeypatch, capability, noise):
    monkeypatch.setattr(active_rows, "LITTLE", 0)  # as if there were many signals
    problem = layers(generator((6, 40, 130, 160)), 24, noise)[1]
    _, machine = same(solved(problem), "cuda:1", capability=capability)
    assert machine.graphs  # of ADMM, which comes first
    with pretended(capability=capability):
        layer, _ = scaled(tensors(problem, "cuda").quadratic(), even=False)
        assert active_rows.method(layer, 1e-8).direct == (capability != SLOW)


@pytest.mark.parametrize("phi", ACTIVATIONS)
def test_nonlinear_activations_agree_with_the_cpu(phi):
    problem, _ = nonconvex(phi, "each")
    same(lambda device: [fast.solve(tensors(problem, device)).x], "cuda:1")


def test_bad_signals_starts_chunks_histories_and_float32():
    problem = instance(MidLayer, "noisy", 3)
    data = getattr(problem, DATA[MidLayer]).copy()
    data[1, 2] = np.nan
    same(solved(replaced(problem, **{DATA[MidLayer]: data})), "cuda:1")
    same(solved(problem, x0=np.zeros((3, 8)), memory=1 << 13), "cuda:1")
    same(solved(problem, method=PRINTED_METHOD[MidLayer], max_iter=5, history=True), "cuda:1")
    single = {
        k: v.astype(np.float32)
        for k, v in vars(problem).items()
        if getattr(v, "dtype", None) == np.float64
    }
    same(lambda device: [fast.solve(tensors(replaced(problem, **single), device)).x], "cuda:1")


def test_infeasible_signals_are_found_and_proven():
    W = np.array([[1.0, 0.5], [-1.0, -0.5], [0.3, 1.0]])
    x_next = np.array([[0.0, 0.0, 1.0], [0.5, 0.0, 1.0]])
    (_, _, _, _, proof), _ = same(solved(MidLayer(W, x_next, bias=np.array([2, 2, 0.1]))), "cuda:1")
    assert proof.any()


@pytest.mark.parametrize("seed", range(4))
def test_least_norm_whatever_the_steps_between_two_looks(seed):
    problem = instance(LeastSquares, "rank_deficient", seed)
    same(lambda device: [fast.solve(tensors(problem, device)).x], "cuda:0")


# -- generators ------------------------------------------------------------------------------------

G = generator((4, 24, 60, 120), "plu", biased=True)
Z = np.random.default_rng(0).standard_normal((3, 4))
Y = G(Z) + 0.01 * np.random.default_rng(1).standard_normal((3, 120))
SEEN, SUPPORTS = np.arange(120) > 20, G.supports(Z)
WORK = {
    "latent_pursuit": lambda G, y, seen: cvxinv.latent_pursuit(G, y),
    "latent_pursuit observed": lambda G, y, seen: cvxinv.latent_pursuit(G, y, observed=seen),
    "latent_pursuit, a signal": lambda G, y, seen: cvxinv.latent_pursuit(G, y[0]),
    "noisy_pursuit": lambda G, y, seen: cvxinv.noisy_pursuit(G, y, noise=0.01),
    "basis pursuit": lambda G, y, seen: cvxinv.layered_basis_pursuit(G, y, noise=0.01),
    "oracle": lambda G, y, seen: cvxinv.oracle(
        G, y, [torch.tensor(S, device=y.device) for S in SUPPORTS]
    ),
    "invert": lambda G, y, seen: cvxinv.invert(G, y, noise=0.01, starts=2),
    "hybrid": lambda G, y, seen: cvxinv.hybrid(G, y, noise=0.01),
    "gradient_descent": lambda G, y, seen: fast.gradient_descent(G, y, steps=20, step=1e-3),
    "with a line search": lambda G, y, seen: fast.gradient_descent(G, y, steps=10, step="search"),
    "levenberg_marquardt": lambda G, y, seen: fast.levenberg_marquardt(G, y, starts=2),
    "from a start": lambda G, y, seen: fast.levenberg_marquardt(G, y, start=Z, observed=seen),
}


IN_NUMPY = {"latent_pursuit observed", "hybrid", "from a start"}  # G, that is


@pytest.mark.parametrize("name", WORK)
def test_pursuits_and_inversions_agree_with_the_cpu(name):
    def work(device):
        y, seen = torch.tensor(Y, device=device), torch.tensor(SEEN, device=device)
        found = WORK[name](G if name in IN_NUMPY else G.to(device), y, seen)
        arrays = {k: v for k, v in vars(found).items() if isinstance(v, torch.Tensor)}
        assert "z" in arrays
        return list(arrays.values())

    same(work, "cuda:1")


# -- what it costs ---------------------------------------------------------------------------------

CASES = cases(gaussian((20, 128, 392, 784)), 512, dtype=torch.float64)


def on_card(case):
    """Its problem there."""
    arrays = {k: v for k, v in vars(case.problem).items() if isinstance(v, torch.Tensor)}
    return replace(case.problem, **{k: v.to("cuda") for k, v in arrays.items()})


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_host_seldom_waits(case):
    with pretended() as machine:
        problem = on_card(case)
        machine.waits.clear()
        machine.kernels.clear()
        fast.solve(problem)
    assert machine.waits.total() <= MOST_WAITS[case.name], machine.waits.most_common()
    assert machine.kernels.total() <= MOST_KERNELS[case.name], machine.kernels.most_common()


@pytest.mark.parametrize("steps", [1, EVERY, 2 * EVERY + 1])
def test_gradient_descent_is_captured(steps):
    def work(device):
        y = torch.tensor(Y, device=device)
        return [fast.gradient_descent(G.to(device), y, steps=steps, step=1e-3, start=Z).z]

    _, machine = same(work, "cuda:1")
    (graph,) = machine.graphs
    assert graph.replays == steps
    looks = sum(n for k, n in machine.waits.items() if "nonzero" in k and "gradient_descent" in k)
    assert looks == -(-steps // EVERY) + 1
    assert machine.kernels.total() <= 700  # beside the graph, however many steps there are


def test_line_searches_wait_once_a_look():
    with pretended() as machine:
        fit, _ = fit_to(G.to("cuda"), torch.tensor(Y, device="cuda"), None)
        walk = bfgs.begin(fit, torch.tensor(Z + 0.5, device="cuda"))
        machine.waits.clear()
        with mock.patch.object(Fit, "gradient", autospec=True, side_effect=Fit.gradient) as looks:
            bfgs.search(fit, walk, -walk.gradient, -walk.gradient.square().sum(1))
    assert looks.call_count > 3
    assert machine.waits.total() == looks.call_count


def test_caches_of_a_cpu_do_not_cut_what_a_card_does_at_once(monkeypatch):
    def kernels():
        with pretended() as machine:
            fast.levenberg_marquardt(G.to("cuda"), torch.tensor(Y, device="cuda"), starts=2)
        return machine.kernels.total()

    expected = kernels()
    monkeypatch.setattr(steps, "CACHED", 1)
    monkeypatch.setattr(clarke, "CACHED", 1)
    monkeypatch.setattr(race, "RACING", 1)
    assert kernels() == expected


@pytest.mark.parametrize(
    ("cls", "n", "capability", "systems"),
    [
        (LastLayer, 20, SLOW, True),
        (LastLayer, 40, (9, 0), False),
        (MidLayer, 40, (9, 0), True),
        (MidLayer, 40, SLOW, False),
        (MidLayer, 130, (9, 0), False),
    ],
)
def test_chunks_fit_into_what_torch_and_the_driver_have_left(cls, n, capability, systems):
    m = 150
    each = 8 * (ARRAYS * (m + n) + (MATRICES * n * n if systems else 0))
    with pretended(free=3 << 20, cached=5 << 20, capability=capability):
        problem = cls(torch.ones(m, n, device="cuda"), torch.ones(9, m, device="cuda"))
        assert _signals(problem, None) == (4 << 20) // each


def test_chunks_on_a_cpu_have_systems_of_few_columns_only():
    m, n = 60, 40
    problem = MidLayer(torch.ones(m, n), torch.ones(9, m))
    assert _signals(problem, 1 << 20) == (1 << 20) // (8 * ARRAYS * (m + n))


@pytest.mark.parametrize("case", CASES[1:], ids=lambda c: c.name)
def test_the_host_waits_once_a_look(case):
    """Where systems are factorised, with companions that are all still going."""
    with pretended() as machine:
        layer, _ = scaled(on_card(case).quadratic(), even=False)
        newton = active_rows.method(layer, 0.0)
        begin = newton.start(torch.zeros_like(layer.lam), layer.no_dual)
        spent = []
        for steps in (1, 4):
            machine.waits.clear()
            machine.kernels.clear()
            loop.run(newton, begin, -1.0, steps)
            spent.append((machine.waits.total(), machine.kernels.total()))
    (waits, kernels), (more, many) = spent
    assert more - waits == 3
    assert many - kernels <= 3 * MOST_KERNELS_A_STEP
