"""`Generator.from_state_dict`: weights by their keys."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

from cvxinv import Generator, GeneratorFileError, UnsupportedModuleError
from tests.support.modules import VAE, Decoder, TutorialGenerator, mlp, trained
from tests.support.tolerances import FORWARD

BN = nn.BatchNorm1d


class Named(nn.Module):
    """Modules by name, in the order of use, a ReLU before each Linear but the first."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, z):
        x = z
        for i, module in enumerate(self.children()):
            x = module(x.relu() if i and isinstance(module, nn.Linear) else x)
        return x


def tower(*, prefix="fc", norm="bn", n=4):
    """fc1, bn1, .., fc11, bn11: more than one digit, and all of one size."""
    parts = {}
    for i in range(1, 12):
        parts |= {f"{prefix}{i}": nn.Linear(n, n), f"{norm}{i}": BN(n)}
    return Named(**parts)


def block():
    return nn.Sequential(nn.Linear(4, 4), BN(4), nn.ReLU())


NETS = {
    "Sequential": lambda: mlp(),
    "no bias": lambda: nn.Sequential(
        nn.Linear(3, 8, bias=False), nn.ReLU(), nn.Linear(8, 5, bias=False)
    ),
    "BatchNorm before ReLU": lambda: mlp(BN(8), nn.ReLU()),
    "BatchNorm after ReLU": lambda: mlp(nn.ReLU(), BN(8)),
    "BatchNorm after ReLU and Dropout": lambda: mlp(nn.ReLU(), nn.Dropout(), BN(8)),
    "BatchNorm first": lambda: nn.Sequential(BN(3), *mlp()),
    "BatchNorm last": lambda: nn.Sequential(*mlp(), BN(5)),
    "BatchNorm, not affine": lambda: mlp(BN(8, affine=False), nn.ReLU()),
    "no ReLU between two": lambda: nn.Sequential(nn.Linear(3, 4), *mlp_from(4)),
    "by name": lambda: Named(
        fc1=nn.Linear(3, 8), bn1=BN(8), fc2=nn.Linear(8, 8), out=nn.Linear(8, 5)
    ),
    "words": lambda: Named(first=nn.Linear(3, 8), middle=nn.Linear(8, 6), end=nn.Linear(6, 5)),
    "eleven of one size": lambda: tower(),
    "eleven in a Sequential": lambda: nn.Sequential(
        *(m for _ in range(11) for m in block()), nn.Linear(4, 4)
    ),
    "blocks": lambda: nn.Sequential(*(block() for _ in range(11)), nn.Linear(4, 4)),
    "in a module": lambda: nn.ModuleDict({"net": mlp(BN(8), nn.ReLU())}).net,
}


def mlp_from(n):
    return nn.Linear(n, 8), nn.ReLU(), nn.Linear(8, 5)


def expected(net, z):
    with torch.no_grad():
        return net(z)


@pytest.mark.parametrize("name", NETS)
def test_what_the_keys_say(name, tmp_path):
    net = trained(NETS[name]())
    z = torch.randn(20, next(net.parameters()).shape[-1], dtype=torch.float64)
    y = expected(net, z)
    state = net.state_dict()
    save_file(state, tmp_path / "net.safetensors")
    torch.save(state, tmp_path / "net.pt")
    wrapped = {f"module._orig_mod.{key}": a for key, a in state.items()}
    arrays = {key: a.numpy() for key, a in state.items()}
    for source in (
        state,
        wrapped,
        arrays,
        tmp_path / "net.safetensors",
        str(tmp_path / "net.pt"),
    ):
        G = Generator.from_state_dict(source, activation="identity")
        assert isinstance(G.weights[0], torch.Tensor) == (source is state or source is wrapped)
        np.testing.assert_allclose(G.to("cpu")(z), y, rtol=FORWARD, atol=FORWARD)


def test_the_activation_is_given():
    net = trained(Decoder())
    parts = {
        key: a for part in ("fc3", "fc4") for key, a in net.state_dict().items() if part in key
    }
    G, z = Generator.from_state_dict(parts, "sigmoid"), torch.randn(9, 3, dtype=torch.float64)
    np.testing.assert_allclose(G(z), expected(net, z), rtol=FORWARD, atol=FORWARD)
    with pytest.raises(TypeError, match="activation"):
        Generator.from_state_dict(parts)
    with pytest.raises(ValueError, match="activation: expected one of"):
        Generator.from_state_dict(parts, "relu")


def test_the_tutorials_generator():
    """Whose batch normalisation has another eps, which no state dict tells."""
    net = trained(TutorialGenerator(nn.ReLU))
    for module in net.modules():
        if isinstance(module, BN):
            module.eps = 1e-5
    G = Generator.from_state_dict(net.state_dict(), "tanh")
    z = torch.randn(9, 10, dtype=torch.float64)
    np.testing.assert_allclose(G(z), expected(net, z).flatten(1), rtol=FORWARD, atol=FORWARD)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_kinds_of_floats(dtype, tmp_path):
    net = trained(mlp(BN(8), nn.ReLU())).to(dtype)
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    z = torch.randn(9, 3)
    for source in (net.state_dict(), tmp_path / "net.safetensors"):
        G = Generator.from_state_dict(source, "identity")
        assert str(G.weights[0].dtype).endswith("float32")
        np.testing.assert_allclose(G(z), expected(net.float(), z), rtol=1e-5, atol=1e-6)


@given(sizes=st.lists(st.integers(1, 6), min_size=3, max_size=6), norms=st.integers(0, 63))
@example(sizes=[3, 3, 3], norms=0b10)
@example(sizes=[2, 4, 2, 4, 2], norms=0)
@example(sizes=[2, 2, 1, 6, 1, 6], norms=53)  # a layer without negative entries is a layer
def test_random_sequentials_agree_with_from_torch(sizes, norms):
    modules = []
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        modules += [nn.ReLU()] * (i > 0) + [nn.Linear(n_in, n_out)]
        modules += [BN(n_out)] * (norms >> i & 1)
    net = trained(nn.Sequential(*modules))
    G, H = Generator.from_torch(net), Generator.from_state_dict(net.state_dict(), "identity")
    for a, b in zip([*G.weights, *G.biases], [*H.weights, *H.biases], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


# -- what is refused -------------------------------------------------------------------------------

two = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
REFUSED = {
    "a whole VAE": (
        VAE().state_dict(),
        r"fc22 \(20, 40\) does not take what fc21.*generator's part",
    ),
    "a checkpoint": (
        {"epoch": 3, "state_dict": two.state_dict()},
        r"epoch: expected an array .* int: pass the dict at 'state_dict'",
    ),
    "convolutions": (nn.Sequential(nn.ConvTranspose2d(4, 4, 3)).state_dict(), r"0 .*a convolution"),
    "LayerNorm": (
        mlp(nn.LayerNorm(8), nn.ReLU()).state_dict(),
        r"1 \(weight \(8,\), bias .* or Bat",
    ),
    "BatchNorm2d": (nn.Sequential(*two, nn.BatchNorm2d(3)).state_dict(), r"3 \(3,\) does not take"),
    "weight_norm": (
        nn.utils.parametrizations.weight_norm(nn.Linear(3, 8)).state_dict(),
        r"parametrizations.*a weight is computed.*from_torch",
    ),
    "prune": (
        prune.identity(nn.Linear(3, 8), "weight").state_dict(),
        r"weight_orig: a weight is computed",
    ),
    "a single Linear": (nn.Linear(3, 8).state_dict(), r"two Linears .* found weight \(8, 3\)"),
    "nothing": ({}, "found nothing"),
    "BatchNorm between two gaps": (
        mlp(nn.Identity(), BN(8), nn.ReLU()).state_dict(),
        r"between 0 .* and 4 .*before or after the BatchNorm1d",
    ),
    "our own file": ({"weights.0": np.eye(3), "weights.1": np.eye(3)}, r"weights \(0 \(3, 3\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_names_the_keys(name):
    state, message = REFUSED[name]
    with pytest.raises(UnsupportedModuleError, match=message):
        Generator.from_state_dict(state, "identity")


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)}, r"several orders of a \(4, 4\), b \(4, 4\)"),
        ({"a": nn.Linear(3, 4), "b": nn.Linear(5, 6)}, r"no order of a \(4, 3\), b \(6, 5\)"),
        ({"a": nn.Linear(3, 4), "norm": BN(4), "b": nn.Linear(4, 6)}, r"norm .* which Linear"),
        ({"x.1": nn.Linear(4, 4), "y.1": nn.Linear(4, 4)}, "several orders"),
    ],
)
def test_files_without_an_order(tmp_path, modules, message):
    state = {f"{k}.{leaf}": a for k, m in modules.items() for leaf, a in m.state_dict().items()}
    save_file(state, tmp_path / "net.safetensors")
    with pytest.raises(UnsupportedModuleError, match=message):
        Generator.from_state_dict(tmp_path / "net.safetensors", "identity")


def test_load_says_who_reads_such_a_file(tmp_path):
    save_file(mlp().state_dict(), tmp_path / "net.safetensors")
    with pytest.raises(GeneratorFileError, match=r"Generator\.from_state_dict reads plain weights"):
        Generator.load(tmp_path / "net.safetensors")


class Evil:
    def __reduce__(self):
        return pytest.fail, ("unpickled",)


def test_nothing_but_tensors_is_unpickled(tmp_path):
    torch.save(mlp(), tmp_path / "module.pt")
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    torch.save({"fc.weight": torch.ones(2, 2), "evil": Evil()}, tmp_path / "evil.pt")
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "junk.safetensors").write_bytes(b"\xff" * 100)
    for name in ("module.pt", "evil.pth", "evil.pt", "empty.pt", "junk.safetensors"):
        with pytest.raises(GeneratorFileError, match=name):
            Generator.from_state_dict(tmp_path / name, "identity")
    torch.save([torch.ones(2)], tmp_path / "list.pt")
    with pytest.raises(GeneratorFileError, match="expected a state dict, found a list"):
        Generator.from_state_dict(tmp_path / "list.pt", "identity")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Generator.from_state_dict(tmp_path / "nowhere.pt", "identity")
    with pytest.raises(TypeError, match="state: expected a path or a dict"):
        Generator.from_state_dict([1], "identity")
