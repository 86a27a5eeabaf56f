"""Layers whose units all look in one direction: weights of rank one."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from initlab import pytorch

X = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
SERIES = torch.randn(16, 8, 20, generator=torch.Generator().manual_seed(1))


def blamed(model, x):
    found = pytorch.check(model, x).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


def mlp(rank=None, place=2):
    torch.manual_seed(0)
    layers = [nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(48, 8))
    for layer in model[::2]:
        nn.init.kaiming_normal_(layer.weight)
    if rank is not None:
        weight = model[place].weight
        rows, columns = weight.shape
        low = torch.randn(rows, rank) @ torch.randn(rank, columns)
        weight.data = low * weight.detach().std() / low.std()
    return model


@pytest.mark.parametrize(("rank", "named"), [(None, False), (2, False), (1, True)])
def test_a_weight_of_rank_one_is_named_and_drawn_anew(rank, named):
    expected = [("WI02", "parallel_units", "2.weight")] if named else []
    assert blamed(mlp(rank), X) == expected

    model = mlp(rank)
    repair = pytorch.repair_(model, X)
    assert repair.after.sound
    assert len(repair.changes) == named


def test_a_head_of_rank_one_is_a_choice():
    assert blamed(mlp(1, place=4), X) == []


def test_lengths_alone_tell_no_units_of_a_weight_norm_apart():
    torch.manual_seed(0)
    model = nn.Sequential(
        parametrizations.weight_norm(nn.Conv1d(8, 16, 3)), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 18, 4),
    )  # fmt: skip
    assert blamed(model, SERIES) == []
    model[0].parametrizations.weight.original1.data.fill_(0.1)
    (found,) = blamed(model, SERIES)
    assert found[:2] == ("WI02", "parallel_units")


@pytest.mark.parametrize("fan_in", [1, 4])
def test_of_few_inputs_few_directions_are_left(fan_in):
    torch.manual_seed(0)
    first = nn.Linear(fan_in, 16)
    if fan_in > 1:
        first.weight.data = torch.randn(16, 1).expand(16, fan_in).clone()
    model = nn.Sequential(first, nn.Tanh(), nn.Linear(16, 4))
    assert "parallel_units" not in {
        cause for _, cause, _ in blamed(model, X[:, :fan_in])
    }


def test_units_that_are_equal_are_copies():
    model = mlp()
    model[2].weight.data[:] = model[2].weight.data[:1].clone()
    model[2].bias.data.zero_()
    causes = {cause for _, cause, _ in blamed(model, X)}
    assert causes & {"symmetric_units", "copied_units"}
    assert "parallel_units" not in causes
