"""What LSUV leaves alone, and says so; widths and kernels that muP has no rule for."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch
from initlab.errors import InvalidValueError

INPUTS = torch.randn(256, 16, generator=torch.Generator().manual_seed(0))


class Mixed(nn.Module):
    """A layer that runs, one whose weight a function uses, and one of zeros."""

    def __init__(self):
        super().__init__()
        self.first, self.function = nn.Linear(16, 32), nn.Linear(32, 8)
        self.zero = nn.Linear(32, 8)
        nn.init.zeros_(self.zero.weight)

    def forward(self, x):
        hidden = torch.relu(self.first(x))
        return functional.linear(hidden, self.function.weight) + self.zero(hidden)


def bits(model):
    return {name: one.numpy().tobytes() for name, one in model.state_dict().items()}


@pytest.mark.parametrize("start", ["orthogonal", None])
def test_layers_that_run_as_functions_and_zeros_are_left_alone_and_said_to_be(start):
    model = Mixed()
    before = bits(model)

    report = pytorch.lsuv_(model, INPUTS, start=start)

    after = bits(model)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"first.weight"}
    rows = {row.parameter: (row.action, row.reason) for row in report.rows}
    assert rows["function.weight"] == ("kept", "left alone: unused")
    assert rows["zero.weight"] == ("kept", "left alone: zero")
    assert report.drawn == (("first.weight",) if start else ())


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("orthogonal", ("drawn", "orthogonal", "not scaled: dead")),
        (None, ("kept", "", "left alone: dead")),
    ],
)
def test_a_layer_that_gives_every_example_the_same_is_not_scaled(start, said):
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 8))
    nn.init.constant_(model[0].bias, -100.0)

    row = pytorch.lsuv_(model, INPUTS, start=start).of("2.weight")

    assert (row.action, row.init, row.reason) == said


def test_dropout_changes_no_scale():
    def network(share):
        torch.manual_seed(0)
        layers = nn.Linear(16, 32), nn.ReLU(), nn.Dropout(share), nn.Linear(32, 8)
        return nn.Sequential(*layers)

    dropping, plain = network(0.9), network(0.0)
    for model in (dropping, plain):
        pytorch.lsuv_(model, INPUTS)

    assert torch.equal(dropping[3].weight, plain[3].weight)
    assert dropping[2].training


def test_a_report_has_no_row_of_what_is_no_parameter():
    report = pytorch.lsuv_(nn.Sequential(nn.Linear(16, 8)), INPUTS)

    assert report.of("0.weight").action == "drawn"
    with pytest.raises(KeyError, match=r"1\.weight"):
        report.of("1.weight")


def network(width, kernel=3, dims=2):
    conv = (nn.Conv1d, nn.Conv2d)[dims - 1]
    return nn.Sequential(conv(3, width, kernel), nn.ReLU(), conv(width, 4, kernel))


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (network(8, kernel=5), r"0\.weight grows in its kernel, .* \(16, 3, 3, 3\) ov"),
        (network(8, dims=1), r"0\.weight has 3 axes, the model's 4"),
    ],
)
def test_mu_p_has_no_rule_for_other_kernels(base, message):
    with pytest.raises(InvalidValueError, match=f"^base_model: {message}"):
        pytorch.mu_p(network(16), base)

    groups = pytorch.mu_p(network(16), network(8))
    assert {group["role"] for group in groups} >= {"input", "output"}


def deeper_when_wider(width):
    more = [nn.Linear(width, width)] if width > 32 else []
    return nn.Sequential(nn.Linear(16, width), nn.ReLU(), *more)


def test_the_coordinate_check_needs_the_same_modules_at_every_width():
    given = {"targets": torch.arange(len(INPUTS)) % 4, "steps": 0}

    with pytest.raises(InvalidValueError, match=r"^make: the same modules are needed"):
        pytorch.width_law(deeper_when_wider, (32, 64), INPUTS, **given)
    law = pytorch.width_law(deeper_when_wider, (8, 16), INPUTS, **given)
    assert set(law.slopes) == {"0"}
