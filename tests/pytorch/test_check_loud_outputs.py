"""Outputs that are too loud: what makes them so, and what does not hide it."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from initlab import pytorch
from initlab.spec import facts_from_json


def blamed(model, batch, **more):
    found = pytorch.check(model, batch, **more)
    return [(f.id, f.parameter) for f in found.of("warning", "error")]


def layers(*widths, activation=nn.Tanh):
    model = nn.Sequential()
    for into, out in pairwise(widths):
        model.append(nn.Linear(into, out)).append(activation())
    return model[:-1]


@pytest.mark.parametrize("times", [1, 100])
def test_a_scale_that_is_too_small_makes_no_head_loud(times):
    model = layers(49, 100, 100, 5)
    with torch.no_grad():
        nn.init.normal_(model[0].weight, std=0.1)  # as for a fan of 100
        model[4].weight.mul_(times)
    found = blamed(model, torch.randn(64, 49), targets=torch.randint(5, (64,)))
    assert (("WI14", "4.weight") in found) == (times > 1)


def test_scales_that_are_too_large_make_the_head_loud():
    model = layers(64, *[64] * 8, 5, activation=nn.ReLU)
    for layer in model[::2]:
        nn.init.kaiming_normal_(layer.weight)
        layer.weight.data.mul_(1.6)
    found = blamed(model, torch.randn(64, 64), targets=torch.randint(5, (64,)))
    assert [check for check, _ in found] == ["WI05"]


class Rays(nn.Module):
    """A density beside colours."""

    def __init__(self, bias):
        super().__init__()
        self.trunk = layers(6, 64, 64)
        self.alpha, self.color = nn.Linear(64, 1), nn.Linear(64, 3)
        nn.init.constant_(self.alpha.bias, bias)

    def forward(self, x):
        hidden = functional.relu(self.trunk(x))
        return torch.cat([self.color(hidden), self.alpha(hidden)], dim=1)


@pytest.mark.parametrize("bias", [0.1, 15.0, 40.0])
def test_a_bias_that_drowns_what_it_is_concatenated_with_is_named(bias):
    found = blamed(Rays(bias), torch.rand(128, 6), loss=functional.mse_loss,
                   targets=torch.rand(128, 4))  # fmt: skip
    assert {name for _, name in found} == ({"alpha.bias"} if bias > 1 else set())


def regression(times, x):
    """He's start, outputs around 0, and a head so many times as loud."""
    model = layers(16, 64, 64, 5, activation=nn.ReLU)
    with torch.no_grad():
        for layer in model[:-1:2]:
            nn.init.kaiming_normal_(layer.weight)
        model[-1].weight.mul_(times)
        model[-1].bias.sub_(model(x).mean(dim=0))
        return model, float(model(x).std())


@pytest.mark.parametrize(("times", "loud"), [(1, False), (3, False), (19, True)])
def test_a_regression_as_loud_beside_its_targets_as_in_itself(times, loud, vectors):
    model, size = regression(times, vectors)
    found = blamed(model, vectors, targets=torch.randn(64, 5))
    assert size < 10
    assert found == ([("WI14", "4.weight")] if loud else [])


def test_small_targets_make_no_usual_outputs_loud(vectors):
    model, size = regression(2, vectors)
    targets = torch.randn(64, 5) * size / 8
    assert blamed(model, vectors, targets=targets) == []


@pytest.mark.parametrize(
    ("width", "outputs", "times", "severity"),
    [(200, 2, 6, "info"), (200, 2, 10, "warning"),
     (64, 16, 8, "info"), (64, 16, 12, "warning")],
)  # fmt: skip
def test_of_two_classes_fewer_nats_are_sure(width, outputs, times, severity):
    model = layers(16, width, width, outputs, activation=nn.ReLU)
    with torch.no_grad():
        for layer in model[:-1:2]:
            nn.init.kaiming_normal_(layer.weight)
        model[-1].weight.mul_(times)
        model[-1].bias.zero_()
    if outputs == 2:
        loss, targets = functional.cross_entropy, torch.randint(2, (128,))
    else:  # as many questions with two answers each
        loss = functional.binary_cross_entropy_with_logits
        targets = torch.randint(2, (128, outputs)).float()
    found = pytorch.check(model, torch.randn(128, 16), loss=loss, targets=targets)
    (finding,) = found.findings
    assert (finding.id, finding.severity) == ("WI14", severity)
    assert finding.measured < 3


@pytest.mark.parametrize(("share", "named"), [(0.09, False), (0.03, True)])
def test_a_tenth_of_foreground_is_usual(share, named):
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 1)
    )
    targets = (torch.rand(8, 1, 16, 16) < share).float()
    found = blamed(model, torch.randn(8, 3, 16, 16), targets=targets,
                   loss=functional.binary_cross_entropy_with_logits)  # fmt: skip
    assert found == ([("WI15", "2.bias")] if named else [])


class Spread(nn.Module):
    """An exponential of a normalized signal, which a head makes large."""

    def __init__(self, times):
        super().__init__()
        self.trunk, self.norm = layers(16, 64, 64), nn.LayerNorm(64)
        self.head = nn.Linear(64, 1)
        with torch.no_grad():
            self.head.weight.mul_(times)

    def forward(self, x):
        return self.head(self.norm(self.trunk(x)))


def test_no_normalization_is_blamed_for_what_layers_behind_it_make_large():
    class Twice(Spread):
        def forward(self, x):
            return super().forward(x) - super().forward(-x)

    def sixth_powers(outputs, targets):
        return (outputs - targets).pow(6).mean()

    found = pytorch.check(Twice(60), torch.randn(128, 16), loss=sixth_powers,
                          targets=torch.randn(128, 1))  # fmt: skip
    reading = facts_from_json(found.dataset.attrs["facts"])[0]
    steep = {p.name for p in reading.parameters if p.elasticity > 5}
    assert "norm.weight" in steep
    assert not found.sound
    assert "norm.weight" not in {f.parameter for f in found.findings}


@torch.no_grad()
def test_a_weight_over_its_spectral_norm_is_drawn_where_it_is_zero():
    layer = nn.Linear(16, 16)
    nn.init.zeros_(layer.weight)
    model = nn.Sequential(nn.Linear(16, 16), nn.ReLU(),
                          nn.utils.spectral_norm(layer), nn.ReLU(),
                          nn.Linear(16, 5))  # fmt: skip
    repair = pytorch.repair_(model, torch.randn(64, 16))
    assert not repair.before.sound
    assert repair.after.sound
    assert len(layer.weight_orig.unique()) == 16 * 16


class Standardized(nn.Conv2d):
    def forward(self, x):
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        weight = (self.weight - mean) / (
            self.weight.std((1, 2, 3), keepdim=True) + 1e-4
        )
        return functional.conv2d(x, weight / weight[0].numel() ** 0.5, self.bias)


@torch.no_grad()
def test_a_standardized_weight_that_is_constant_is_drawn():
    model = nn.Sequential(Standardized(3, 16, 3), nn.ReLU(), Standardized(16, 16, 3),
                          nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))  # fmt: skip
    x = torch.randn(16, 3, 8, 8)
    model(x)
    nn.init.constant_(model[0].weight, 0.2)
    repair = pytorch.repair_(model, x)
    assert [f.id for f in repair.before.of("error")] == ["WI02"]
    assert repair.after.sound
    assert repair.changes[0].amount == f"std {27**-0.5:.3g}"


def test_a_weight_normed_layer_keeps_its_directions():
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(),
                          parametrizations.weight_norm(nn.Linear(32, 5)))  # fmt: skip
    with torch.no_grad():
        model[2].parametrizations.weight.original0.mul_(100)
    before = model[2].parametrizations.weight.original1.detach().clone()
    labels = torch.randint(5, (64,))
    repair = pytorch.repair_(model, torch.randn(64, 16), targets=labels)
    assert repair.after.sound
    assert torch.equal(model[2].parametrizations.weight.original1, before)
