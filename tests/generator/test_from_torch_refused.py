"""What `Generator.from_torch` refuses, by name and with what to do."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from cvxinv import Generator, UnsupportedModuleError
from cvxinv.generator.from_torch.rules import RULES
from cvxinv.generator.from_torch.trace import Trace
from tests.support.modules import (
    VAE,
    Autoencoder,
    Forward,
    Normalised,
    Residual,
    TutorialGenerator,
    mlp,
    trained,
)

SEQUENTIAL = [
    (mlp(nn.GELU()), r"module 1, GELU.*not known as an affine map, a ReLU"),
    (nn.Sequential(nn.Conv1d(1, 1, 3)), r"module 0, Conv1d.*a convolution: eq. 2 is fully"),
    (
        nn.Sequential(mlp(), nn.Unflatten(1, (5, 1, 1)), nn.ConvTranspose2d(5, 1, 4)),
        r"module 2, ConvTranspose2d.*a convolution",
    ),
    (nn.Sequential(nn.ConvTranspose2d(9, 4, 4)), r"module 0, ConvTranspose2d.*a convolution"),
    (mlp(nn.Tanh()), r"module 1, Tanh.*a hidden Tanh, which module 2, Linear.*: use nn.ReLU"),
    (mlp(nn.LeakyReLU(0.2)), r"module 1, LeakyReLU.*a hidden LeakyReLU.*: use nn.ReLU"),
    (mlp(nn.Sigmoid(), nn.BatchNorm1d(8)), r"module 1, Sigmoid.*hidden Sigmoid.*BatchNorm1d"),
    (
        mlp(nn.BatchNorm1d(8, track_running_stats=False), nn.ReLU()),
        r"module 1, BatchNorm1d.*without running statistics",
    ),
    (mlp(nn.BatchNorm1d(7), nn.ReLU()), r"module 1, BatchNorm1d.*it fails for z \(B, 3\)"),
    (nn.Sequential(mlp(nn.ReLU()), nn.Linear(7, 5)), r"module 1, Linear\(in_features=7.*it fails"),
    (mlp(output=nn.ReLU()), r"module 3, ReLU.*the output ReLU is not invertible: leave it out"),
    (nn.Sequential(nn.Sequential(mlp(nn.ELU()))), r"module 0\.0\.1, ELU"),
    (nn.Sequential(mlp(output=nn.Tanh()), nn.Sigmoid()), r"module 0\.3, Tanh.*module 1, Sigmoid"),
    (mlp(nn.LayerNorm(8), nn.ReLU()), r"module 1, LayerNorm.*BatchNorm1d can be read"),
    (mlp(nn.PReLU()), r"module 1, PReLU"),
    (mlp(nn.ReLU6()), r"module 1, ReLU6"),
    (mlp(output=nn.Softmax(dim=1)), r"module 3, Softmax"),
    (mlp(output=nn.LeakyReLU(1.5)), r"module 3, LeakyReLU.*a slope in \(0, 1\], got 1.5"),
    (nn.Sequential(), r"expected at least one Linear"),
    (nn.Linear(3, 5), r"it has no ReLU \(a single affine map\).*numpy.linalg.lstsq"),
    (nn.Sequential(nn.Linear(3, 5), nn.Tanh()), r"it has no ReLU"),
]
OWN_FORWARD = [
    (Normalised(*mlp()), r"module \(root\), Normalised: norm: it is not known as"),
    (Residual(*mlp(), nn.ReLU(), nn.Linear(5, 3)), r"Residual: add: a residual .* from z to .* 4,"),
    (Forward(lambda net, z: torch.cat([net(z), z], 1)), r"cat: it joins several tensors"),
    (Forward(lambda net, z: net(z) * net(z)), r"mul: a product of two"),
    (Forward(lambda net, z: 1 / net(z)), r"rdiv: it is not known as"),
    (Forward(lambda net, z: F.dropout(net(z))), r"dropout: .*training=self.training"),
    (Forward(lambda net, z: net(z) + torch.randn_like(net(z))), r"add: .* from signal to signal"),
    (Forward(lambda net, z: net(z) + torch.randn(5)), r"not the same for every z.*random numbers"),
    (Forward(lambda net, z: net(z) if z.sum() > 0 else -net(z)), r"sum: it is not known"),
    (Forward(lambda net, z: net(z) if z[0, 0] > 0 else -net(z)), r"getitem: it moves the axis"),
    (Forward(lambda net, z: net(z) * (z[:, :1] > 0)), r"gt: it looks at the values"),
    (Forward(lambda net, z: torch.from_numpy(2 * net(z).numpy())), r"numpy: it looks at the val"),
    (Forward(lambda net, z: net(z).t().contiguous().view(-1, 5)), r": t: it moves or mixes"),
    (Forward(lambda net, z: net(z).roll(1, 0)), r"roll: it moves or mixes the signals"),
    (Forward(lambda net, z: net(z).roll(1)), r"roll: it moves or mixes the signals"),
    (Forward(lambda net, z: net(z).clamp(-1, 1)), r"clamp: it cuts values off"),
    (Forward(lambda net, z: 0.3 * net(z) + 0.1, nn.Tanh()), r"is 0.3 \* phi\(t\) \+ 0.1.*undo it"),
    (Forward(lambda net, z: torch.zeros(len(z), 5)), r"its output does not come from z"),
    (Forward(lambda net, z: (net(z),)), r"it returns a tuple, expected one tensor"),
    (Forward(lambda net, z: net(z)[:, :1] + torch.zeros(5)), r"it repeats entries"),
    (Forward(lambda net, z: undefined_name), r"it fails for z \(B, 3\): NameError"),  # noqa: F821
]


@pytest.mark.parametrize(("module", "message"), SEQUENTIAL + OWN_FORWARD, ids=lambda a: str(a)[:60])
def test_refusals_name_what_and_where(module, message):
    training = module.training
    with pytest.raises(UnsupportedModuleError, match=message):
        Generator.from_torch(module)
    assert module.training == training


def test_one_line_is_enough():
    for module, _ in SEQUENTIAL + OWN_FORWARD:
        with pytest.raises(UnsupportedModuleError) as caught:
            Generator.from_torch(module)
        assert "\n" not in str(caught.value)


WHICH_PART = [
    (VAE(), r"pass module\.decode\)"),
    (Autoencoder(), r"pass module\.decoder\)"),
    (nn.ModuleDict({"encoder": mlp(), "generator": mlp()}), r"pass module\.generator\)"),
    (nn.ModuleDict({"G": mlp()}), r"pass module\.G\)"),
]


@pytest.mark.parametrize(("module", "advice"), WHICH_PART, ids=lambda a: str(a)[:20])
def test_wrappers_say_which_part_to_pass(module, advice):
    with pytest.raises(UnsupportedModuleError, match=advice):
        Generator.from_torch(module)


def test_what_the_tutorials_write():
    """LeakyReLU between the layers: another network than eq. 2, whatever follows."""
    gan = TutorialGenerator(lambda: nn.LeakyReLU(0.2, inplace=True))
    with pytest.raises(
        UnsupportedModuleError, match=r"module model\.1, LeakyReLU.*: a hidden Leaky"
    ):
        Generator.from_torch(gan)


class Script(nn.Module):
    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return z


UNREADABLE = [
    (nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 5)), "run it once"),
    (mlp().to("meta"), "meta device"),
    (nn.Bilinear(2, 2, 2), r"Bilinear.*must take z alone.*input2"),
]


@pytest.mark.parametrize(("module", "message"), UNREADABLE, ids=lambda a: str(a)[:20])
def test_modules_without_numbers_or_with_more_arguments(module, message):
    with pytest.raises(UnsupportedModuleError, match=message):
        Generator.from_torch(module)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_scripts():
    with pytest.raises(UnsupportedModuleError, match="pass the module it was made from"):
        Generator.from_torch(torch.jit.script(mlp()))


@pytest.mark.parametrize("what", [[nn.Linear(2, 2)], None, torch.relu, "net.pt"], ids=range(4))
def test_what_is_no_module(what):
    with pytest.raises(TypeError, match=r"module: expected a torch.nn.Module"):
        Generator.from_torch(what)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_weights_that_are_not_finite(bad):
    net = mlp(output=nn.Tanh())
    nn.init.constant_(net[2].weight, bad)
    with pytest.raises(ValueError, match=r"weights\[1\]: expected finite"):
        Generator.from_torch(net)


class Guarded(Autoencoder):
    """A property that raises must not hide what is wrong."""

    @property
    def generated(self):
        raise RuntimeError("train first")


def test_properties_are_left_alone():
    with pytest.raises(UnsupportedModuleError, match=r"pass module\.decoder\)"):
        Generator.from_torch(Guarded())


# -- the comparison with the module ----------------------------------------------------------------


def test_a_tensor_changed_behind_our_back_is_noticed():
    """A view and its base: what changes one in place changes the other."""

    def forward(net, z):
        h = net[0](z)
        h.unsqueeze(1).mul_(2)
        return net[2](h.relu())

    with pytest.raises(UnsupportedModuleError, match=r"relu: it returned other numbers .*in place"):
        Generator.from_torch(Forward(forward))


@pytest.mark.parametrize("name", ["relu", "linear", "tanh"])
def test_a_wrong_rule_is_noticed(monkeypatch, name):
    rule = RULES[name]

    def nudged(call):
        e = rule(call)
        return e.shifted(torch.full_like(e.size[0], 0.1))

    monkeypatch.setitem(RULES, name, nudged)
    with pytest.raises(UnsupportedModuleError, match=rf"{name}: it returned other numbers .* 0\.1"):
        Generator.from_torch(trained(mlp(output=nn.Tanh())))


def test_what_differs_when_not_followed_is_noticed():
    """A module that computes something else when nobody watches."""

    def forward(net, z):
        watched = any(
            isinstance(m, Trace) for m in torch.overrides._get_current_function_mode_stack()
        )
        return net(z) if watched else 2 * net(z)

    with pytest.raises(
        UnsupportedModuleError, match=r"run by itself .* off by .* where rounding makes"
    ):
        Generator.from_torch(Forward(forward))


def test_a_choice_by_value_is_noticed():
    """z.data_ptr() and the like are not seen; other z, and other layers, are."""
    runs = iter([1, 2, 2, 2])
    with pytest.raises(UnsupportedModuleError, match=r"its weights differ by"):
        Generator.from_torch(Forward(lambda net, z: next(runs) * net(z)))
