"""ReLUs written in other ways: read as such, with the faults that a ReLU has."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch

X = torch.randn(64, 20, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 10
ZEROS = torch.zeros(64, 32)

WAYS = {
    "clamp": lambda x: x.clamp(min=0),
    "clamp_": lambda x: x.clamp_(0),
    "clip": lambda x: torch.clip(x, 0.0),
    "clamp_min": lambda x: torch.clamp_min(x, 0),
    "maximum": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "zeros first": lambda x: torch.maximum(torch.tensor(0.0), x),
    "max": lambda x: torch.max(x, ZEROS),
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "where not": lambda x: torch.where(x >= 0, x, torch.zeros_like(x)),
    "threshold": lambda x: functional.threshold(x, 0.0, 0.0),
    "hardtanh": lambda x: functional.hardtanh(x, 0.0, 6.0),
    "clamp twice": lambda x: x.clamp(0, 6),
}


class Cuts(nn.Module):
    def __init__(self, cut):
        super().__init__()
        torch.manual_seed(0)
        self.cut = cut
        self.one, self.two, self.head = (
            nn.Linear(20, 32), nn.Linear(32, 32), nn.Linear(32, 10),
        )  # fmt: skip
        for layer in (self.one, self.two):
            nn.init.kaiming_normal_(layer.weight)

    def forward(self, x):
        return self.head(self.cut(self.two(self.cut(self.one(x)))))


@pytest.mark.parametrize("way", WAYS)
def test_a_rectifier_is_known_by_what_it_does(way):
    sixes = way in ("hardtanh", "clamp twice")
    one, two, head = capture.read(Cuts(WAYS[way]), X).uses

    expected = "relu6" if sixes else "threshold" if way == "threshold" else "relu"
    assert (one.activation, two.activation) == (expected, expected)
    assert (two.source, head.activation) == (expected, "identity")
    assert pytorch.check(Cuts(WAYS[way]), X, targets=LABELS).sound


@pytest.mark.parametrize("way", WAYS)
def test_what_a_bias_turns_off_is_found_at_the_bias(way):
    model = Cuts(WAYS[way])
    nn.init.constant_(model.two.bias, -12.0)

    found = pytorch.check(model, X, targets=LABELS).of("warning", "error")

    assert [(one.id, one.parameter) for one in found] == [("WI12", "two.bias")]


@pytest.mark.parametrize(
    "other",
    [
        lambda x: x.clamp(min=-1),
        lambda x: x.clamp(max=0),
        lambda x: torch.where(x > 1, x, 0.0),
        lambda x: torch.where(x > 0, x, -1.0),
        lambda x: torch.maximum(x, x.roll(1, 0)),
        lambda x: torch.max(x, dim=1, keepdim=True).values.expand_as(x),
    ],
)
def test_other_cuts_are_no_rectifiers(other):
    activations = {use.activation for use in capture.read(Cuts(other), X).uses}

    assert activations <= {"identity", "unknown"}
