"""Weights that are used as they are and transposed, as of tied autoencoders."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

PICTURES = torch.rand(64, 256, generator=torch.Generator().manual_seed(1)) - 0.5
SCALES = {
    "lecun's": lambda weight: nn.init.normal_(weight, std=weight.shape[1] ** -0.5),
    "of the other way": lambda weight: nn.init.normal_(
        weight, std=weight.shape[0] ** -0.5
    ),
    "xavier's": nn.init.xavier_normal_,
    "pytorch's": lambda weight: nn.init.kaiming_uniform_(weight, a=5**0.5),
}


class Tied(nn.Module):
    """Two layers down, and up again by the same weights."""

    def __init__(self, draw=SCALES["lecun's"], sizes=(128, 8), inner="linear"):
        super().__init__()
        torch.manual_seed(0)
        outer, code = sizes
        self.outer = nn.Parameter(draw(torch.empty(outer, 256)))
        self.code = nn.Parameter(draw(torch.empty(code, outer)))
        self.inner = inner

    def forward(self, x):
        x = torch.tanh(functional.linear(x, self.outer))
        if self.inner == "linear":
            x = functional.linear(functional.linear(x, self.code), self.code.t())
        else:
            x = x @ self.code.t() @ self.code
        return functional.linear(torch.tanh(x), self.outer.t())


def blamed(model):
    found = pytorch.check(model, PICTURES, targets=PICTURES).of("warning", "error")
    return [(one.id, one.parameter) for one in found]


@pytest.mark.parametrize("sizes", [(64, 12), (128, 8)])
@pytest.mark.parametrize("scale", ["lecun's", "xavier's", "pytorch's"])
def test_a_weight_used_both_ways_may_have_the_scale_of_either(scale, sizes):
    model = Tied(SCALES[scale], sizes)

    assert not blamed(model)


def test_a_scale_of_the_other_way_has_no_wrong_fan():
    model = Tied(SCALES["of the other way"], (96, 32))

    assert "WI06" not in {check for check, _ in blamed(model)}


@pytest.mark.parametrize("inner", ["linear", "product"])
@pytest.mark.parametrize("factor", [0.0, 1e-4])
def test_a_code_of_next_to_nothing_is_brought_to_one_of_its_laws(inner, factor):
    model = Tied(inner=inner)
    with torch.no_grad():
        model.code.mul_(factor)
    assert [name for _, name in blamed(model)] == ["code"]

    repair = pytorch.repair_(model, PICTURES, targets=PICTURES)

    assert not repair.unrepaired
    assert not blamed(model)
    # LeCun's of the larger fan, with what tanh asks for on top.
    assert 0.9 < float(model.code.detach().std()) * 128**0.5 < 1.6


@pytest.mark.parametrize("inner", ["linear", "product"])
def test_copies_in_a_code_are_drawn_anew(inner):
    model = Tied(inner=inner)
    with torch.no_grad():
        model.code.copy_(model.code[:1].expand_as(model.code))
    assert ("WI02", "code") in blamed(model)

    repair = pytorch.repair_(model, PICTURES, targets=PICTURES)

    assert not repair.unrepaired
    assert len(model.code.detach().unique(dim=0)) == len(model.code)
