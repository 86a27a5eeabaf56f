"""Recipes by structure: zero ends, Fixup, T-Fixup, LSUV, and muP's coordinate check."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch
from initlab.errors import InvalidValueError, UnknownNameError


class Branch(nn.Module):
    """A residual block of two layers, with a norm and a factor if wanted."""

    def __init__(self, width=16, norm=False, factor=None):
        super().__init__()
        self.first, self.last = nn.Linear(width, width), nn.Linear(width, width)
        self.norm = nn.LayerNorm(width) if norm else nn.Identity()
        self.factor = None if factor is None else nn.Parameter(torch.tensor(factor))

    def forward(self, inputs):
        out = self.last(torch.relu(self.first(self.norm(inputs))))
        return inputs + (out if self.factor is None else self.factor * out)


class EndsInNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)

    def forward(self, inputs):
        return torch.relu(inputs + self.bn(self.conv(inputs)))


class Attention(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 32), nn.Linear(32, width)

    def forward(self, inputs):
        q, k, v = self.qkv(inputs).chunk(3, dim=-1)
        hidden = inputs + self.proj(functional.scaled_dot_product_attention(q, k, v))
        return hidden + self.fc2(torch.relu(self.fc1(hidden)))


def residual(blocks=4, **options):
    stack = [Branch(**options) for _ in range(blocks)]
    return nn.Sequential(nn.Linear(8, 16), *stack, nn.Linear(16, 3))


def test_zero_ends_make_every_block_the_identity():
    model, inputs = residual(norm=True), torch.randn(5, 8)

    report = pytorch.zero_branch_ends_(model, inputs)

    assert torch.equal(model[:-1](inputs), model[0](inputs))
    assert {row.parameter for row in report.rows if row.action == "set"} == {
        f"{block}.last.{one}" for block in range(1, 5) for one in ("weight", "bias")
    }


def test_where_a_norm_ends_the_branch_its_factor_becomes_zero():
    model = nn.Sequential(nn.Conv2d(3, 3, 1), EndsInNorm(), nn.Flatten())

    report = pytorch.zero_branch_ends_(model, torch.randn(2, 3, 4, 4))

    assert [row.parameter for row in report.rows if row.action == "set"] == [
        "1.bn.weight"
    ]
    assert not model[1].bn.weight.any()


def test_branches_that_start_at_nothing_are_left_alone():
    model = residual(factor=0.0)

    report = pytorch.zero_branch_ends_(model, torch.randn(5, 8))

    assert not [row for row in report.rows if row.action == "set"]
    assert report.notes[0] == "1: its factor 1.factor is 0 already"


def test_fixup_scales_branches_by_their_number_and_zeroes_ends_and_head():
    model = residual(blocks=9, factor=1.0)

    report = pytorch.fixup_(model, torch.randn(5, 8), seed=1)

    he = math.sqrt(2 / 16)
    assert report.of("3.first.weight").std == pytest.approx(he / 3)
    assert report.of("0.weight").std == pytest.approx(math.sqrt(2 / 8))
    assert not any(block.last.weight.any() for block in model[1:-1])
    assert not model[-1].weight.any()
    assert report.notes == ()


def test_fixup_says_that_factors_are_missing():
    report = pytorch.fixup_(residual(), torch.randn(5, 8), dry_run=True)

    assert report.notes[0].startswith("no factor in 4 of 4 branches")


@pytest.mark.parametrize(
    "recipe", [pytorch.fixup_, pytorch.t_fixup_], ids=["fixup_", "t_fixup_"]
)
def test_recipes_that_replace_norms_are_refused_beside_one(recipe):
    blocks = nn.Sequential(nn.Linear(16, 16), Attention(), Branch(norm=True))

    with pytest.raises(InvalidValueError, match=r"has 1 \(2\.norm\); remove them"):
        recipe(blocks, torch.randn(2, 5, 16))


def test_recipes_refuse_models_without_what_they_are_for():
    plain = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))

    with pytest.raises(InvalidValueError, match="residual blocks"):
        pytorch.zero_branch_ends_(plain, torch.randn(5, 8))
    with pytest.raises(InvalidValueError, match="attention"):
        pytorch.t_fixup_(plain, torch.randn(5, 8))


def test_t_fixup_scales_values_ends_and_mlps_only():
    model = nn.Sequential(nn.Linear(16, 16), Attention(), Attention())

    report = pytorch.t_fixup_(model, torch.randn(2, 5, 16))

    glorot = math.sqrt(2 / 32)
    branch = 0.67 * 2**-0.25
    q, k, v = model[1].qkv.weight.detach().split(16)
    assert report.of("1.proj.weight").std == pytest.approx(branch * glorot)
    assert float(v.std()) == pytest.approx(branch * glorot, rel=0.25)
    assert float(torch.cat([q, k]).std()) == pytest.approx(glorot, rel=0.2)
    assert report.of("0.weight").std == pytest.approx(glorot)


class Decoder(nn.Module):
    """Layers that attend to themselves and to what they are given, without norms."""

    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
            for _ in range(layers)
        )
        for layer in self.layers:
            layer.norm1 = layer.norm2 = layer.norm3 = nn.Identity()
        self.stem = nn.Linear(16, 16)

    def forward(self, x, memory):
        x = self.stem(x)
        for layer in self.layers:
            x = layer(x, memory)
        return x


def test_t_fixup_counts_a_decoder_s_layers_and_scales_what_they_attend_to():
    model, inputs = Decoder(3), (torch.randn(2, 5, 16), torch.randn(2, 7, 16))

    report = pytorch.t_fixup_(model, inputs, decoder=True)

    branch, glorot = 27**-0.25, math.sqrt(2 / 32)
    assert report.of("layers.0.linear1.weight").std == pytest.approx(
        branch * math.sqrt(2 / 48)
    )
    for attention in (model.layers[1].self_attn, model.layers[1].multihead_attn):
        q, k, v = attention.in_proj_weight.detach().split(16)
        assert float(v.std()) == pytest.approx(branch * glorot, rel=0.2)
        assert float(torch.cat([q, k]).std()) == pytest.approx(glorot, rel=0.2)


@pytest.mark.parametrize("init", ["orthogonal", "glorot_normal", "he_normal"])
def test_a_packed_projection_of_which_two_inputs_take_parts_is_drawn_whole(init):
    one, other = Decoder(1), Decoder(1)
    inputs = torch.randn(2, 5, 16), torch.randn(2, 7, 16)

    pytorch.initialize_(one, init, batch=inputs, nonlinearity="identity")
    pytorch.initialize_(other, init, nonlinearity="identity")

    name = "layers.0.multihead_attn.in_proj_weight"
    assert torch.equal(one.get_parameter(name), other.get_parameter(name))


def test_lsuv_leaves_unit_outputs_behind_activations_in_place():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(32, 5)
    )
    inputs = torch.randn(64, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 7
    before = torch.random.get_rng_state()

    report = pytorch.lsuv_(model, inputs, seed=2)

    first = model[0](inputs)
    assert float(first.detach().std()) == pytest.approx(1, abs=0.1)
    assert float(model(inputs).detach().std()) == pytest.approx(1, abs=0.1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert report.of("3.weight").reason.startswith("outputs scaled")


def test_lsuv_follows_the_order_of_execution():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.second, self.first = nn.Linear(8, 8), nn.Linear(4, 8)

        def forward(self, inputs):
            return self.second(torch.relu(self.first(inputs)))

    model, inputs = Backwards(), torch.randn(256, 4)

    pytorch.lsuv_(model, inputs, tolerance=0.05)

    assert float(model(inputs).detach().std()) == pytest.approx(1, abs=0.06)


def mlp(width, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(16, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, 8),
        )
    pytorch.initialize_(model, "he_normal", seed=seed, nonlinearity=None)
    # Logits at the start are no matter of muP's, but they bend the loss at width 64.
    with torch.no_grad():
        model[4].weight.mul_(0.1)
    return model


def slopes_of_coordinates(optimizer, groups_of, steps=4, widths=(64, 128, 256, 512)):
    """Slope of log mean abs of the change of each layer's output over log width."""
    inputs = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(32) % 8
    rows = []
    for width in widths:
        sizes = []
        for seed in range(3):
            model = mlp(width, seed)
            trained = optimizer(groups_of(model, mlp(64, seed)))
            layers = (model[:1], model[:3], model)
            start = [layer(inputs).detach() for layer in layers]
            for _ in range(steps):
                trained.zero_grad()
                functional.cross_entropy(model(inputs), labels).backward()
                trained.step()
            sizes.append(
                [
                    float((layer(inputs).detach() - first).abs().mean())
                    for layer, first in zip(layers, start, strict=True)
                ]
            )
        rows.append(np.log(np.mean(sizes, axis=0)))
    return np.polyfit(np.log(widths), np.array(rows), 1)[0]


@pytest.mark.parametrize(
    ("name", "rate", "make"),
    [
        ("adam", 3e-3, torch.optim.Adam),
        ("sgd", 0.05, lambda groups: torch.optim.SGD(groups, lr=0.05)),
    ],
)
def test_mu_p_passes_its_coordinate_check_and_plain_training_does_not(name, rate, make):
    def groups(model, base):
        return pytorch.mu_p(model, base, optimizer=name, learning_rate=rate)

    def plain(model, _):
        return [{"params": list(model.parameters()), "lr": rate}]

    slopes = slopes_of_coordinates(make, groups)

    # Measured: at most .15 with muP, from the start's logits; .66 or more without.
    assert abs(slopes).max() < 0.2
    assert abs(slopes_of_coordinates(make, plain)).max() > 0.4


def test_mu_p_tells_roles_apart_and_repeats_itself():
    wide, base = mlp(256, 0), mlp(64, 0)

    groups = pytorch.mu_p(wide, base, learning_rate=0.01)
    weights = [one.clone() for one in wide.parameters()]
    pytorch.mu_p(wide, base, learning_rate=0.01)

    by_role = {group["role"]: group for group in groups}
    assert by_role["hidden"]["names"] == ["2.weight"]
    assert by_role["output"]["names"] == ["4.weight"]
    assert by_role["output"]["lr"] == pytest.approx(0.0025)
    assert float(wide[4].weight.detach().std()) == pytest.approx(
        float(base[4].weight.detach().std()) / 4, rel=0.02
    )
    for one, before in zip(wide.parameters(), weights, strict=True):
        assert torch.equal(one, before)


def test_mu_p_reads_models_in_their_wrappers():
    wide, base = mlp(64, 0), mlp(16, 0)

    groups = pytorch.mu_p(nn.DataParallel(wide), base)

    own = {id(parameter) for parameter in wide.parameters()}
    assert {id(one) for group in groups for one in group["params"]} == own
    assert "0.weight" in groups[0]["names"]


def test_mu_p_refuses_what_it_has_no_rule_for():
    with pytest.raises(UnknownNameError, match="adam"):
        pytorch.mu_p(mlp(64, 0), mlp(64, 0), optimizer="adamw2")
    with pytest.raises(InvalidValueError, match=r"base_model: .* 5\.bias"):
        pytorch.mu_p(nn.Sequential(*mlp(64, 0), nn.Linear(8, 8)), mlp(64, 0))


def test_t_fixup_draws_tables_by_their_width():
    model = nn.Sequential(nn.Embedding(300, 16), Attention(), Attention())
    ids = torch.randint(300, (2, 5), generator=torch.Generator().manual_seed(0))

    report = pytorch.t_fixup_(model, ids)

    row = report.of("0.weight")
    assert row.reason == "embedding"
    # Of two layers; five standard errors of a deviation of 4800 entries are 5 %.
    assert row.std == pytest.approx((9 * 2) ** -0.25 / 4)
    assert float(model[0].weight.detach().std()) == pytest.approx(row.std, rel=0.05)


def test_recipes_keep_what_is_frozen_and_say_so():
    model = residual(norm=True)
    model[2].last.requires_grad_(False)
    before = model[2].last.weight.clone()

    report = pytorch.zero_branch_ends_(model, torch.randn(5, 8))

    row = report.of("2.last.weight")
    assert (row.action, row.reason) == ("kept", "frozen")
    assert torch.equal(model[2].last.weight, before)
    assert not model[3].last.weight.any()
