"""Chains and trunks whose weights or biases are off, all at once or one by one."""

import math

import pytest
import torch
from torch import nn

from initlab import pytorch

WIDTH, CLASSES = 64, 5


def chain(activation=nn.ReLU, layers=12):
    """He's normal start, biases of 0, and a head."""
    model = nn.Sequential()
    for into in [16, *[WIDTH] * (layers - 1)]:
        model.append(nn.Linear(into, WIDTH)).append(activation())
    return started(model.append(nn.Linear(WIDTH, CLASSES)))


def started(model):
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return model


def drowned(model):
    """Make weights quiet and biases of deviation 1."""
    for layer in list(model)[::2]:
        layer.weight.data.mul_(0.4)
        nn.init.normal_(layer.bias)
    return model


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return x + self.last(torch.relu(self.first(x)))


def trunk(blocks=12, *after):
    return started(
        nn.Sequential(nn.Linear(16, WIDTH), *[Block() for _ in range(blocks)], *after,
                      nn.Linear(WIDTH, CLASSES))
    )  # fmt: skip


def rms(values):
    return float(values.detach().double().pow(2).mean().sqrt())


def blamed(diagnosis):
    return [(one.id, one.cause) for one in diagnosis.of("warning", "error")]


@torch.no_grad()
def test_biases_that_drown_a_chain_go_and_weights_come_to_the_law(vectors, labels):
    model = drowned(chain())

    repair = pytorch.repair_(model, vectors, targets=labels)

    assert blamed(repair.before) == [("WI07", "drowned_by_biases")]
    assert blamed(repair.after) == []
    for layer in list(model)[2:-1:2]:
        assert rms(layer.weight) == pytest.approx(math.sqrt(2 / WIDTH), rel=1e-3)
        assert not layer.bias.any()


@torch.no_grad()
def test_biases_of_tanh_come_to_the_variance_that_is_critical(vectors, labels):
    model = drowned(chain(nn.Tanh))

    repair = pytorch.repair_(model, vectors, targets=labels)

    assert blamed(repair.before) == [("WI07", "drowned_by_biases")]
    assert blamed(repair.after) == []
    sizes = {round(rms(layer.bias), 3) for layer in list(model)[:-1:2]}
    assert len(sizes) == 1
    assert 0 < sizes.pop() < 0.5


def test_branches_of_a_trunk_that_grows_add_one_trunk_in_all(vectors, labels):
    blocks = 20
    model = trunk(blocks)
    nn.init.normal_(model[3].last.bias, std=0.1)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}

    repair = pytorch.repair_(model, vectors, targets=labels)

    assert blamed(repair.before) == [("WI16", "residual_growth")]
    assert blamed(repair.after) == []
    changed = {one.parameter for one in repair.changes}
    assert changed == {f"{n}.last.{of}" for n in range(1, blocks + 1)
                       for of in ("weight", "bias")}  # fmt: skip
    # Each branch gave what the trunk was, and now adds a share of its variance.
    for block in list(model)[1:-1]:
        assert 0.08 < rms(block.last.weight) / math.sqrt(2 / WIDTH) < 0.35
    factor = rms(model[3].last.weight) / rms(before["3.last.weight"])
    torch.testing.assert_close(model[3].last.bias, before["3.last.bias"] * factor)


def test_branches_that_are_quiet_enough_are_left_alone(vectors, labels):
    model = trunk(20)
    nn.init.zeros_(model[5].last.weight)
    repair = pytorch.repair_(model, vectors, targets=labels)
    assert blamed(repair.before) == [("WI16", "residual_growth")]
    assert not any(one.parameter.startswith("5.") for one in repair.changes)


@torch.no_grad()
def test_of_layers_that_are_copies_the_first_keeps_its_numbers(vectors, labels):
    model = chain(layers=6)
    first = model[2].weight.clone()
    for at in (4, 6):
        model[at].weight.copy_(first)

    repair = pytorch.repair_(model, vectors, targets=labels)

    assert blamed(repair.before) == [("WI02", "cloned_parameters")]
    assert [(one.parameter, one.kind, one.amount) for one in repair.changes] == [
        ("4.weight", "redrawn", "a copy of 2.weight"),
        ("6.weight", "redrawn", "a copy of 2.weight"),
    ]
    assert torch.equal(model[2].weight, first)
    assert not torch.equal(model[4].weight, model[6].weight)
    assert rms(model[6].weight) == pytest.approx(rms(first), rel=0.05)


@torch.no_grad()
def test_a_loud_head_is_quieter_afterwards_with_its_loud_bias(vectors, labels):
    model = chain(layers=4)
    model[8].weight.mul_(30)
    model[8].bias.fill_(30)

    repair = pytorch.repair_(model, vectors, targets=labels)

    assert blamed(repair.before) == [("WI14", "over_confident")]
    weight, bias = repair.changes
    assert (weight.parameter, bias.parameter) == ("8.weight", "8.bias")
    assert weight.amount == bias.amount


@torch.no_grad()
def test_a_weight_of_which_no_entry_is_a_number_is_drawn_anew(vectors, labels):
    model = chain(layers=4)
    model[4].weight.fill_(math.nan)
    repair = pytorch.repair_(model, vectors, targets=labels)
    assert blamed(repair.before) == [("WI01", "nonfinite_parameter")]
    assert blamed(repair.after) == []
    assert rms(model[4].weight) == pytest.approx(WIDTH**-0.5, rel=0.05)


@torch.no_grad()
def test_of_a_branch_of_zeros_the_end_stays_as_it_may_be_meant(vectors, labels):
    model = trunk(4, nn.LayerNorm(WIDTH))
    for block in list(model)[1:5]:
        block.first.weight.zero_()
        block.last.weight.zero_()

    repair = pytorch.repair_(model, vectors, targets=labels)

    assert {check for check, _ in blamed(repair.before)} == {"WI03"}
    assert blamed(repair.after) == []
    assert {one.parameter for one in repair.changes} == {
        f"{n}.first.weight" for n in range(1, 5)
    }
