"""Healthy models without convolutions, recurrence or attention."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from check.scales import flat, start, start_all

ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "selu": nn.SELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
}


def mlp(depth: int, activation: str, width: int = 96, inputs: int = 32, outputs=10):
    """A multilayer perceptron of so many weights at its activation's gain."""
    layers: list[nn.Module] = [nn.Flatten()]
    for layer in range(depth - 1):
        linear = nn.Linear(inputs if layer == 0 else width, width)
        # The input comes without an activation before it.
        start(linear, "linear" if layer == 0 else activation)
        layers += [linear, ACTIVATIONS[activation]()]
    head = nn.Linear(width, outputs)
    start(head, "linear", scale=0.3)
    return nn.Sequential(*layers, head)


class Functional(nn.Module):
    """An MLP that calls functions, in another order than its layers are registered."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)
        self.second = nn.Linear(64, 64)
        self.first = nn.Linear(32, 64)
        start(self.first)
        start(self.second, "relu")
        start(self.head, scale=0.3)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        hidden = functional.relu(self.first(inputs))
        hidden = torch.relu_(functional.linear(hidden, self.second.weight))
        return {"logits": self.head(hidden), "features": hidden}


class Repeated(nn.Module):
    """One layer called six times: tied in depth."""

    def __init__(self):
        super().__init__()
        self.inward = nn.Linear(32, 64)
        self.again = nn.Linear(64, 64)
        self.outward = nn.Linear(64, 10)
        start(self.inward)
        nn.init.orthogonal_(self.again.weight)
        nn.init.zeros_(self.again.bias)
        start(self.outward, scale=0.3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = torch.tanh(self.inward(inputs))
        for _ in range(6):
            hidden = torch.tanh(self.again(hidden))
        return self.outward(hidden)


class Autoencoder(nn.Module):
    """Narrow in the middle, so that fan_in and fan_out differ eightfold."""

    def __init__(self):
        super().__init__()
        widths = (64, 256, 32, 8)
        self.encoder, self.decoder = nn.Sequential(), nn.Sequential()
        for place in range(3):
            self.encoder.append(nn.Linear(widths[place], widths[place + 1]))
            self.decoder.append(nn.Linear(widths[3 - place], widths[2 - place]))
            if place < 2:
                self.encoder.append(nn.ReLU())
                self.decoder.append(nn.ReLU())
        start_all(self, "relu")
        # No activation before these: the input, and the code.
        start(self.encoder[0])
        start(self.decoder[0])
        start(self.decoder[4], "linear", scale=0.7)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.decoder(self.encoder(inputs))


class LooksLinear(nn.Module):
    """Pairs of negated units: a linear network until training tells them apart."""

    def __init__(self, depth: int = 16, width: int = 48):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Linear(32 if layer == 0 else 2 * width, width) for layer in range(depth)
        )
        self.head = nn.Linear(2 * width, 10)
        for layer in (*self.layers, self.head):
            mirrored = layer is not self.layers[0]
            inputs = layer.in_features // (2 if mirrored else 1)
            half = nn.init.orthogonal_(torch.empty(layer.out_features, inputs))
            with torch.no_grad():
                layer.weight.copy_(torch.cat([half, -half], 1) if mirrored else half)
                layer.bias.zero_()

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs
        for layer in self.layers:
            out = layer(hidden)
            hidden = torch.cat([torch.relu(out), torch.relu(-out)], dim=1)
        return self.head(hidden)


class Siren(nn.Module):
    """Sines of 30 z on coordinates, in Sitzmann's initialization."""

    def __init__(self, depth: int = 4, width: int = 64):
        super().__init__()
        widths = [2] + [width] * (depth - 1) + [3]
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        for place, layer in enumerate(self.layers):
            inputs = layer.in_features
            bound = 1 / inputs if place == 0 else math.sqrt(6 / inputs) / 30
            nn.init.uniform_(layer.weight, -bound, bound)

    def forward(self, points: Tensor) -> Tensor:
        hidden = points
        for layer in self.layers[:-1]:
            hidden = torch.sin(30 * layer(hidden))
        return self.layers[-1](hidden)


def weight_norm_mlp() -> nn.Module:
    """He's MLP with each weight split in a norm and a direction."""
    model = mlp(5, "relu")
    for place in (1, 3, 5, 7):
        nn.utils.parametrizations.weight_norm(model[place])
    return model


def spectral_norm_mlp() -> nn.Module:
    """A critic whose layers have the spectral norm 1."""
    model = mlp(4, "relu", outputs=1)
    for place in (1, 3, 5):
        nn.utils.parametrizations.spectral_norm(model[place])
    return model


def batch_norm_mlp() -> nn.Module:
    """PyTorch's own start under batch norm, which makes it harmless."""
    layers: list[nn.Module] = []
    for layer in range(8):
        linear = nn.Linear(32 if layer == 0 else 64, 64, bias=False)
        layers += [linear, nn.BatchNorm1d(64), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def shallow_default() -> nn.Module:
    """Three layers as PyTorch starts them: not critical, and no matter."""
    return nn.Sequential(
        nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )


class Bag(nn.Module):
    """The mean of embeddings, and a hidden layer."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.EmbeddingBag(64, 32, mode="mean")
        self.hidden = nn.Linear(32, 64)
        self.head = nn.Linear(64, 10)
        # A mean of 12 has a deviation of 1 / sqrt(12).
        start(self.hidden, "linear", scale=math.sqrt(12))
        start(self.head, scale=0.3)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(torch.relu(self.hidden(self.tokens(tokens))))


class Adapted(nn.Module):
    """A frozen network with low-rank adapters whose second factors are 0."""

    def __init__(self, rank: int = 4):
        super().__init__()
        self.base = mlp(5, "relu")
        linears = [layer for layer in self.base if isinstance(layer, nn.Linear)]
        self.base.requires_grad_(False)
        self.down = nn.ParameterList(
            torch.randn(rank, one.in_features) / math.sqrt(one.in_features)
            for one in linears
        )
        self.up = nn.ParameterList(
            torch.zeros(one.out_features, rank) for one in linears
        )

    def forward(self, inputs: Tensor) -> Tensor:
        hidden, place = flat(inputs), 0
        for layer in self.base:
            if isinstance(layer, nn.Linear):
                low = hidden @ self.down[place].T @ self.up[place].T
                hidden, place = layer(hidden) + low, place + 1
            else:
                hidden = layer(hidden)
        return hidden


def logits_of(output: dict[str, Tensor], targets: Tensor) -> Tensor:
    """Cross-entropy of a model that gives a dict."""
    return functional.cross_entropy(output["logits"], targets)
