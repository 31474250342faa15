"""Show that a shipped generator is good: sample sheet, digit shares, conditioning: `python -m
validation.generator_quality gan`, or `vae`.
"""

import json
import time
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import matplotlib
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import track
from torch import nn

from cvxinv import record
from cvxinv.cli.common import grey_levels
from cvxinv.generator import Generator, mnist_generator
from cvxinv.generator.shipped import FILES
from validation import mnist
from validation.record import COMMITTED, RESULTS

TRAINING = {"gan": "train_generator.json", "vae": "train_vae.json"}
SAMPLES = 2000
SHARE = 0.03  # least share of each digit
TOP = 0.85  # least mean top probability
HIDDEN_ROWS, HIDDEN_SHARE = 13, 0.45  # the masks of section 6


def classifier() -> nn.Sequential:
    """Two convolutions and two dense layers."""
    features = [
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.ReLU(),
    ]
    return nn.Sequential(
        *features,
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, 10),
    )


def train_classifier(epochs: int, seed: int) -> tuple[nn.Sequential, float]:
    """Train the classifier on MNIST; returns it with its accuracy on the test images."""
    torch.manual_seed(seed)
    net = classifier()
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    images, labels = (torch.from_numpy(a) for a in mnist.load("train"))
    for _ in track(range(epochs), "classifier"):
        order = torch.randperm(len(images))
        for k in range(0, len(order), 128):
            batch = order[k : k + 128]
            optimiser.zero_grad()
            torch.autograd.backward(
                nn.functional.cross_entropy(net(images[batch]), labels[batch].long())
            )
            optimiser.step()
    net.eval()
    images, labels = (torch.from_numpy(a) for a in mnist.load("t10k"))
    with torch.no_grad():
        accuracy = (net(images).argmax(1) == labels).double().mean().item()
    return net, accuracy


def masks(seed: int) -> dict[str, NDArray[np.bool_]]:
    """The three masks of section 6: all pixels, 45 % hidden at random, the upper 13 of 28 rows
    hidden.
    """
    chosen = np.random.default_rng(seed).permutation(784) >= round(HIDDEN_SHARE * 784)
    return {
        "all pixels": np.ones(784, bool),
        "random mask": chosen,
        "upper rows hidden": np.arange(784) >= 28 * HIDDEN_ROWS,
    }


def _summary(values: list[float]) -> dict[str, float]:
    return {
        "min": float(np.min(values)),
        "median": float(np.median(values)),
        "max": float(np.max(values)),
    }


def invertibility(generator: Generator, signals: int = 200, seed: int = 0) -> dict[str, Any]:
    """Support sizes and condition numbers of the realised layer matrices, in float64.

    Parameters
    ----------
    generator : Generator
        With 784 pixels.
    signals, seed : int
        Standard normal latents.

    Returns
    -------
    dict
        Least, median and largest over the signals of s_i and the condition numbers of
        W_i[S_{i+1}, S_i], the last one with the rows of each mask M; a condition number is infinite
        where a matrix has fewer rows than columns.
    """
    latents = np.random.default_rng(seed).standard_normal((signals, generator.sizes[0]))
    supports, L = generator.supports(latents), generator.depth

    def cond(W: NDArray[np.float64]) -> float:
        return float(np.linalg.cond(W)) if W.shape[0] >= W.shape[1] else float("inf")

    def conds(i: int, rows: NDArray[np.bool_]) -> dict[str, float]:
        columns = supports[i - 1] if i else np.ones((signals, generator.sizes[0]), bool)
        kept = np.broadcast_to(rows, (signals, generator.sizes[i + 1]))
        pairs = zip(kept, columns, strict=True)
        return _summary([cond(generator.weights[i][np.ix_(S, C)]) for S, C in pairs])

    sizes = [S.sum(axis=1) for S in supports]
    result: dict[str, Any] = {"signals": signals}
    result |= {f"s_{i + 1}": _summary(list(map(float, s))) for i, s in enumerate(sizes)}
    for i in range(1, L):
        share = float(np.mean(sizes[i - 1] < sizes[i]))
        result[f"share of signals with s_{i} < s_{i + 1}"] = share
    for i in range(L):
        result[f"cond W_{i}[S_{i + 1}, {f'S_{i}' if i else ':'}]"] = conds(i, supports[i])
    for name, mask in masks(seed).items():
        result[f"cond W_{L}[M, S_{L}], {name}"] = conds(L, mask)
    return result


def draw_sheet(images: NDArray[np.float64], path: Path, rows: int = 10, columns: int = 16) -> None:
    """Write the first samples, not selected, as one image; -1 is black, 1 is white."""
    from matplotlib import pyplot as plt

    tiles = np.pad(
        images[: rows * columns].reshape(rows, columns, 28, 28),
        ((0, 0), (0, 0), (1, 1), (1, 1)),
        constant_values=-1,
    )
    sheet = tiles.transpose(0, 2, 1, 3).reshape(rows * 30, columns * 30)
    plt.imsave(path, sheet.repeat(2, 0).repeat(2, 1), cmap="gray", vmin=-1, vmax=1)


def draw_digits(shares: NDArray[np.float64], top: NDArray[np.float64], path: Path) -> None:
    """Write the bar chart of digit shares and the histogram of the top probability."""
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    left.bar(range(10), 100 * shares, color="tab:blue")
    left.axhline(100 * SHARE, color="tab:red", linestyle="--", label=f"required: {SHARE:.0%}")
    left.set(
        xticks=range(10),
        xlabel="digit, as classified",
        ylabel="share of samples / %",
        title=f"Digits among {len(top)} samples",
    )
    left.set_ylim(0, 125 * shares.max())  # room for the legend
    left.legend(loc="upper right")
    right.hist(top, bins=40, range=(0, 1), color="tab:blue")
    right.axvline(top.mean(), color="tab:orange", label=f"mean {top.mean():.3f}")
    right.axvline(TOP, color="tab:red", linestyle="--", label=f"required mean: {TOP}")
    right.set(
        xlabel="top probability of the classifier",
        ylabel="samples",
        title="How sure the classifier is",
    )
    right.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(
    network: Annotated[Literal["gan", "vae"], typer.Argument(help="gan or vae.")] = "gan",
    seed: Annotated[int, typer.Option(help="Of the classifier and the samples.")] = 0,
    epochs: Annotated[int, typer.Option(help="Of the classifier.")] = 3,
    threads: Annotated[int, typer.Option(help="Torch threads.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for the figures and the record.")] = RESULTS,
) -> None:
    """Measure a shipped generator and write two figures and a record."""
    start = time.perf_counter()
    matplotlib.use("Agg")
    torch.set_num_threads(threads)
    net, accuracy = train_classifier(epochs, seed)
    generator = mnist_generator(network)
    low, high = grey_levels(generator)
    samples = generator(np.random.default_rng(seed).standard_normal((SAMPLES, generator.sizes[0])))
    samples = 2 * (samples - low) / (high - low) - 1  # as the classifier knows them
    with torch.no_grad():
        probabilities = net(torch.from_numpy(samples).float()).softmax(1).double().numpy()
    top, shares = probabilities.max(1), np.bincount(probabilities.argmax(1), minlength=10) / SAMPLES
    out.mkdir(parents=True, exist_ok=True)
    draw_sheet(samples, out / f"generator_samples_{network}.png")
    draw_digits(shares, top, out / f"generator_digits_{network}.png")

    training = COMMITTED / TRAINING[network]
    with resources.as_file(resources.files("cvxinv") / "data" / FILES[network]) as weights:
        size = weights.stat().st_size
    figures: dict[str, Any] = {
        "network": network,
        "samples": SAMPLES,
        "digit shares": {str(digit): float(share) for digit, share in enumerate(shares)},
        "least share": float(shares.min()),
        "mean top probability": float(top.mean()),
        "every digit at least 3 %": bool(shares.min() >= SHARE),
        "mean top probability at least 0.85": bool(top.mean() >= TOP),
        "classifier test accuracy": accuracy,
        "classifier epochs": epochs,
        "weights file bytes": size,
        "training of the generator": json.loads(training.read_text()),
        "invertibility": invertibility(generator),
        "seed": seed,
        "minutes": round((time.perf_counter() - start) / 60, 2),
        **record.run(("torch", "numpy"), "python -m validation.generator_quality"),
    }
    record.write(out / f"generator_quality_{network}.json", figures)
    typer.echo(
        f"least digit share {shares.min():.1%}, mean top probability {top.mean():.3f}, classifier"
        f" accuracy {accuracy:.2%}"
    )


if __name__ == "__main__":
    typer.run(main)
