"""Layers that a random number leaves out of a run, as layer drop does."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from initlab import capture, pytorch

WIDTH, DEPTH = 16, 12
ROWS = torch.randn(32, WIDTH, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(32) % 3

SKIPS = {
    "torch.rand, in training": lambda training: training and torch.rand(()) < 0.3,
    "torch.rand": lambda _: torch.rand(1).item() < 0.5,
    "uniform_": lambda _: torch.empty(1).uniform_() < 0.5,
    "random": lambda training: training and random.random() < 0.3,
    "numpy": lambda training: training and np.random.rand() < 0.3,
}


class LayerDrop(nn.Module):
    """Residual layers, some of which are left out."""

    def __init__(self, skips):
        super().__init__()
        self.skips, self.runs = skips, []
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH))
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x):
        self.runs.append(torch.is_grad_enabled())
        for layer in self.layers:
            if not self.skips(self.training):
                x = x + 0.1 * torch.relu(layer(x))
        return self.head(x)


@pytest.mark.parametrize("how", sorted(SKIPS))
@pytest.mark.parametrize("seed", range(4))
def test_a_layer_that_chance_leaves_out_is_not_unused(how, seed):
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)

    model = LayerDrop(SKIPS[how])
    found = pytorch.check(model, ROWS, targets=LABELS)

    assert not found.of("warning", "error")
    assert sum(model.runs) <= 3
    assert len(model.runs) - sum(model.runs) <= 3


@pytest.mark.parametrize("refuses", ["evaluation", "small numbers"])
def test_a_model_may_refuse_another_mode_or_other_numbers(refuses):
    class Refuses(LayerDrop):
        def forward(self, x):
            if refuses == "evaluation" and not self.training:
                raise NotImplementedError
            if refuses == "small numbers" and float(torch.rand(())) == 0:
                raise ValueError
            return super().forward(x)

    model = Refuses(SKIPS["torch.rand, in training"])
    torch.manual_seed(0)

    assert not pytorch.check(model, ROWS, targets=LABELS).of("warning", "error")
    assert model.training


def test_a_single_layer_runs_or_not():
    class Sometimes(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)

        def forward(self, x):
            return self.head(x + self.one(x) if torch.rand(()) < 0.5 else x)

    for seed in range(6):
        torch.manual_seed(seed)
        assert not pytorch.check(Sometimes(), ROWS).of("warning", "error")


@pytest.mark.parametrize("draws", [True, False])
def test_what_no_random_number_would_use_is_unused(draws):
    class Forgotten(LayerDrop):
        def __init__(self):
            super().__init__(SKIPS["torch.rand"] if draws else lambda _: False)
            self.never = nn.Linear(WIDTH, WIDTH)

    model = Forgotten()
    state = torch.get_rng_state()

    (found,) = pytorch.check(model, ROWS, targets=LABELS).of("warning", "error")

    assert (found.id, found.places) == ("WI21", ("never.weight", "never.bias"))
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    # Nothing more is run where nothing is random.
    assert draws or all(model.runs)


def test_modes_and_buffers_are_as_before():
    class Normed(LayerDrop):
        def __init__(self):
            super().__init__(SKIPS["torch.rand, in training"])
            self.norm = nn.BatchNorm1d(WIDTH)
            self.norm.eval()

        def forward(self, x):
            return super().forward(self.norm(x))

    model = Normed()
    kept = {name: one.clone() for name, one in model.state_dict().items()}

    capture.read(model, ROWS)

    assert (model.training, model.norm.training) == (True, False)
    assert all(torch.equal(one, kept[name]) for name, one in model.state_dict().items())
