"""What a model holds besides parameters and buffers is as before a check."""

import collections
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from initlab import pytorch
from initlab.errors import InvalidValueError


class Remembers(nn.Module):
    """Changes in place whatever an attribute may be."""

    def __init__(self, error=None):
        super().__init__()
        self.layer, self.error = nn.Linear(16, 5), error
        self.tensor, self.array = torch.zeros(3), np.zeros(3)
        self.lists, self.nested = [], {"a": [torch.zeros(2)], "n": 1}
        self.counter = collections.Counter("ab")
        self.ordered = collections.OrderedDict(a=1, b=2)
        self.queue, self.seen = collections.deque([1], maxlen=2), {1}
        self.torch = torch.Generator().manual_seed(0)
        self.pair = (np.random.default_rng(0), np.random.RandomState(0))
        self.python = {"rng": random.Random(0)}
        self.apart = [nn.BatchNorm1d(16)]

    def forward(self, x):
        self.tensor.add_(1)
        self.array += 1
        self.lists.append(1)
        self.nested["a"][0].add_(1)
        self.nested["n"] += 1
        self.counter["a"] += 1
        self.ordered.move_to_end("a")
        self.queue.append(2)
        self.queue.append(3)
        self.seen.add(2)
        torch.randn(2, generator=self.torch)
        self.pair[0].random()
        self.pair[1].rand()
        self.python["rng"].random()
        x = self.apart[0](x)
        if self.error is not None:
            raise self.error
        return self.layer(x)


def state_of(model):
    return str(
        (
            model.tensor, model.array, model.lists, model.nested, model.counter,
            list(model.ordered), model.queue, model.seen,
            model.torch.get_state().numpy().tobytes(),
            model.pair[0].bit_generator.state, model.pair[1].get_state(),
            model.python["rng"].getstate(), model.apart[0].state_dict(),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    "error", [None, ValueError("no"), KeyboardInterrupt()], ids=["runs", "fails", "^C"]
)
def test_what_a_model_changes_in_place_is_as_before(error):
    model = Remembers(error)
    before, held = state_of(model), dict(vars(model))

    try:
        pytorch.check(model, torch.randn(8, 16))
    except (InvalidValueError, KeyboardInterrupt):
        assert error is not None

    assert state_of(model) == before
    assert all(vars(model)[name] is value for name, value in held.items())


def test_a_graph_of_the_users_through_an_attribute_is_not_spoiled():
    model = nn.Linear(16, 5)
    model.scale = torch.ones(3, requires_grad=True).exp()
    later = model.scale.square().sum()

    pytorch.check(model, torch.randn(8, 16))

    later.backward()


def test_a_loader_gives_the_same_batches_after_a_check():
    def loader():
        data = TensorDataset(torch.randn(64, 16), torch.arange(64) % 5)
        generator = torch.Generator().manual_seed(5)
        return DataLoader(data, 16, shuffle=True, generator=generator)

    checked, untouched = loader(), loader()

    pytorch.check(nn.Linear(16, 5), checked)

    expected = [labels for _, labels in untouched]
    assert all(map(torch.equal, [labels for _, labels in checked], expected))


class Sealed(tuple):
    """A pair that must not be iterated, as of libraries of group representations."""

    def __iter__(self):
        raise NotImplementedError


def test_a_container_that_forbids_to_be_iterated_is_left_alone():
    model = nn.Linear(16, 5)
    model.pair = Sealed((1, torch.ones(2)))

    assert pytorch.check(model, torch.randn(8, 16)).sound


class Gridded(nn.Module):
    """A grid that all units share, as splines have: one row, seen many times."""

    def __init__(self):
        super().__init__()
        self.register_buffer("grid", torch.linspace(-1, 1, 5).expand(8, -1))
        self.layer = nn.Linear(8 * 5, 3)

    def forward(self, x):
        return self.layer((x[..., None] - self.grid).tanh().flatten(1))


def test_an_expanded_buffer_is_left_alone():
    model = Gridded()

    assert pytorch.check(model, torch.randn(16, 8)).sound
    assert torch.equal(model.grid[3], torch.linspace(-1, 1, 5))


def test_lazy_normalizations_are_made_on_a_copy():
    model = nn.Sequential(
        nn.LazyConv2d(8, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(),
        nn.LazyLinear(4),
    )  # fmt: skip

    assert pytorch.check(model, torch.randn(8, 3, 8, 8)).sound
    assert isinstance(model[1].running_mean, nn.UninitializedBuffer)
    assert isinstance(model[0].weight, nn.UninitializedParameter)
