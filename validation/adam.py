"""What people do instead of `invert`: gradient descent on z (eq. 1) by Adam, restarted; a torch
module in float32 and autograd, all starts of a batch at once.
"""

import torch
from torch import Tensor, nn

import cvxinv

RESTARTS, STEPS, RATE = 10, 1000, 0.1


def module(G: cvxinv.Generator) -> nn.Sequential:
    """G without its output activation as a torch module in float32, as people have it."""
    layers: list[nn.Module] = []
    assert G.biases is not None
    for W, b in zip(G.weights, G.biases, strict=True):
        linear = nn.Linear(W.shape[1], W.shape[0])
        linear.load_state_dict({"weight": torch.tensor(W), "bias": torch.tensor(b)})
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).requires_grad_(False)


def adam(
    G: cvxinv.Generator, y: Tensor, start: Tensor, seen: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The lowest objective of eq. 1 among the iterates of Adam from z = start (B, n_0), (B,), and
    its z; y (B, n) is finite, `seen` its mask, if any.
    """
    net, z = module(G), start.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([z], lr=RATE)
    best, best_z = torch.full_like(y[:, 0], torch.inf), start.clone()
    for _ in range(STEPS):
        error = G.activation(net(z)) - y
        objective = 0.5 * (error if seen is None else seen * error).square().sum(1)
        with torch.no_grad():
            lower = objective < best
            best = torch.where(lower, objective, best)
            best_z = torch.where(lower[:, None], z, best_z)
        optimiser.zero_grad()
        torch.autograd.backward(objective.sum())
        optimiser.step()
    return best, best_z
