"""Train the two networks that stand for what people have: `python -m validation.train_vae`.

`vae`: the most common public architecture, a 20-400-784 decoder with a sigmoid output (Kingma and
Welling 2014; the example of many tutorials). `tanh`: a 16-128-320-784 decoder with batch-norm on
its hidden layers. Both are decoders of variational autoencoders of MNIST.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.progress import track
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy

from cvxinv.generator import Generator
from validation import mnist
from validation.record import RESULTS, store

BATCH, RATE = 128, 1e-3
DATA = mnist.ROOT / "cvxinv" / "data"


@dataclass(frozen=True)
class Kind:
    """What is trained, and where its weights go."""

    encoder: nn.Module
    decoder: nn.Sequential
    low: float  # of the pixels, as of the output activation: [low, 1]
    latents: int
    weights: Path


def vae() -> Kind:
    """784-400-20-400-784, ReLU and sigmoid, pixels in [0, 1]."""
    encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 2 * 20))
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())
    return Kind(encoder, decoder, 0.0, 20, DATA / "mnist_vae.safetensors")


def tanh() -> Kind:
    """A 16-128-320-784 decoder, batch-norm and ReLU, tanh at the output, pixels in [-1, 1]."""
    encoder = nn.Sequential(nn.Linear(784, 320), nn.ReLU(), nn.Linear(320, 2 * 16))
    first = nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU()
    second = nn.Linear(128, 320), nn.BatchNorm1d(320), nn.ReLU()
    decoder = nn.Sequential(*first, *second, nn.Linear(320, 784), nn.Tanh())
    return Kind(encoder, decoder, -1.0, 16, RESULTS / "mnist_tanh.safetensors")


KINDS = {"vae": vae, "tanh": tanh}


def loss(kind: Kind, x: Tensor) -> tuple[Tensor, Tensor]:
    """Reconstruction error and Kullback-Leibler divergence of a batch, per image."""
    mean, log_variance = kind.encoder(x).chunk(2, 1)
    z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)

    def grey(a: Tensor) -> Tensor:
        return (a - kind.low) / (1 - kind.low)

    error = binary_cross_entropy(grey(kind.decoder(z)).clamp(0, 1), grey(x), reduction="sum")
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    return error / len(x), divergence / len(x)


def train(kind: Kind, images: Tensor, epochs: int) -> dict[str, Any]:
    """Train with Adam; the decoder is left in evaluation mode."""
    nets = nn.ModuleList([kind.encoder, kind.decoder]).train()
    optimiser = torch.optim.Adam(nets.parameters(), lr=RATE)
    start, total = time.perf_counter(), [0.0, 0.0]
    for _ in track(range(epochs), "epochs"):
        total = [0.0, 0.0]
        for rows in torch.split(torch.randperm(len(images)), BATCH):
            error, divergence = loss(kind, images[rows])
            optimiser.zero_grad()
            torch.autograd.backward(error + divergence)
            optimiser.step()
            total = [total[0] + error.item() * len(rows), total[1] + divergence.item() * len(rows)]
    kind.decoder.eval()
    return {
        "epochs": epochs,
        "minutes": round((time.perf_counter() - start) / 60, 2),
        "reconstruction": total[0] / len(images),
        "divergence": total[1] / len(images),
    }


def main(
    name: Annotated[str, typer.Argument(help="vae or tanh.")] = "vae",
    epochs: Annotated[int, typer.Option(help="Passes over the 60 000 images.")] = 20,
    seed: Annotated[int, typer.Option(help="Of weights, latents and batches.")] = 0,
    threads: Annotated[int, typer.Option(help="Torch threads.")] = 1,
) -> None:
    """Train one of the networks, write its decoder (safetensors, float32) and what was measured."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    kind = KINDS[name]()
    images = torch.from_numpy(mnist.load("train")[0])  # in [-1, 1]
    images = images if kind.low == -1 else (images + 1) / 2
    measured = train(kind, images, epochs)
    Generator.from_torch(kind.decoder).save(kind.weights)
    settings = {"network": name, "seed": seed, "batch": BATCH, "rate": RATE}
    store(f"train_{name}", settings | measured, ("torch", "numpy"), threads, script="train_vae")
    typer.echo(f"{kind.weights} written: {measured}")


if __name__ == "__main__":
    typer.run(main)
