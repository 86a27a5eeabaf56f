"""Activations without a table of ours, judged and started as those they are akin to."""

import math

import pytest
import torch
from torch import nn

from initlab import pytorch, theory
from initlab.activations import akin

AKIN = {
    "relu6": nn.ReLU6,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
}
# By how much the moments at q = 1 may differ: a weight variance that is 8 % off costs
# ten layers a factor of 1.5 in the gradient's norm.
NEAR = 0.08

each = pytest.mark.parametrize("name", AKIN)


@each
def test_the_moments_of_akin_activations_are_near(name):
    z = torch.linspace(-12, 12, 100_001, dtype=torch.float64, requires_grad=True)
    value = AKIN[name]()(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    density = torch.exp(-(z.detach() ** 2) / 2) / math.sqrt(2 * math.pi)
    width = 24 / 100_000

    second, slopes = (
        float((density * one.detach() ** 2).sum()) * width for one in (value, slope)
    )

    assert second == pytest.approx(theory.second_moment(akin(name), 1.0), rel=NEAR)
    assert slopes == pytest.approx(theory.slope_moment(akin(name), 1.0), rel=NEAR)


@each
@pytest.mark.parametrize("read", [True, False])
def test_weights_before_an_akin_activation_are_started_for_it(name, read):
    model = nn.Sequential(nn.Linear(32, 64), AKIN[name](), nn.Linear(64, 3))
    batch = torch.randn(8, 32) if read else None

    report = pytorch.initialize_(model, "lecun_normal", batch=batch)

    wanted = pytorch.initialize_(
        nn.Sequential(nn.Linear(32, 64), _module(akin(name)), nn.Linear(64, 3)),
        "lecun_normal",
    )
    assert report.of("0.weight").std == wanted.of("0.weight").std
    assert report.of("0.weight").reason == f"{name}: critical, as {akin(name)}"


def _module(name):
    return {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}[name]()


@pytest.mark.parametrize(("name", "factor"), [("relu6", 2.0), ("mish", 2.1937)])
def test_a_wrong_gain_is_judged_and_repaired_by_the_law_of_its_kin(name, factor):
    layers = [nn.Linear(64, 64)]
    for _ in range(9):
        layers += [AKIN[name](), nn.Linear(64, 64)]
    model = nn.Sequential(*layers, AKIN[name](), nn.Linear(64, 10))
    batch, labels = torch.randn(64, 64), torch.arange(64) % 10

    repair = pytorch.repair_(model, batch, targets=labels)

    (found,) = repair.before.findings
    assert (found.cause, found.expected) == ("wrong_gain", pytest.approx(factor, 1e-4))
    assert repair.after.sound, repair.after
    # Once: by the factor that the fix says.
    assert [one.parameter for one in repair.changes] == list(found.places)
    assert float(64 * model[2].weight.detach().var()) == pytest.approx(factor, rel=1e-3)


@pytest.mark.parametrize(
    "between",
    [
        [nn.BatchNorm1d(8), nn.Dropout(0.1)],
        [nn.GroupNorm(2, 8)],
        [nn.LayerNorm(8)],
        [nn.Dropout(0.1)],
    ],
    ids=lambda modules: "-".join(type(one).__name__ for one in modules),
)
def test_an_activation_is_found_by_type_behind_norms_and_dropout(between):
    model = nn.Sequential(nn.Linear(4, 8), *between, nn.Tanh(), nn.Linear(8, 2))

    report = pytorch.initialize_(model, "he_normal")

    assert report.of("0.weight").reason == "tanh: critical"
