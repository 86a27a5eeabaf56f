"""Experts that a batch gives no example, and softmaxes and losses without any."""

import pytest
import torch
from torch import nn

from initlab import pytorch

ROWS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 5


def chain(*layers):
    return nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 32), *layers)


def attention():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    return nn.Sequential(nn.Unflatten(1, (2, 16)), layer, nn.Flatten())


def convolutions():
    first, last = (nn.Conv1d(16, 16, 3, padding=1) for _ in range(2))
    return nn.Sequential(nn.Unflatten(1, (16, 2)), first, nn.ReLU(), last, nn.Flatten())


EXPERTS = {
    "relu": lambda: chain(nn.ReLU(), nn.Linear(32, 32)),
    "tanh": lambda: chain(nn.Tanh(), nn.Linear(32, 32), nn.Sigmoid()),
    "gated": lambda: nn.Sequential(nn.Linear(32, 64), nn.GLU()),
    "prelu": lambda: chain(nn.PReLU(), nn.Linear(32, 32)),
    "softmax": lambda: chain(nn.Softmax(dim=-1), nn.Linear(32, 32)),
    "attention": attention,
    "convolutions": convolutions,
}


class Experts(nn.Module):
    """A layer, and two experts; each is given some examples, or the first all."""

    def __init__(self, make, *, idle):
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.head = nn.Linear(16, 32), nn.Linear(32, 5)
        self.experts = nn.ModuleList(make() for _ in range(2))
        self.idle = idle

    def forward(self, x):
        hidden = torch.relu(self.stem(x))
        chosen = torch.arange(len(x)) % (1 if self.idle else 2)
        made = torch.zeros_like(hidden)
        for number, expert in enumerate(self.experts):
            at = (chosen == number).nonzero()[:, 0]
            made = made.index_add(0, at, expert(hidden[at]))
        return self.head(hidden + made)


@pytest.mark.parametrize("kind", sorted(EXPERTS))
@pytest.mark.parametrize("idle", [True, False])
def test_an_expert_without_examples_is_for_information(kind, idle):
    model = Experts(EXPERTS[kind], idle=idle)

    diagnosis = pytorch.check(model, ROWS, targets=LABELS, optimizer=torch.optim.AdamW)

    assert diagnosis.sound
    idle_ones = {
        place
        for one in diagnosis.findings
        if one.cause == "has_no_effect"
        for place in one.places
    }
    named = {name for name, p in model.experts[1].named_parameters() if p.dim() > 1}
    assert idle_ones == ({f"experts.1.{name}" for name in named} if idle else set())


@pytest.mark.parametrize("idle", [True, False])
def test_a_fault_beside_an_idle_expert_is_named(idle):
    model = Experts(EXPERTS["relu"], idle=idle)
    nn.init.constant_(model.experts[0][1].bias, -50.0)

    found = pytorch.check(model, ROWS, targets=LABELS).of("warning", "error")

    assert [one.parameter for one in found] == ["experts.0.1.bias"]
