"""Train the shipped 20-128-392-784 generator of handwritten digits (section 6): `python -m
validation.train_generator`.
"""

import copy
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from torch.nn.functional import relu
from torch.nn.utils.parametrizations import spectral_norm

from cvxinv import record as run_record
from cvxinv.generator import Generator
from cvxinv.generator.nn import PLU
from validation import mnist

SIZES = (20, 128, 392, 784)
BATCH = 64
RATE_GENERATOR, RATE_DISCRIMINATOR = 4e-4, 1e-3
# of the discriminator: spectral norms of 1 alone hold it far below the margin of the hinge loss
GAIN = 10.0
BETAS = (0.5, 0.999)
AVERAGE = 0.999  # of the generator's weights, per step
WEIGHTS = mnist.ROOT / "cvxinv" / "data" / "mnist.safetensors"
RECORD = Path(__file__).with_name("results") / "train_generator.json"


def generator() -> nn.Sequential:
    """20-128-392-784: batch-norm and ReLU on the hidden layers, PLU at the output.

    The batch-norms learn no scale and shift: with them, training drives units off until some
    signals keep hardly more than n_0 of the first layer, and so few of the second that x_1 is not
    determined by x_2 (Theorem 2 asks for s_1 >= n_0, s_1 < s_2).
    """
    n0, n1, n2, n = SIZES
    first = nn.Linear(n0, n1, bias=False), nn.BatchNorm1d(n1, affine=False), nn.ReLU()
    second = nn.Linear(n1, n2, bias=False), nn.BatchNorm1d(n2, affine=False), nn.ReLU()
    return nn.Sequential(*first, *second, nn.Linear(n2, n), PLU(alpha=0.1, c=1.0))


def discriminator() -> nn.Sequential:
    """784-512-256-1 with leaky ReLU, every layer under spectral normalisation."""
    linear = [spectral_norm(nn.Linear(a, b)) for a, b in ((SIZES[-1], 512), (512, 256), (256, 1))]
    return nn.Sequential(linear[0], nn.LeakyReLU(0.2), linear[1], nn.LeakyReLU(0.2), linear[2])


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Move the averaged parameters towards the current ones."""
    for slow, fast in zip(average.parameters(), net.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)


@torch.no_grad()
def recompute_statistics(net: nn.Sequential, latents: int = 50_000) -> None:
    """Set batch-norm's running statistics to those of many latents: the averaged weights have none
    of their own.
    """
    for module in net:
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()
            module.momentum = 1.0  # one batch of all latents
    net.train()
    net(torch.randn(latents, SIZES[0]))
    net.eval()


def train(
    images: torch.Tensor, steps: int, minutes: float, seed: int
) -> tuple[nn.Sequential, dict[str, float]]:
    """Train with the hinge loss, one discriminator step per generator step.

    Parameters
    ----------
    images : Tensor (N, 784)
        In [-1, 1].
    steps : int
        Generator steps; the learning rate falls linearly to zero over the second half.
    minutes : float
        Stop early after so much time (the outcome then depends on the machine).
    seed : int
        Of weights, latents and batches.

    Returns
    -------
    net : nn.Sequential
        The averaged generator, in evaluation mode.
    record : dict
        Steps done, minutes, and both losses averaged over the last 500 steps.
    """
    torch.manual_seed(seed)
    G, D = generator(), discriminator()
    average = copy.deepcopy(G)
    pairs = ((G, RATE_GENERATOR), (D, RATE_DISCRIMINATOR))
    optimisers = [
        torch.optim.Adam(net.parameters(), lr=rate, betas=BETAS, fused=True) for net, rate in pairs
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(o, lambda k: min(1.0, 2 * (1 - k / steps)))
        for o in optimisers
    ]
    losses: list[tuple[float, float]] = []
    start = time.perf_counter()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("training", total=steps)
        for k in range(steps):
            real = images[torch.randint(len(images), (BATCH,))]
            fake = G(torch.randn(BATCH, SIZES[0]))
            score = GAIN * D(torch.cat([real, fake.detach()]))
            loss_d = relu(1 - score[:BATCH]).mean() + relu(1 + score[BATCH:]).mean()
            optimisers[1].zero_grad()
            torch.autograd.backward(loss_d)
            optimisers[1].step()

            D.requires_grad_(False).eval()  # no power iteration here
            loss_g = -GAIN * D(fake).mean()
            optimisers[0].zero_grad()
            torch.autograd.backward(loss_g)
            optimisers[0].step()
            D.requires_grad_(True).train()

            for schedule in schedules:
                schedule.step()
            update_average(average, G, min(AVERAGE, (k + 1) / (k + 10)))
            losses.append((loss_g.item(), loss_d.item()))
            if k % 100 == 99:
                g, d = np.mean(losses[-100:], axis=0)
                progress.update(task, completed=k + 1, description=f"G {g:+.3f}  D {d:.3f}")
            if time.perf_counter() - start > 60 * minutes:
                break
    recompute_statistics(average)
    g, d = np.mean(losses[-500:], axis=0)
    spent = (time.perf_counter() - start) / 60
    return average, {
        "steps": len(losses),
        "minutes": round(spent, 2),
        "loss_generator": float(g),
        "loss_discriminator": float(d),
    }


def main(
    steps: Annotated[int, typer.Option(help="Generator steps.")] = 15_000,
    minutes: Annotated[float, typer.Option(help="Stop early after so many minutes.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Of weights, latents and batches.")] = 0,
    threads: Annotated[int, typer.Option(help="Torch threads.")] = 1,
    out: Annotated[Path, typer.Option(help="Where the weights go.")] = WEIGHTS,
    record: Annotated[Path, typer.Option(help="Where the measured figures go.")] = RECORD,
) -> None:
    """Train the generator, write its weights (safetensors, float32) and what was measured."""
    torch.set_num_threads(threads)
    images, _ = mnist.load("train")
    net, measured = train(torch.from_numpy(images), steps, minutes, seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    Generator.from_torch(net).save(out)
    rates = {
        "rate_generator": RATE_GENERATOR,
        "rate_discriminator": RATE_DISCRIMINATOR,
        "betas": BETAS,
        "average": AVERAGE,
    }
    settings = {
        "seed": seed,
        "threads": threads,
        "sizes": SIZES,
        "batch": BATCH,
        "gain": GAIN,
        **rates,
    }
    record.parent.mkdir(parents=True, exist_ok=True)
    origin = run_record.run(("torch", "numpy"), "python -m validation.train_generator")
    run_record.write(record, {**measured, **settings, **origin})
    typer.echo(f"{out} written: {measured['steps']} steps in {measured['minutes']} minutes")


if __name__ == "__main__":
    typer.run(main)
