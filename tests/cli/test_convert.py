"""`cvxinv convert`: checkpoints as people have them become generator files."""

import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import cvxinv
from tests.support.shell import complains

MODEL = """
import torch
from torch import nn
from sizes import HIDDEN

class VAE(nn.Module):
    def __init__(self, n=30):
        super().__init__()
        self.encoder = nn.Linear(n, 3)
        self.decoder = nn.Sequential(nn.Linear(3, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, n))

    def decode(self, z):
        return torch.sigmoid(self.decoder(z)).view(-1, 1, 5, 6)

    def forward(self, x):
        return self.decode(self.encoder(x))

class Decoder(nn.Sequential):
    def __init__(self, hidden=None):
        if hidden is None:
            raise TypeError("how many?")
        super().__init__(nn.Linear(3, hidden), nn.ReLU(), nn.Linear(hidden, 30), nn.Sigmoid())

def decoder():
    return Decoder(12)

number = 3
"""


@pytest.fixture
def model(run, monkeypatch):
    """A VAE, as the code in model.py makes it."""
    (run.folder / "model.py").write_text(MODEL)
    (run.folder / "sizes.py").write_text("HIDDEN = 12\n")
    torch.manual_seed(0)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(run.folder)
        namespace = {"__name__": "model"}
        exec(MODEL, namespace)
    yield namespace["VAE"]()
    for name in ("model", "sizes"):
        sys.modules.pop(name, None)


@pytest.fixture
def decoder():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 12), nn.ReLU(), nn.Linear(12, 30), nn.Sigmoid())


def agrees(G, module):
    z = torch.randn(5, 3, dtype=torch.float32)
    expected = module(z).detach().numpy().reshape(5, -1)
    np.testing.assert_allclose(G(z.numpy()), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("where", "part"),
    [("model.py:VAE", "decode"), ("model:VAE", "decode"), ("model.py:decoder", None)],
)
def test_a_module_and_its_weights(run, model, decoder, where, part):
    weights = decoder.state_dict() if part is None else model.state_dict()
    torch.save({f"module.{k}": v for k, v in weights.items()}, "c.pt")  # of DataParallel
    options = ["--part", part] if part else []
    code, out, err = run("convert", "c.pt", "G.safetensors", "--module", where, *options)
    assert (code, err) == (0, "")
    G = cvxinv.Generator.load("G.safetensors")
    agrees(G, decoder if part is None else model.decode)
    assert "Generator(3-12-30, Sigmoid(), float32)" in out
    assert ("images 1 x 5 x 6" in out) == (part is not None)
    assert "G.safetensors" in out
    np.save("y.npy", G(np.ones((2, 3))))
    assert run("invert", "G.safetensors", "y.npy")[0] == 0


@pytest.mark.parametrize("name", ["c.pt", "c.safetensors"])
@pytest.mark.parametrize("part", [None, "decoder"])
def test_a_plain_state_dict(run, decoder, name, part):
    weights = decoder.state_dict()
    if part is not None:
        weights = {f"decoder.{k}": v for k, v in weights.items()} | nn.Linear(30, 3).state_dict()
    (torch.save if name == "c.pt" else save_file)(weights, name)
    options = ["--part", part] if part else []
    arguments = ("convert", name, "G.safetensors", "--activation", "sigmoid", *options)
    assert run(*arguments)[0] == 0
    agrees(cvxinv.Generator.load("G.safetensors"), decoder)
    complains(run(*arguments), "G.safetensors: exists already")
    assert run(*arguments, "--overwrite")[0] == 0


def test_sorted_keys_are_put_in_order(run):
    """fc10 stands before fc9 in a safetensors file."""
    torch.manual_seed(2)
    layers = [nn.Linear(3, 3) for _ in range(11)]
    state = {f"fc{i}.{k}": v for i, m in enumerate(layers) for k, v in m.state_dict().items()}
    save_file(state, "c.safetensors")
    assert run("convert", "c.safetensors", "G", "--activation", "tanh", "--part", "fc1")[0] == 2
    assert run("convert", "c.safetensors", "G", "--activation", "tanh")[0] == 0
    relus = [m for layer in layers for m in (layer, nn.ReLU())][:-1]
    agrees(cvxinv.Generator.load("G"), nn.Sequential(*relus, nn.Tanh()))


def test_a_checkpoint_of_a_trainer(run, decoder):
    optimizer = torch.optim.Adam(decoder.parameters())
    inside = {"epoch": 3, "optimizer": optimizer.state_dict(), "model": decoder.state_dict()}
    torch.save(inside, "c.pt")
    arguments = ("convert", "c.pt", "G.safetensors", "--activation", "sigmoid")
    assert run(*arguments)[0] == 0
    agrees(cvxinv.Generator.load("G.safetensors"), decoder)
    torch.save(inside | {"ema": decoder.state_dict()}, "c.pt")
    complains(run(*arguments, "--overwrite"), "--key", "model, ema")
    assert run(*arguments, "--overwrite", "--key", "ema")[0] == 0
    complains(run(*arguments, "--overwrite", "--key", "best"), "--key", "'best'")


class Harm:
    """What a pickle could do."""

    def __reduce__(self):
        return (exec, ("open('harm', 'w').close()",))


def test_nothing_is_unpickled(run, model):
    torch.save({"weights": Harm()}, "c.pt")
    for options in (["--activation", "sigmoid"], ["--module", "model.py:VAE"]):
        complains(run("convert", "c.pt", "G.safetensors", *options), "c.pt: not a readable file")
    assert not (run.folder / "harm").exists()
    assert not (run.folder / "G.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["--module", "--activation", "neither"]),
        (["--module", "model.py:VAE", "--activation", "tanh"], ["both"]),
        (["--activation", "swish"], ["activation", "swish"]),
        (["--activation", "tanh", "--part", "head"], ["--part", "'head'"]),
        (["--activation", "tanh", "--part", "encoder"], ["expected two Linears"]),
        (["--module", "model.py"], ["--module: expected file.py:Class"]),
        (["--module", "absent.py:VAE"], ["absent.py", "No such file"]),
        (["--module", "absent:VAE"], ["absent cannot be imported (ModuleNotFoundError"]),
        (["--module", "broken.py:VAE"], ["broken.py cannot be imported (NameError"]),
        (["--module", "model.py:GAN"], ["model has no 'GAN'"]),
        (["--module", "model.py:Decoder"], ["without arguments (how many?): write a function"]),
        (["--module", "model.py:number"], ["cannot be called"]),
        (["--module", "model.py:decoder"], ["these weights do not fit model.py:decoder"]),
        (["--module", "model.py:VAE", "--part", "head"], ["--part: VAE has no 'head'"]),
    ],
)
def test_what_is_refused(run, model, options, words):
    torch.save(model.state_dict(), "c.pt")
    (run.folder / "broken.py").write_text("VAE = nothing\n")
    complains(run("convert", "c.pt", "G.safetensors", *options), *words)
    assert not (run.folder / "G.safetensors").exists()
