"""Biases that are far more than the signal they are added to, wherever it goes on."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

X = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 4


class Joined(nn.Module):
    """Two layers, the second in a residual block or beside another layer's output."""

    def __init__(self, way, loud):
        super().__init__()
        torch.manual_seed(0)
        self.way = way
        self.stem, self.inner = nn.Linear(16, 32), nn.Linear(32, 32)
        self.beside, self.head = nn.Linear(32, 32), nn.Linear(32, 4)
        if way != "sum":
            del self.beside
        for layer in self.children():
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.inner.bias.data = loud * torch.randn(32)

    def forward(self, x):
        h = self.stem(x).relu()
        if self.way == "residual":
            h = h + self.inner(h)
        elif self.way == "post-norm":
            h = functional.layer_norm(h + self.inner(h), (32,))
        elif self.way == "sum":
            h = self.inner(h) + self.beside(h)
        else:
            h = functional.normalize(self.inner(h), dim=-1)
            return 10 * h @ functional.normalize(self.head.weight, dim=-1).T
        return self.head(h.relu())


@pytest.mark.parametrize("way", ["residual", "post-norm", "sum", "normalized"])
@pytest.mark.parametrize("loud", [0.5, 60.0])
def test_a_bias_that_drowns_what_is_added_up_or_normalized(way, loud):
    model = Joined(way, loud)
    found = pytorch.check(
        model, X, loss=functional.cross_entropy, targets=LABELS
    ).of("warning", "error")  # fmt: skip
    named = [(one.id, one.cause, one.parameter) for one in found]
    assert named == ([("WI07", "bias_drowns", "inner.bias")] if loud > 1 else [])


def test_the_last_bias_of_a_tower_that_ends_in_a_normalization():
    class Towers(nn.Module):
        def __init__(self, loud):
            super().__init__()
            torch.manual_seed(0)
            self.left, self.right = (
                nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 24))
                for _ in range(2)
            )
            self.right[2].bias.data = loud * torch.randn(24)

        def forward(self, x):
            left, right = (
                functional.normalize(tower(x), dim=-1)
                for tower in (self.left, self.right)
            )
            return 10 * left @ right.T

    def contrast(outputs, _):
        return functional.cross_entropy(outputs, torch.arange(len(outputs)))

    def named(loud):
        found = pytorch.check(Towers(loud), X, loss=contrast, targets=LABELS)
        return [(one.id, one.parameter) for one in found.of("warning", "error")]

    assert named(0.1) == []
    assert named(60.0) == [("WI07", "right.2.bias")]


class Trunk(nn.Module):
    """A stem of one scale, and residual blocks without norms behind it."""

    def __init__(self, scale):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Linear(16, 32)
        self.blocks = nn.ModuleList(nn.Linear(32, 32) for _ in range(3))
        self.head = nn.Linear(32, 4)
        self.stem.weight.data *= scale

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x.relu())
        return self.head(x)


@pytest.mark.parametrize(("scale", "named"), [(1.0, False), (0.1, False), (1e-3, True)])
def test_weights_of_no_size_beside_a_usual_bias(scale, named):
    def model():
        return Trunk(scale)

    def found(diagnosis):
        found = diagnosis.of("warning", "error")
        return [(one.id, one.cause, one.parameter) for one in found]

    repair = pytorch.repair_(model(), X)
    expected = [("WI05", "quiet_beside", "stem.weight")] if named else []
    assert found(repair.before) == expected
    assert repair.after.sound


def test_a_branch_of_no_size_beside_a_skip_is_a_choice():
    model = Trunk(1.0)
    model.blocks[1].weight.data *= 1e-4
    assert pytorch.check(model, X, targets=LABELS).sound


def test_a_dead_base_beside_an_adapter_is_named_and_not_the_adapter():
    class LowRank(nn.Module):
        def __init__(self, given, made):
            super().__init__()
            self.base = nn.Linear(given, made).requires_grad_(False)
            self.down = nn.Parameter(torch.randn(4, given) / 4)
            self.up = nn.Parameter(torch.zeros(made, 4))

        def forward(self, x):
            return self.base(x) + x @ self.down.T @ self.up.T

    torch.manual_seed(0)
    layers = LowRank(16, 32), nn.ReLU(), LowRank(32, 32), nn.ReLU()
    model = nn.Sequential(*layers, nn.Linear(32, 4))
    assert pytorch.check(model, X, targets=LABELS).sound
    model[2].base.bias.fill_(-20.0)
    (found,) = pytorch.check(model, X, targets=LABELS).of("warning", "error")
    assert (found.id, found.parameter) == ("WI12", "2.base.bias")


def test_a_part_of_no_size_beside_the_inputs_is_a_choice():
    """As the deep part of AutoInt and DCN is in DeepCTR, before one more layer."""

    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.deep = nn.ModuleList((nn.Linear(16, 32), nn.Linear(32, 32)))
            self.last = nn.Linear(48, 4)
            for layer in self.deep:
                nn.init.normal_(layer.weight, std=1e-4)

        def forward(self, x):
            made = x
            for layer in self.deep:
                made = layer(made).relu()
            return self.last(torch.cat([x, made], 1))

    assert pytorch.check(Deep(), X, targets=LABELS).sound


@pytest.mark.parametrize(
    ("hidden", "bias", "named"), [(6, 0.5, False), (6, 2.0, True), (14, 3.0, True)]
)
def test_biases_that_add_up_over_rectified_layers(hidden, bias, named):
    """None of them drowns what its own layer is given, all of them do."""
    torch.manual_seed(1)
    layers = []
    for layer in range(hidden):
        layers += [nn.Linear(64 if layer else 16, 64), nn.ReLU()]
        nn.init.kaiming_normal_(layers[-2].weight)
        nn.init.constant_(layers[-2].bias, bias)
    model = nn.Sequential(*layers, nn.Linear(64, 4))

    found = pytorch.check(model, X, targets=LABELS).of("warning", "error")

    expected = [("WI07", "loud_biases", "0.bias")] if named else []
    assert [(one.id, one.cause, one.parameter) for one in found] == expected
