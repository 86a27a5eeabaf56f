"""How parameters that no layer of PyTorch's owns scale with the width under muP."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from initlab import pytorch
from initlab.errors import InvalidValueError

WIDE, NARROW, LENGTH, EXPERTS = 256, 16, 7, 3
STD = 0.02


class Holder(nn.Module):
    """A layer and parameters of its own."""

    def __init__(self, width, **shapes):
        super().__init__()
        self.layer = nn.Linear(12, width)
        for name, shape in shapes.items():
            full = [width if size is None else size for size in shape]
            self.register_parameter(name, nn.Parameter(STD * torch.randn(full)))


def role(name, shape, **options):
    """Return the role of a parameter, its rate, and the factor of its deviation."""
    wide, narrow = (Holder(width, **{name: shape}) for width in (WIDE, NARROW))
    groups = pytorch.mu_p(wide, narrow, learning_rate=1.0, **options)
    (group,) = [one for one in groups if name in one["names"]]
    factor = float(getattr(wide, name).detach().std()) / STD
    return group["role"], group["lr"], pytest.approx(factor, rel=0.3)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("pos", (LENGTH, None)),
        ("pos_embed", (1, LENGTH, None)),
        ("cls_token", (1, 1, None)),
        ("queries", (LENGTH, None)),
        ("start", (2, 1, None)),
    ],
)
def test_positions_and_tokens_scale_as_inputs(name, shape):
    assert role(name, shape) == ("input", 1.0, 1.0)


@pytest.mark.parametrize("shape", [(LENGTH, None), (2, LENGTH, None)])
def test_what_is_looked_up_can_be_said(shape):
    assert role("rows", shape, tables=("rows",)) == ("input", 1.0, 1.0)


def test_other_matrices_are_stored_as_linear_layers_are():
    assert role("weight", (5, None)) == ("output", 1 / 16, 1 / 16)
    assert role("weight", (None, 5)) == ("input", 1.0, 1.0)
    assert role("weight", (None, 5), transposed=("weight",)) == (
        "output", 1 / 16, 1 / 16
    )  # fmt: skip
    assert role("query_proj", (5, None))[0] == "output"


def test_a_stack_of_matrices_counts_them_first():
    assert role("experts", (EXPERTS, None, None)) == ("hidden", 1 / 16, 1 / 4)


def test_an_axis_without_a_rule_is_refused_with_what_may_be_meant():
    with pytest.raises(
        InvalidValueError, match=r"rows grows in an axis, .*tables=\('r"
    ):
        role("rows", (2, LENGTH, None))


def test_a_kernel_that_grows_is_no_table():
    wide, narrow = (nn.Conv1d(1, 1, width) for width in (32, 8))
    with pytest.raises(InvalidValueError, match=r"weight grows in its kernel.*8\)$"):
        pytorch.mu_p(wide, narrow)


def test_extra_keys_and_values_of_an_attention_scale_as_inputs():
    wide, narrow = (
        nn.MultiheadAttention(width, 4, add_bias_kv=True) for width in (WIDE, NARROW)
    )
    groups = pytorch.mu_p(wide, narrow)
    (names,) = [one["names"] for one in groups if one["role"] == "input"]
    assert {"bias_k", "bias_v"} <= set(names)


@pytest.mark.parametrize("norm", [parametrizations.weight_norm, nn.utils.weight_norm])
@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
def test_a_weight_normed_head_scales_by_its_lengths(norm):
    wide, narrow = (
        nn.Sequential(nn.Linear(12, width), norm(nn.Linear(width, 5)))
        for width in (1024, NARROW)
    )
    pytorch.mu_p(wide, narrow)
    for model in (wide, narrow):
        model(torch.zeros(1, 12))  # the older norm computes its weight then
    factor = wide[1].weight.detach().std() / narrow[1].weight.detach().std()
    assert float(factor) == pytest.approx(NARROW / 1024, rel=0.2)
    before = wide[1].weight.detach().clone()
    pytorch.mu_p(wide, narrow)
    wide(torch.zeros(1, 12))
    assert torch.equal(wide[1].weight, before)


@pytest.mark.parametrize("argument", ["tables", "transposed"])
@pytest.mark.parametrize(
    ("endings", "says"), [(("nope",), "'nope', which none has"), ("rows", "a tuple")]
)
def test_endings_that_no_parameter_has_are_refused(argument, endings, says):
    with pytest.raises(InvalidValueError, match=says) as raised:
        role("rows", (LENGTH, None), **{argument: endings})
    assert raised.value.argument == argument
