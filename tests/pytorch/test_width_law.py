"""The coordinate check: activations that grow with the width, and those that do not."""

import pytest
import torch
from torch import nn

from initlab import pytorch
from initlab.errors import InvalidValueError

BATCH = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(64) % 4
WIDTHS = (32, 64, 128, 256)


def make(width):
    model = nn.Sequential(
        nn.Linear(16, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, 4),
    )  # fmt: skip
    for layer in model[::2]:
        nn.init.kaiming_normal_(layer.weight)
    return model


def test_a_fixed_learning_rate_of_adam_breaks_the_width_law():
    law = pytorch.width_law(
        make, WIDTHS, BATCH, targets=LABELS,
        optimizer=lambda p: torch.optim.Adam(p, lr=0.02),
    )  # fmt: skip

    (finding,) = law.findings
    assert finding.id == "WI25"
    assert finding.module in {"2", "4"}
    assert "grow with the width" in finding.sentence
    assert finding.fix


def test_the_start_alone_keeps_it():
    law = pytorch.width_law(make, WIDTHS, BATCH, targets=LABELS, steps=0, seeds=5)

    assert not law.findings
    assert set(law.slopes) == {"0", "2", "4"}


def test_one_width_is_no_law():
    with pytest.raises(InvalidValueError, match="widths: two or more, got"):
        pytorch.width_law(make, (32,), BATCH, targets=LABELS)


@pytest.mark.parametrize("name", ["seeds", "seed", "steps"])
def test_members_seeds_and_steps_are_whole_numbers(name):
    with pytest.raises(InvalidValueError, match=f"^{name}: must be a whole number"):
        pytorch.width_law(make, (32, 64), BATCH, targets=LABELS, **{name: 1.5})


def test_a_layer_that_is_called_twice_counts_once():
    class Twice(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.stem, self.inner = nn.Linear(16, width), nn.Linear(width, width)
            self.head = nn.Linear(width, 4)

        def forward(self, x):
            return self.head(self.inner(self.inner(self.stem(x).relu()).relu()))

    law = pytorch.width_law(Twice, (32, 64), BATCH, targets=LABELS)

    assert [len(steps) for steps in law.slopes.values()] == [4, 4, 4]


def test_of_one_member_there_is_no_spread():
    with pytest.raises(InvalidValueError, match=r"^seeds: must be at least 2, got 1"):
        pytorch.width_law(make, (32, 64), BATCH, targets=LABELS, seeds=1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"widths": 64}, "^widths: two or more, got 64"),
        ({"targets": None}, "^targets: a tensor"),
    ],
)
def test_widths_and_targets_of_no_kind_are_refused(options, says):
    given = {"widths": (8, 16), "targets": torch.zeros(4).long()} | options
    with pytest.raises(InvalidValueError, match=says):
        pytorch.width_law(
            lambda width: nn.Linear(4, width), batch=torch.randn(4, 4), **given
        )
