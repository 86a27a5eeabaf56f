"""Where rules end: neighbours of what is found, which are a design or too little."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

ROWS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 4


def found(model, batch=ROWS, **more):
    diagnosis = pytorch.check(model, batch, **more)
    return {(one.cause, one.severity) for one in diagnosis.findings}


def causes(model, batch=ROWS, **more):
    return {cause for cause, severity in found(model, batch, **more)
            if severity != "info"}  # fmt: skip


@pytest.mark.parametrize("frozen", [False, True])
def test_a_frozen_normalization_of_zeros_is_as_somebody_left_it(frozen):
    model = nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.ReLU(),
                          nn.Linear(32, 4))  # fmt: skip
    nn.init.zeros_(model[1].weight)
    nn.init.ones_(model[1].bias)
    model[1].weight.requires_grad_(not frozen)

    assert ("gamma_zero" in causes(model)) == (not frozen)


@pytest.mark.parametrize(("groups", "known"), [(4, False), (32, True)])
def test_signs_of_few_factors_are_chance(groups, known):
    model = nn.Sequential(nn.Linear(16, groups), nn.LayerNorm(groups), nn.Tanh(),
                          nn.Linear(groups, 4))  # fmt: skip
    torch.manual_seed(0)
    nn.init.normal_(model[1].weight, std=0.2)

    assert ("gamma_about_zero" in causes(model)) == known


@pytest.mark.parametrize(("inputs", "severity"), [(2, "info"), (16, "warning")])
def test_a_few_copies_among_units_of_two_inputs_are_for_information(inputs, severity):
    model = nn.Sequential(nn.Linear(inputs, 512), nn.ReLU(), nn.Linear(512, 4))
    with torch.no_grad():
        model[0].weight[1] = model[0].weight[0]
        model[0].bias[1] = model[0].bias[0]

    assert ("copied_units", severity) in found(model, ROWS[:, :inputs])


def pyramid(*widths, fan="fan_out"):
    layers = [nn.Conv2d(3, widths[0], 3, padding=1), nn.ReLU()]
    for into, out in pairwise(widths):
        layers += [nn.Conv2d(into, out, 3, padding=1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * 64, 4))
    for layer in model[:-1:2][: len(widths)]:
        nn.init.kaiming_normal_(layer.weight, mode=fan, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    return model


@pytest.mark.parametrize(
    ("widths", "matters"), [((128, 64, 32, 16), False), ((128, 32, 8), True)]
)
def test_he_s_law_by_outputs_is_a_scheme_where_channels_halve(widths, matters):
    images = torch.randn(8, 3, 8, 8)

    assert ("wrong_fan" in causes(pyramid(*widths), images)) == matters
    assert causes(pyramid(*widths, fan="fan_in"), images) == set()


def chain(*widths, bias):
    torch.manual_seed(0)
    model = nn.Sequential()
    for into, out in zip((16, *widths), widths, strict=False):
        model.append(nn.Linear(into, out)).append(nn.ReLU())
    model.append(nn.Linear(widths[-1], 4))
    for layer in model[::2]:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.normal_(layer.bias, std=bias)
    nn.init.xavier_normal_(model[-1].weight)
    return model


@pytest.mark.parametrize(("layers", "loud"), [(4, False), (22, True)])
def test_biases_of_many_layers_add_up(layers, loud):
    assert causes(chain(*[64] * layers, bias=0.8)) == (
        {"loud_biases"} if loud else set()
    )


@pytest.mark.parametrize("bounded", [True, False])
def test_an_exponential_that_overflows_matters_where_it_arrives(bounded):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(16, 4)
            self.log_scale = nn.Parameter(torch.tensor(200.0))

        def forward(self, x):
            scale = self.log_scale.exp()
            scale = scale.detach().clamp(max=5.0) if bounded else scale
            return self.layer(x) * scale

    named = pytorch.check(Scaled(), ROWS).of("error")

    assert [one.cause for one in named] == ([] if bounded else ["overflows"])


def transformer(layers=6):
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


@pytest.mark.parametrize("frozen", [True, False])
def test_post_norm_needs_no_warm_up_where_the_first_layers_stay(frozen):
    model = transformer()
    model.layers[0].requires_grad_(not frozen)

    named = found(model, torch.randn(8, 12, 16), targets=torch.randn(8, 12, 16),
                  optimizer=torch.optim.AdamW)  # fmt: skip

    assert (("post_norm", "info") in named) == (not frozen)


class Masked(nn.Module):
    """A weight under a mask, which may hide all of it."""

    def __init__(self, mask):
        super().__init__()
        torch.manual_seed(0)
        self.own = nn.Parameter(torch.randn(32, 16) / 4)
        self.register_buffer("mask", mask)
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        return self.head(torch.relu(functional.linear(x, self.own * self.mask)))


@pytest.mark.parametrize("hides", [True, False])
def test_a_mask_that_hides_a_weight_stops_the_signal(hides):
    mask = torch.zeros(32, 16) if hides else torch.ones(32, 16)

    (named,) = pytorch.check(Masked(mask), ROWS).of("error", "warning") or [None]

    assert (named.parameter if named else None) == ("own" if hides else None)


class Returns(nn.Module):
    """A layer that is run again behind another one."""

    def __init__(self, gain):
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.head = nn.Linear(16, 64), nn.Linear(64, 4)
        self.first, self.second = nn.Linear(64, 64), nn.Linear(64, 64)
        for layer in (self.stem, self.first, self.second):
            nn.init.normal_(layer.weight, std=gain / layer.in_features**0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in (self.stem, self.first, self.second, self.first):
            x = torch.relu(layer(x))
        return self.head(x)


@pytest.mark.parametrize("gain", [2**0.5, 0.05])
def test_a_layer_that_runs_again_behind_another_is_read_once(gain):
    assert bool(causes(Returns(gain))) == (gain < 1)


@pytest.mark.parametrize(("kernel", "cause"), [(3, "wrong_gain"), (5, "wrong_fan")])
def test_a_fan_is_named_where_no_gain_in_use_is_as_large(kernel, cause):
    """Without its kernel, a fan is as far off as a gain of the root of its size."""
    torch.manual_seed(0)
    layers = [nn.Conv1d(32, 32, kernel, padding=kernel // 2) for _ in range(12)]
    model = nn.Sequential(*(one for layer in layers for one in (layer, nn.ReLU())))
    for layer in layers:
        nn.init.normal_(layer.weight, std=(2 / 32) ** 0.5)
        nn.init.zeros_(layer.bias)

    assert causes(model, torch.randn(16, 32, 24)) == {cause}


@pytest.mark.parametrize("value", [float("nan"), 0.5])
def test_a_head_of_no_numbers_follows_no_fan(value):
    model = chain(64, 64, bias=0.0)
    model[-1].weight.data.mul_(value)

    assert causes(model) == (set() if value == value else {"nonfinite_parameter"})
