"""Random architectures of what `Generator.from_torch` reads agree with torch to rounding."""

import copy
import math

import numpy as np
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import nn

import cvxinv
from cvxinv import Generator
from tests.support.modules import EqualLinear, trained

SIGNALS = 16


class Rescaled(nn.Module):
    """scale * y + shift; of z, or of a signal."""

    def __init__(self, scale: float, shift: float) -> None:
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, y):
        return y * self.scale + self.shift

    def extra_repr(self):
        return f"{self.scale} y + {self.shift}"


OUTPUTS = [
    (),
    (nn.Tanh(),),
    (nn.Sigmoid(),),
    (nn.LeakyReLU(0.2),),
    (cvxinv.nn.PLU(0.3, 0.5),),
    (nn.Tanh(), Rescaled(0.5, 0.5)),
    (nn.Sigmoid(), Rescaled(2.0, -1.0)),
    (nn.Sigmoid(), Rescaled(-1.0, 1.0)),
    (Rescaled(-0.5, 0.25),),
]
RELUS = [
    nn.ReLU,
    lambda: nn.ReLU(inplace=True),
    lambda: nn.LeakyReLU(0.0),
    lambda: nn.Threshold(0, 0),
]
WIDTHS = st.integers(1, 9)


def linear(draw, n_in: int, n_out: int) -> nn.Module:
    make = draw(st.sampled_from([nn.Linear, EqualLinear]))
    layer = make(n_in, n_out, bias=draw(st.booleans()))
    norms = [None, nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm]
    norm = draw(st.sampled_from(norms))
    return layer if norm is None or make is EqualLinear else norm(layer)


def affine(draw, n: int) -> list[nn.Module]:
    """What may stand before and after a ReLU."""
    made = [
        lambda: nn.BatchNorm1d(n, eps=draw(st.sampled_from([1e-5, 0.8]))),
        lambda: nn.BatchNorm1d(n, affine=False),
        lambda: nn.Dropout(0.3),
        lambda: nn.Identity(),
        lambda: Rescaled(draw(st.sampled_from([-2.0, 0.5])), draw(st.sampled_from([0.0, 1.0]))),
        lambda: linear(draw, n, n),
    ]
    return [make() for make in draw(st.lists(st.sampled_from(made), max_size=2))]


@st.composite
def architectures(draw) -> nn.Module:
    """Affine maps, ReLUs, affine maps, .., an output activation, a shape; nested anyhow."""
    sizes = draw(st.lists(WIDTHS, min_size=3, max_size=6))
    blocks = [affine(draw, sizes[0])]
    for i, n in enumerate(sizes[1:]):
        blocks.append([linear(draw, sizes[i], n), *affine(draw, n)])
        if i < len(sizes) - 2:
            blocks.append([draw(st.sampled_from(RELUS))(), *affine(draw, n)])
    blocks.append(list(draw(st.sampled_from(OUTPUTS))))
    if draw(st.booleans()):
        blocks.append([nn.Unflatten(1, (1, 1, sizes[-1]))])
    if draw(st.booleans()):
        return nn.Sequential(*(nn.Sequential(*block) for block in blocks))
    return nn.Sequential(*(module for block in blocks for module in block))


def disagreement(net: nn.Module, dtype: torch.dtype) -> float:
    """Largest |G(z) - net(z)|, in units of the largest |net(z)|, with G as read in `dtype`.

    Both run in float64: small differences of large numbers would otherwise be torch's own error.
    """
    G = Generator.from_torch(copy.deepcopy(net).to(dtype))
    assert G.weights[0].dtype == dtype
    z = torch.randn(SIGNALS, G.sizes[0], dtype=torch.float64)
    y = net(z).detach().flatten(1)
    return float((G(z) - y).abs().max() / max(float(y.abs().max()), math.ulp(1)))


DEEP = nn.Sequential(nn.Linear(3, 4), *(m for _ in range(4) for m in (nn.ReLU(), nn.Linear(4, 4))))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(net=architectures())
@example(net=DEEP)
def test_random_architectures(net):
    net = trained(net)
    assert disagreement(net, torch.float64) <= 1e-12
    assert disagreement(net, torch.float32) <= 1e-6


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(net=architectures())
@example(net=DEEP)
def test_random_architectures_in_evaluation_mode_or_not(net):
    """The mode that the module is in makes no difference, and comes back."""
    net = trained(net)
    G = Generator.from_torch(net)
    H = Generator.from_torch(net.train())
    assert all(m.training for m in net.modules())
    for W, V in zip(G.weights, H.weights, strict=True):
        np.testing.assert_array_equal(W, V)
