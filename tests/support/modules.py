"""Torch modules as people write them."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


def trained(net: nn.Module) -> nn.Module:
    """The module in float64, with weights and running statistics as if trained."""
    torch.manual_seed(0)
    net = net.double()
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            if module.running_mean is not None:
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
            if module.affine:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
    return net.eval()


def mlp(*between: nn.Module, output: nn.Module | None = None) -> nn.Sequential:
    """3-8-5 with `between` for its ReLU."""
    hidden = between or (nn.ReLU(),)
    return nn.Sequential(nn.Linear(3, 8), *hidden, nn.Linear(8, 5), output or nn.Identity())


class Forward(nn.Module):
    """A module whose forward is f(self, z), with a 3-8-5 network `net` inside."""

    def __init__(self, f, output=None):
        super().__init__()
        self.net = mlp(output=output)
        self.f = f

    def forward(self, z):
        return self.f(self.net, z)


class EqualLinear(nn.Linear):
    """Weights scaled when used (StyleGAN)."""

    def forward(self, x):
        return F.linear(x, self.weight * math.sqrt(2 / self.in_features), self.bias)


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class ScaledReLU(nn.ReLU):
    def forward(self, x):
        return 2 * super().forward(x) + 1


class Normalised(nn.Sequential):
    def forward(self, z):
        return super().forward(z / z.norm(dim=1, keepdim=True))


class Decoder(nn.Module):
    """Half a VAE, as a module of its own."""

    def __init__(self):
        super().__init__()
        self.fc4 = nn.Linear(8, 5)  # not in the order of use
        self.fc3 = nn.Linear(3, 8)

    def forward(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))


class VAE(nn.Module):
    """The VAE of pytorch/examples."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 40)
        self.fc21 = nn.Linear(40, 20)
        self.fc22 = nn.Linear(40, 20)
        self.fc3 = nn.Linear(20, 40)
        self.fc4 = nn.Linear(40, 784)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 784))
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


class TutorialGenerator(nn.Module):
    """The generator of the tutorials' GAN."""

    def __init__(self, activation):
        super().__init__()
        self.img_shape = (1, 14, 14)

        def block(n_in, n_out, normalize=True):
            norm = [nn.BatchNorm1d(n_out, 0.8)] if normalize else []
            return [nn.Linear(n_in, n_out), *norm, activation()]

        self.model = nn.Sequential(
            *block(10, 32, normalize=False),
            *block(32, 64),
            *block(64, 96),
            nn.Linear(96, math.prod(self.img_shape)),
            nn.Tanh(),
        )

    def forward(self, z):
        img = self.model(z)
        return img.view(img.size(0), *self.img_shape)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
        self.decoder = mlp(output=nn.Sigmoid())

    def forward(self, x):
        code = self.encoder(x)
        return self.decoder(code), code
