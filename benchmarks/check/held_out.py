"""Healthy models that no check was calibrated on: written when the checks were done.

Whoever changes a threshold for one of them moves it to `healthy.py` and writes another.
"""

import math
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from check import tasks
from check.subject import Subject


def points() -> nn.Module:
    """PointNet-like: the same layers at every step, then the largest of each."""
    layers: list[nn.Module] = [Turned()]
    for inputs, outputs in ((16, 32), (32, 64), (64, 96)):
        layers += [nn.Conv1d(inputs, outputs, 1), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(
        *layers, nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(96, 10)
    )


class Turned(nn.Module):
    """`(example, step, feature)` as `(example, feature, step)`."""

    def forward(self, series: Tensor) -> Tensor:
        return series.transpose(1, 2)


def policy() -> nn.Module:
    """A policy as reinforcement learning starts it: orthogonal, its head by .01."""
    model = nn.Sequential(
        *(nn.Linear(32, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()),
        nn.Linear(64, 10),
    )
    for place, gain in ((0, math.sqrt(2)), (2, math.sqrt(2)), (4, 0.01)):
        nn.init.orthogonal_(model[place].weight, gain)
        nn.init.zeros_(model[place].bias)
    return model


def deep_q() -> nn.Module:
    """Large strided kernels and two linear layers, as PyTorch starts them."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 8, stride=4), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def discriminator() -> nn.Module:
    """DCGAN's: normals of .02, leaky ReLUs of slope .2 behind batch norm."""
    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(32, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64)),
        *(nn.LeakyReLU(0.2), nn.Conv2d(64, 10, 4), nn.Flatten()),
    )
    for layer in (model[0], model[2], model[5]):
        nn.init.normal_(layer.weight, std=0.02)
    return model


class Variational(nn.Module):
    """A code that is drawn: mean and logarithm of the variance from two heads."""

    def __init__(self):
        super().__init__()
        self.inward, self.outward = nn.Linear(64, 48), nn.Linear(48, 64)
        self.mean, self.log_variance = nn.Linear(48, 8), nn.Linear(48, 8)
        self.code = nn.Linear(8, 48)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.relu(self.inward(inputs))
        mean, spread = self.mean(hidden), (self.log_variance(hidden) / 2).exp()
        code = mean + spread * torch.randn_like(mean)
        return self.outward(functional.relu(self.code(code)))


class Highway(nn.Module):
    """Gates that mostly carry: their biases start at -2."""

    def __init__(self, depth: int = 8, width: int = 40):
        super().__init__()
        self.inward, self.head = nn.Linear(32, width), nn.Linear(width, 10)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.gates = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        for gate in self.gates:
            nn.init.constant_(gate.bias, -2.0)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.inward(inputs)
        for layer, gate in zip(self.layers, self.gates, strict=True):
            share = torch.sigmoid(gate(hidden))
            hidden = share * functional.relu(layer(hidden)) + (1 - share) * hidden
        return self.head(hidden)


class Experts(nn.Module):
    """A mixture of experts whose matrices are one tensor."""

    def __init__(self, experts: int = 4, width: int = 32):
        super().__init__()
        self.inward, self.head = nn.Linear(32, width), nn.Linear(width, 10)
        self.gate = nn.Linear(width, experts, bias=False)
        self.wide = nn.Parameter(torch.randn(experts, width, 64) / math.sqrt(width))
        self.narrow = nn.Parameter(torch.randn(experts, 64, width) / math.sqrt(32))

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.inward(inputs)
        shares = self.gate(hidden).softmax(dim=-1)
        wide = torch.einsum("ni,eih->neh", hidden, self.wide).relu()
        each = torch.einsum("neh,eho->neo", wide, self.narrow)
        return self.head(hidden + (shares[..., None] * each).sum(dim=1))


class Bert(nn.Module):
    """Post-LN with normals of .02, for which its optimizer's rate is small."""

    def __init__(self, width: int = 48):
        super().__init__()
        self.words, self.places = nn.Embedding(64, width), nn.Embedding(32, width)
        self.norm, self.pool = nn.LayerNorm(width), nn.Linear(width, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, activation="gelu", batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.words(tokens) + self.places.weight[: tokens.shape[1]]
        hidden = self.encoder(self.norm(hidden))
        return self.head(torch.tanh(self.pool(hidden[:, 0])))


class GatedConvolutions(nn.Module):
    """Mamba-like without its scan: depthwise over time, gated, pre-norm."""

    def __init__(self, width: int = 32, depth: int = 4):
        super().__init__()
        self.inward, self.head = nn.Linear(16, width), nn.Linear(width, 10)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.wide = nn.ModuleList(nn.Linear(width, 4 * width) for _ in range(depth))
        self.convs = nn.ModuleList(
            nn.Conv1d(2 * width, 2 * width, 4, groups=2 * width, padding=3)
            for _ in range(depth)
        )
        self.narrow = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(depth))

    def forward(self, series: Tensor) -> Tensor:
        hidden = self.inward(series)
        stack = zip(self.norms, self.wide, self.convs, self.narrow, strict=True)
        for norm, wide, conv, narrow in stack:
            signal, gate = wide(norm(hidden)).chunk(2, dim=-1)
            signal = conv(signal.transpose(1, 2))[..., : series.shape[1]]
            mixed = functional.silu(signal).transpose(1, 2) * functional.silu(gate)
            hidden = hidden + narrow(mixed)
        return self.head(hidden.mean(dim=1))


def _subject(name, construct, batch=tasks.vectors, **options):
    return Subject(
        name=name, family="held out", construct=construct, batch=batch, **options
    )


_SUBJECTS = (
    _subject("points", points, tasks.series),
    _subject("policy", policy),
    _subject("deep_q", deep_q, tasks.images, images=True),
    _subject("discriminator", discriminator, tasks.images, images=True),
    _subject("variational", Variational, tasks.flat_pictures, loss=functional.mse_loss),
    _subject("highway", Highway),
    _subject("experts", Experts),
    _subject(
        "bert",
        Bert,
        tasks.bags,
        floating=False,
        optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=1e-4),
    ),
    _subject("gated_convolutions", GatedConvolutions, tasks.series),
)

HELD_OUT = MappingProxyType({subject.name: subject for subject in _SUBJECTS})
