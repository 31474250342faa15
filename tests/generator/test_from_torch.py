"""`Generator.from_torch` reads what a module computes."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.utils import parametrizations, prune

import cvxinv
from cvxinv import Generator
from tests.support.modules import (
    VAE,
    Decoder,
    EqualLinear,
    Forward,
    ScaledReLU,
    TutorialGenerator,
    mlp,
    trained,
)
from tests.support.tolerances import FORWARD

BN = nn.BatchNorm1d


def deep(*middle):
    return nn.Sequential(nn.Linear(3, 8), *middle, nn.Linear(8, 5))


def shared(module):
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), module, module, nn.Linear(8, 5))


def hooked(net, where, hook, pre=False):
    getattr(net[where], "register_forward_pre_hook" if pre else "register_forward_hook")(hook)
    return net


# What eq. 2 is made of, in every order
LAYERS = {
    "Linear ReLU Linear": lambda: mlp(),
    "output PLU": lambda: mlp(output=cvxinv.nn.PLU(0.2, 0.5)),
    "output leaky ReLU": lambda: mlp(output=nn.LeakyReLU(0.2)),
    "no bias": lambda: nn.Sequential(
        nn.Linear(3, 8, bias=False), nn.ReLU(), nn.Linear(8, 5, bias=False)
    ),
    "BatchNorm after Linear": lambda: mlp(BN(8), nn.ReLU(), output=nn.Tanh()),
    "BatchNorm after Dropout": lambda: mlp(nn.Dropout(0.5), BN(8), nn.ReLU(), output=nn.Sigmoid()),
    "BatchNorm before the output": lambda: nn.Sequential(mlp(), BN(5), nn.Tanh()),
    "BatchNorm after ReLU": lambda: mlp(nn.ReLU(), BN(8), output=nn.Tanh()),
    "BatchNorm before all": lambda: nn.Sequential(BN(3), mlp()),
    "BatchNorm twice": lambda: mlp(BN(8), BN(8), nn.ReLU()),
    "BatchNorm, not affine": lambda: mlp(BN(8, affine=False), nn.ReLU()),
    "BatchNorm with another eps": lambda: mlp(BN(8, eps=0.3), nn.ReLU()),
    "Linear Linear": lambda: deep(nn.Linear(8, 6), nn.Linear(6, 8), nn.ReLU()),
    "Linear Linear at the end": lambda: deep(nn.ReLU(), nn.Linear(8, 8)),
    "ReLU ReLU": lambda: mlp(nn.ReLU(), nn.ReLU()),
    "ReLU first": lambda: nn.Sequential(nn.ReLU(), mlp()),
    "nested": lambda: nn.Sequential(nn.Sequential(mlp(), nn.ReLU()), nn.Linear(5, 4), nn.Tanh()),
    "one ReLU used twice": lambda: shared(nn.ReLU()),
    "one block used twice": lambda: shared(nn.Sequential(nn.Linear(8, 8), nn.ReLU())),
    "in place": lambda: mlp(nn.ReLU(inplace=True), output=nn.LeakyReLU(0.1, inplace=True)),
    "no-ops": lambda: nn.Sequential(
        nn.Flatten(), mlp(nn.AlphaDropout(), nn.ReLU()), nn.Unflatten(1, (5, 1)), nn.Flatten()
    ),
}
# The same in the words of those who write a forward of their own
WORDS = {
    "F.relu and torch.sigmoid": lambda: Decoder(),
    "Tensor.relu_": lambda: Forward(lambda net, z: net[2](net[0](z).relu_()).tanh_()),
    "clamp(min=0)": lambda: Forward(lambda net, z: net[2](net[0](z).clamp(min=0))),
    "clamp_min": lambda: Forward(lambda net, z: net[2](net[0](z).clamp_min(0.0))),
    "maximum": lambda: Forward(lambda net, z: net[2](torch.maximum(torch.zeros(()), net[0](z)))),
    "threshold": lambda: Forward(lambda net, z: net[2](F.threshold(net[0](z), 0, 0))),
    "leaky of slope 0": lambda: Forward(lambda net, z: net[2](F.leaky_relu(net[0](z), 0.0))),
    "@": lambda: Forward(
        lambda net, z: F.relu(z @ net[0].weight.T + net[0].bias) @ net[2].weight.t()
    ),
    "addmm": lambda: Forward(
        lambda net, z: net[2](torch.addmm(net[0].bias, z, net[0].weight.T, beta=2, alpha=3).relu())
    ),
    "affine maps of z": lambda: Forward(lambda net, z: net(2 * z - 1)),
    "constants on the left": lambda: Forward(lambda net, z: net(1 - z) + torch.arange(5.0)),
    "in place arithmetic": lambda: Forward(
        lambda net, z: net(z).mul_(2).sub_(torch.ones(5)).div_(3)
    ),
    "by name": lambda: Forward(
        lambda net, z: net[2](torch.clamp(input=torch.mul(input=net[0](z), other=2), min=0))
    ),
    "z changed in place": lambda: Forward(lambda net, z: net(z.mul_(2))),
    "a ReLU changed in place": lambda: Forward(lambda net, z: net[2](net[0](z).relu().mul_(3))),
    "scaled between": lambda: Forward(lambda net, z: net[2](-3 * net[1](net[0](z) / 7) + 0.5)),
    "a linear skip": lambda: Forward(
        lambda net, z: net[2](F.relu(net[0](z) + torch.add(net[0](z), net[0](-z), alpha=2)))
    ),
    "squeeze and unsqueeze": lambda: Forward(
        lambda net, z: net(z.unsqueeze(1).squeeze(1)).reshape(len(z), -1)
    ),
    "pixels moved": lambda: Forward(lambda net, z: net(z).flip(1)[:, [0, 2, 1]]),
    "half of the output": lambda: Forward(
        lambda net, z: net(z).chunk(2, dim=1)[1], output=nn.Tanh()
    ),
    "casts": lambda: Forward(lambda net, z: net(z.to(net[0].weight.dtype).contiguous()).clone()),
    "functional dropout": lambda: Forward(lambda net, z: net(F.dropout(z, training=net.training))),
    "gradient checkpoint": lambda: Forward(
        lambda net, z: torch.utils.checkpoint.checkpoint(net, z, use_reentrant=False)
    ),
    "scaled weights": lambda: nn.Sequential(EqualLinear(3, 8), nn.ReLU(), EqualLinear(8, 5)),
    "a ReLU with a forward of its own": lambda: mlp(ScaledReLU()),
    "a method": lambda: VAE(),
    "the tutorials' generator": lambda: TutorialGenerator(nn.ReLU),
}
# phi of an affine map, and an affine map of it
OUTPUTS = {
    "(tanh + 1) / 2": lambda: Forward(lambda net, z: (net(z) + 1) / 2, nn.Tanh()),
    "(1 - tanh) / 2": lambda: Forward(lambda net, z: (1 - net(z)) / 2, nn.Tanh()),
    "-tanh": lambda: Forward(lambda net, z: -net(z), nn.Tanh()),
    "2 sigmoid - 1": lambda: Forward(lambda net, z: 2 * net(z) - 1, nn.Sigmoid()),
    "1 - 2 sigmoid": lambda: Forward(lambda net, z: 1 - 2 * net(z), nn.Sigmoid()),
    "1 - sigmoid": lambda: Forward(lambda net, z: 1 - net(z), nn.Sigmoid()),
    "normalised by tensors": lambda: Forward(
        lambda net, z: (net(z) - torch.full((5,), 0.5)) / torch.full((5,), 0.5), nn.Sigmoid()
    ),
    "signs of their own": lambda: Forward(
        lambda net, z: net(z) * torch.tensor([1.0, -1, 1, -1, -1]), nn.Tanh()
    ),
    "sigmoid clamped": lambda: Forward(lambda net, z: net(z).clamp(0, 1), nn.Sigmoid()),
    "ReLU of sigmoid": lambda: Forward(lambda net, z: net(z).relu(), nn.Sigmoid()),
    "3 leaky": lambda: Forward(lambda net, z: 3 * net(z), nn.LeakyReLU(0.3)),
    "-2 PLU": lambda: Forward(lambda net, z: -2 * net(z), cvxinv.nn.PLU(0.3, 0.7)),
    "5 x + 1": lambda: Forward(lambda net, z: 5 * net(z) + 1),
}
# Weights that are computed, and what hooks change
HOOKS = {
    "spectral_norm": lambda: nn.Sequential(
        nn.utils.spectral_norm(nn.Linear(3, 8)), nn.ReLU(), nn.Linear(8, 5)
    ),
    "weight_norm": lambda: nn.Sequential(
        nn.utils.weight_norm(nn.Linear(3, 8)), nn.ReLU(), nn.Linear(8, 5)
    ),
    "prune": lambda: nn.Sequential(
        prune.l1_unstructured(nn.Linear(3, 8), "weight", 0.4), nn.ReLU(), nn.Linear(8, 5)
    ),
    "parametrizations": lambda: nn.Sequential(
        parametrizations.weight_norm(nn.Linear(3, 8)),
        nn.ReLU(),
        parametrizations.spectral_norm(nn.Linear(8, 5)),
    ),
    "a forward hook": lambda: hooked(mlp(), 0, lambda module, args, out: 2 * out),
    "a pre-hook": lambda: hooked(mlp(), 2, lambda module, args: (args[0] + 1,), pre=True),
}
MODULES = LAYERS | WORDS | OUTPUTS | HOOKS


def signals(net, z):
    with torch.no_grad():
        return net(z.clone()).flatten(1)


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", MODULES)
def test_modules_are_read_to_rounding(name, dtype):
    net = trained(MODULES[name]()).to(dtype)
    run = net.decode if isinstance(net, VAE) else net
    G = Generator.from_torch(run)
    assert G.weights[0].dtype == dtype
    z = torch.randn(20, G.sizes[0], dtype=dtype)
    y = signals(run, z)
    error = (G(z) - y).abs().max() / y.abs().max()
    assert error <= (FORWARD if dtype == torch.float64 else 1e-6)


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.parametrize("name", ["spectral_norm", "weight_norm", "prune", "parametrizations"])
def test_weights_loaded_since_are_the_ones_that_count(name):
    """`module.weight` of the old kinds is stale until the next forward pass."""
    source, net = trained(HOOKS[name]()), HOOKS[name]().double()
    net.load_state_dict(source.state_dict())
    z = torch.randn(20, 3, dtype=torch.float64)
    G = Generator.from_torch(net)
    np.testing.assert_allclose(G(z), signals(source, z), rtol=FORWARD, atol=FORWARD)


WRAPPED = {
    "compiled": torch.compile,
    "compiled in place": lambda net: net.compile() or net,
    "compiled inside": lambda net: nn.Sequential(torch.compile(net), nn.Flatten()),
    "data parallel": nn.DataParallel,
    "both": lambda net: torch.compile(nn.DataParallel(net)),
    "averaged": torch.optim.swa_utils.AveragedModel,
}


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # torch.compile's own
@pytest.mark.parametrize("wrap", WRAPPED)
def test_wrappers_are_seen_through(wrap):
    net, z = trained(Decoder()), torch.randn(20, 3, dtype=torch.float64)
    y = signals(net, z)
    G = Generator.from_torch(WRAPPED[wrap](net))
    np.testing.assert_allclose(G(z), y, rtol=FORWARD, atol=FORWARD)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_halves_become_float32(dtype):
    net = trained(mlp(nn.BatchNorm1d(8), nn.ReLU(), output=nn.Tanh())).to(dtype)
    G, z = Generator.from_torch(net), torch.randn(20, 3)
    assert {a.dtype for a in (*G.weights, *G.biases)} == {torch.float32}
    np.testing.assert_allclose(G(z), signals(net.float(), z), atol=1e-6)


def test_plain_weights_are_read_bit_by_bit():
    net = trained(mlp(nn.ReLU(), output=nn.Tanh()))
    G = Generator.from_torch(net)
    for i, linear in enumerate((net[0], net[2])):
        assert torch.equal(G.weights[i], linear.weight)
        assert torch.equal(G.biases[i], linear.bias)


def test_the_module_stays_as_it_was():
    net = nn.Sequential(mlp(BN(8), nn.ReLU()), BN(5))
    net[0].eval()
    modes, state = [m.training for m in net.modules()], copy.deepcopy(net.state_dict())
    torch.manual_seed(3)
    G = Generator.from_torch(net)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))
    assert [m.training for m in net.modules()] == modes
    assert all(torch.equal(state[k], v) for k, v in net.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert all(p.requires_grad for p in net.parameters())
    assert not any(W.requires_grad for W in G.weights)
    z = torch.randn(4, 3)
    before = G(z)
    nn.init.zeros_(net[0][0].weight)
    assert torch.equal(G(z), before), "a copy"


@pytest.mark.parametrize("sizes", [(20, 400, 784), (16, 128, 320, 784), (100, 256, 512, 1024, 784)])
def test_networks_of_the_sizes_that_people_train(sizes):
    """As they come: float32, torch's initial weights, batch normalisation, in training mode."""
    net = nn.Sequential()
    for n_in, n_out in pairwise(sizes):
        net.extend([nn.Linear(n_in, n_out), BN(n_out), nn.ReLU()])
    net = trained(nn.Sequential(*net[:-2], nn.Tanh())).float()
    G, z = Generator.from_torch(net.train()), torch.randn(64, sizes[0])
    y = signals(net.eval(), z)
    assert (G(z) - y).abs().max() <= 1e-6 * y.abs().max()


# -- images ----------------------------------------------------------------------------------------

IMAGES = {
    "Unflatten": (lambda: nn.Sequential(mlp(), nn.Unflatten(1, (1, 5, 1))), (1, 5, 1)),
    "view": (lambda: Forward(lambda net, z: net(z).view(-1, 1, 5)), (1, 5)),
    "the tutorials' generator": (lambda: TutorialGenerator(nn.ReLU), (1, 14, 14)),
    "flattened again": (lambda: nn.Sequential(mlp(), nn.Unflatten(1, (5, 1)), nn.Flatten()), None),
    "vectors": (mlp, None),
}


@pytest.mark.parametrize("name", IMAGES)
def test_the_shape_of_images_is_remembered(name, tmp_path):
    make, shape = IMAGES[name]
    net = trained(make())
    G = Generator.from_torch(net)
    z = torch.randn(4, G.sizes[0], dtype=torch.float64)
    assert G(z).shape == (4, G.sizes[-1])
    G.save(tmp_path / "g.safetensors")
    for H in (G, G.to("numpy", dtype="float32"), Generator.load(tmp_path / "g.safetensors")):
        assert H.image_shape == shape
    if shape is not None:
        with torch.no_grad():
            np.testing.assert_allclose(G(z).reshape(4, *shape), net(z), rtol=FORWARD, atol=FORWARD)
