"""Fixes that mend all places, causes that are named alone, parameters by themselves."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from initlab import pytorch

VECTORS = torch.randn(64, 20, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 5
PAIRS = torch.randint(40, (128, 2), generator=torch.Generator().manual_seed(2))
RATINGS = torch.randn(128, generator=torch.Generator().manual_seed(3)) * 2


def layers(activation, depth=6, width=48):
    torch.manual_seed(0)
    found = []
    for number in range(depth):
        found += [nn.Linear(20 if number == 0 else width, width), activation()]
    model = nn.Sequential(*found, nn.Linear(width, 5))
    for layer in model[::2]:
        nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        nn.init.zeros_(layer.bias)
    return model


def blamed(model, batch=VECTORS, targets=LABELS):
    return list(pytorch.check(model, batch, targets=targets).of("warning", "error"))


def mended_as_printed(model, batch=VECTORS, targets=LABELS):
    for finding in blamed(model, batch, targets):
        exec(finding.fix, {"torch": torch, "model": model, "finding": finding})
    return not blamed(model, batch, targets)


class Products(nn.Module):
    """A matrix factorization."""

    def __init__(self, std):
        super().__init__()
        torch.manual_seed(0)
        self.users, self.items = nn.Embedding(40, 8), nn.Embedding(40, 8)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=std)

    def forward(self, pairs):
        return (self.users(pairs[:, 0]) * self.items(pairs[:, 1])).sum(1)


class Sines(nn.Module):
    """Sines of 30 times a layer, whose weights forget it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList(
            nn.Linear(20 if not n else 64, 64) for n in range(3)
        )
        self.head = nn.Linear(64, 5)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sin(30 * layer(x))
        return self.head(x)


class Divided(nn.Module):
    """A layer divided by a temperature, in front of a softmax or of another layer."""

    def __init__(self, temperature):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(20, 48), nn.Linear(48, 5)
        self.temperature = nn.Parameter(torch.tensor(temperature))

    def forward(self, x):
        return self.last(torch.relu(self.first(x) / self.temperature))


class Decays(nn.Module):
    """A factor of exp(-exp(a)), as state space models keep their states by."""

    def __init__(self, start):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(20, 48), nn.Linear(48, 5)
        self.logarithm = nn.Parameter(torch.full((48,), start))

    def forward(self, x):
        kept = torch.exp(-torch.exp(self.logarithm))
        return self.last(torch.relu(self.first(x) * (1 + kept)))


def test_all_biases_that_saturate_are_mended_by_one_line():
    model = layers(nn.Tanh)
    for layer in model[2:-1:2]:
        nn.init.constant_(layer.bias, 6)

    assert mended_as_printed(model)


def test_all_sines_are_mended_by_one_line():
    assert blamed(Sines())

    assert mended_as_printed(Sines())


def test_both_factors_of_a_product_are_made_smaller():
    model = Products(5.0)
    (loud,) = blamed(model, PAIRS, RATINGS)
    assert set(loud.places) == {"users.weight", "items.weight"}

    assert mended_as_printed(model, PAIRS, RATINGS)

    sizes = [float(p.detach().std()) for p in model.parameters()]
    assert max(sizes) < 1.1 * min(sizes)


@pytest.mark.parametrize("bias", [-5.0, -8.0])
def test_smooth_activations_that_a_bias_shuts_are_found(bias):
    model = layers(nn.SELU)
    nn.init.constant_(model[4].bias, bias)

    (found,) = blamed(model)

    assert (found.id, found.parameter) == ("WI12", "4.bias")
    assert mended_as_printed(model)


@pytest.mark.parametrize("repaired", [False, True])
def test_slopes_of_a_prelu_are_named_and_not_the_layers(repaired):
    model = layers(lambda: nn.PReLU(init=8.0))
    (found,) = blamed(model)
    assert found.cause == "steep_slopes"
    assert len(found.places) == 6

    if repaired:
        pytorch.repair_(model, VECTORS, targets=LABELS)
    else:
        exec(found.fix, {"torch": torch, "model": model, "finding": found})

    assert not blamed(model)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_divisor_of_zero_is_named_and_not_the_layer_behind_it(temperature):
    model = Divided(temperature)

    found = [(one.id, one.parameter) for one in blamed(model)]

    assert found == ([] if temperature else [("WI01", "temperature")])
    if not temperature:
        assert not pytorch.repair_(model, VECTORS, targets=LABELS).unrepaired


@pytest.mark.parametrize("start", [0.0, 200.0])
def test_an_exponent_that_overflows_on_the_way_back_is_named(start):
    found = [(one.id, one.parameter) for one in blamed(Decays(start))]

    assert found == ([("WI01", "logarithm")] if start else [])


def test_a_constant_layer_explains_how_steep_the_loss_is():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
    )
    nn.init.ones_(model[2].weight)
    nn.init.constant_(model[4].bias, 40.0)
    prices = VECTORS[:, :1] + 40

    assert [one.id for one in blamed(model, targets=prices)] == ["WI02"]


def test_units_are_off_behind_a_prelu_that_starts_without_a_slope():
    model = layers(lambda: nn.PReLU(init=0.0))
    for layer in model[:-1:2]:
        nn.init.kaiming_normal_(layer.weight)
    assert not blamed(model)
    nn.init.constant_(model[4].bias, -12)

    (found,) = blamed(model)

    assert (found.id, found.parameter) == ("WI12", "4.bias")
    assert mended_as_printed(model)


def test_a_repair_of_a_spectral_radius_leaves_the_gates_alone():
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.cell, self.head = nn.LSTM(20, 32, batch_first=True), nn.Linear(32, 5)
            with torch.no_grad():
                self.cell.weight_hh_l0.mul_(30)

        def forward(self, x):
            return self.head(self.cell(x)[0][:, -1])

    sequences = torch.randn(32, 10, 20, generator=torch.Generator().manual_seed(4))

    repair = pytorch.repair_(Reads(), sequences)

    assert {one.parameter for one in repair.changes} == {"cell.weight_hh_l0"}


@pytest.mark.parametrize("zero", [False, True])
def test_a_factor_of_zeros_is_named_and_not_the_layer_behind_it(zero):
    class Multiplied(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.rest = nn.Linear(20, 48), layers(nn.ReLU, 2)[2:]
            self.factor = nn.Parameter(torch.full((48,), 0.0 if zero else 1.0))

        def forward(self, x):
            return self.rest(torch.relu(self.first(x) * self.factor.log1p()))

    model = Multiplied()

    found = [(one.id, one.parameter) for one in blamed(model)]

    assert found == ([("WI03", "factor")] if zero else [])
    assert mended_as_printed(model)


def test_a_table_of_zeros_is_drawn_in_the_scale_of_tables():
    model = Products(0.05)
    nn.init.zeros_(model.users.weight)

    pytorch.repair_(model, PAIRS, targets=RATINGS)

    assert float(model.users.weight.detach().std()) < 0.5


@pytest.mark.parametrize("one", [0.0, 1.0])
def test_a_condition_of_zeros_that_multiplies_starts_at_a_factor_of_one(one):
    class Conditioned(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.head = nn.Linear(12, 48), nn.Linear(48, 5)
            self.inner = nn.ModuleList(nn.Linear(48, 48) for _ in range(3))
            self.given = nn.ModuleList(nn.Linear(8, 96) for _ in range(3))
            for layer in self.given:
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            x, condition = x.split([12, 8], dim=1)
            x = self.first(x)
            for inner, given in zip(self.inner, self.given, strict=True):
                factor, shift = given(condition).chunk(2, 1)
                x = nn.functional.layer_norm(inner(x), (48,)) * (one + factor)
                x = torch.relu(x + shift)
            return self.head(x)

    model = Conditioned()

    found = [(each.cause, each.parameter) for each in blamed(model)]

    assert found == ([] if one else [("multiplies_by_zero", "given.0.bias")])
    assert mended_as_printed(model)


class Attends(nn.Module):
    """Two attentions with queries and keys of their own."""

    def __init__(self, *stds):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.head = nn.Linear(20, 32), nn.Linear(32, 5)
        self.norms, self.values, self.queries, self.keys = (
            nn.ModuleList(make() for _ in stds)
            for make in (lambda: nn.LayerNorm(32), *[lambda: nn.Linear(32, 32)] * 3)
        )
        for std, *both in zip(stds, self.queries, self.keys, strict=True):
            for layer in both:
                nn.init.normal_(layer.weight, std=std)

    def forward(self, x):
        x = self.embed(x)
        for norm, value, query, key in zip(
            self.norms, self.values, self.queries, self.keys, strict=True
        ):
            h = norm(x)
            x = x + nn.functional.scaled_dot_product_attention(
                query(h), key(h), value(h)
            )
        return self.head(x.mean(dim=1))


TOKENS = torch.randn(64, 12, 20, generator=torch.Generator().manual_seed(4))


def test_queries_and_keys_of_all_attentions_are_made_quieter():
    model = Attends(2.0, 0.5)

    (found,) = blamed(model, TOKENS)

    assert found.cause == "sharp_attention"
    assert set(found.evidence["ratios"]) == set(found.places)
    assert len(found.places) == 4
    assert blamed(Attends(0.18, 0.18), TOKENS) == []
    assert mended_as_printed(model, TOKENS)


def test_layers_that_widen_are_off_by_the_fan_that_they_have():
    """Only a weight that is read transposed as well has two."""
    torch.manual_seed(0)
    widths = [20, *[64, 256] * 4, 5]
    found = []
    for fan_in, fan_out in pairwise(widths):
        layer = nn.Linear(fan_in, fan_out)
        nn.init.zeros_(layer.bias)
        found += [layer, nn.ReLU()]

    (chain,) = blamed(nn.Sequential(*found[:-1]))

    assert chain.cause == "wrong_gain"
    assert len(chain.places) == 7  # all between the first and the head
