"""A batch of one example: half of all units are off by chance, and no more is said."""

import pytest
import torch
from torch import nn

from initlab import pytorch


def network(width=64, layers=3):
    body = []
    for _ in range(layers):
        linear = nn.Linear(width, width, bias=False)
        nn.init.kaiming_normal_(linear.weight)
        body += [linear, nn.ReLU()]
    return nn.Sequential(*body, nn.Linear(width, 10))


def dead(model, batch):
    return [one for one in pytorch.check(model, batch) if one.id == "WI12"]


@pytest.mark.parametrize("width", [4, 8, 16, 64])
@pytest.mark.parametrize("seed", range(6))
def test_units_that_are_off_by_chance_for_one_example_are_no_finding(width, seed):
    torch.manual_seed(seed)

    assert dead(network(width), torch.randn(1, width)) == []


def test_a_layer_that_is_off_for_one_example_is_found_with_the_true_numbers():
    model = network()
    with torch.no_grad():
        model[2].weight.abs_().neg_()

    (found,) = dead(model, torch.randn(1, 64))

    assert found.parameter == "2.weight"
    assert found.expected == 0.5
    assert "on this batch of 1; 50% would be so by chance" in found.sentence


@pytest.mark.parametrize("seed", range(6))
def test_where_the_cosine_of_examples_is_not_known_nothing_is_said_of_chance(seed):
    torch.manual_seed(seed)
    # An example of zeros has no angle to the other one.
    batch = torch.cat([torch.randn(1, 64), torch.zeros(1, 64)])

    assert dead(network(), batch) == []


def test_a_layer_that_is_off_for_every_example_is_found_without_a_cosine():
    model = network()
    with torch.no_grad():
        model[2].weight.abs_().neg_()

    (found,) = dead(model, torch.randn(8, 64))

    assert (found.parameter, found.severity) == ("2.weight", "error")
    assert "on this batch of 8; 0% would be so by chance" in found.sentence
