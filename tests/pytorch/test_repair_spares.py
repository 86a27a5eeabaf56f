"""Sound parts stay as they are: what proves needless in the end is taken back."""

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch


def blamed(diagnosis):
    return {(one.id, one.parameter) for one in diagnosis.of("warning", "error")}


def changed(repair):
    return {one.parameter for one in repair.changes}


def tanh_layers(widths):
    layers = []
    for fan_in, width in pairwise(widths):
        layers += [nn.Linear(fan_in, width), nn.Tanh()]
    return layers


@torch.no_grad()
def xavier_tower():
    model = nn.Sequential(*tanh_layers([20] + 9 * [64]), nn.Linear(64, 4))
    for layer in model[::2]:
        nn.init.xavier_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    return model


@torch.no_grad()
def test_what_an_error_did_is_left_alone_once_the_error_is_mended():
    x = (torch.randn(32, 4) @ torch.randn(4, 40) > 0).float()
    model = nn.Sequential(
        *tanh_layers([40, 48, 24]), nn.Linear(24, 6), *tanh_layers([6, 24, 48]),
        nn.Linear(48, 40), nn.Sigmoid(),
    )  # fmt: skip
    nn.init.constant_(model[0].bias, 8.0)

    repair = pytorch.repair_(model, x, loss=functional.binary_cross_entropy, targets=x)

    assert not blamed(repair.after)
    assert changed(repair) == {"0.bias"}
    assert repair.undo() is None
    assert (model[0].bias == 8).all()


@torch.no_grad()
def test_beside_a_layer_far_off_its_neighbours_are_left_alone():
    model, x = xavier_tower(), torch.randn(32, 20)
    assert not blamed(pytorch.check(model, x))
    model[8].weight.mul_(0.01)

    repair = pytorch.repair_(model, x)

    assert repair.before.findings[0].places == ("8.weight",)
    assert not blamed(repair.after)
    assert changed(repair) == {"8.weight"}


class Sines(nn.Module):
    """As in Sitzmann et al. (2020), section 3.2."""

    def __init__(self, width=48, omega=30.0):
        super().__init__()
        self.omega = omega
        self.layers = nn.ModuleList(nn.Linear(n, width) for n in (2, width, width))
        self.head = nn.Linear(width, 1)
        for layer in (*self.layers, self.head):
            first = layer is self.layers[0]
            bound = 1 / 2 if first else math.sqrt(6 / width) / omega
            nn.init.uniform_(layer.weight, -bound, bound)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sin(self.omega * layer(x))
        return self.head(x)


@torch.no_grad()
def test_behind_a_sound_first_layer_of_sines_only_the_quiet_ones_are_rescaled():
    x = torch.rand(128, 2) * 2 - 1
    targets = torch.sin(9 * x[:, :1]) * torch.cos(7 * x[:, 1:])
    for factor in (0.02, 0.1):
        model = Sines()
        for layer in model.layers[1:]:
            layer.weight.mul_(factor)

        repair = pytorch.repair_(model, x, loss=functional.mse_loss, targets=targets)

        assert not blamed(repair.after)
        assert changed(repair) == {"layers.1.weight", "layers.2.weight"}
        assert set(repair.before.findings[0].evidence["ratios"]) == changed(repair)


@torch.no_grad()
def test_a_first_layer_of_sines_that_is_next_to_nothing_is_the_one_to_rescale():
    model, x = Sines(), torch.rand(128, 2) * 2 - 1
    model.layers[0].weight.mul_(3e-4)
    model.layers[0].bias.mul_(3e-4)

    (finding,) = pytorch.check(model, x).of("warning", "error")

    assert finding.parameter == "layers.0.weight"
    assert finding.evidence["ratios"]["layers.0.weight"] > 100


class ReZero(nn.Module):
    """Branches of attention, times factors of 0 (Bachlechner et al., 2020)."""

    def __init__(self, width=48, blocks=4):
        super().__init__()
        self.table = nn.Embedding(37, width)
        self.attentions = nn.ModuleList(
            nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(blocks)
        )
        self.factors = nn.Parameter(torch.zeros(blocks))
        self.head = nn.Linear(width, 37)

    def forward(self, tokens):
        x = self.table(tokens)
        for factor, attention in zip(self.factors, self.attentions, strict=True):
            x = x + factor * attention(x, x, x, need_weights=False)[0]
        return self.head(x)


def of_tokens(logits, targets):
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


@torch.no_grad()
def test_attention_that_a_loud_table_made_sharp_is_left_alone():
    model, tokens = ReZero(), torch.randint(0, 37, (16, 24))
    targets = torch.randint(0, 37, (16, 24))
    model.table.weight.mul_(40)

    repair = pytorch.repair_(model, tokens, loss=of_tokens, targets=targets)

    assert {"WI05", "WI23"} <= {check for check, _ in blamed(repair.before)}
    assert not blamed(repair.after)
    assert changed(repair) == {"table.weight"}


class Recurrent(nn.Module):
    """A loop by hand, whose recurrent weight is orthogonal."""

    def __init__(self, width=40):
        super().__init__()
        self.inward = nn.Parameter(torch.randn(width, 3) * 0.5 * 3**-0.5)
        self.again = nn.Parameter(nn.init.orthogonal_(torch.empty(width, width)))
        self.bias = nn.Parameter(torch.zeros(width))
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        state = x.new_zeros(len(x), len(self.again))
        for step in x.unbind(1):
            state = torch.tanh(step @ self.inward.T + state @ self.again.T + self.bias)
        return self.head(state)


@torch.no_grad()
def test_an_orthogonal_weight_beside_loud_inputs_is_left_alone():
    x = torch.randn(32, 16, 3)
    targets = (0.5 * x[:, :, 0].sum(1, keepdim=True)).tanh()
    model = Recurrent()
    model.inward.mul_(50)

    repair = pytorch.repair_(model, x, loss=functional.mse_loss, targets=targets)

    assert not blamed(repair.after)
    assert changed(repair) == {"inward"}


class Noisy(nn.Module):
    """A layer whose weights are drawn anew in every pass, around their means."""

    def __init__(self, given, made):
        super().__init__()
        self.mean = nn.Parameter(torch.randn(made, given) * given**-0.5)
        self.spread = nn.Parameter(torch.full((made, given), -5.0))

    def forward(self, x):
        noise = functional.softplus(self.spread) * torch.randn_like(self.mean)
        return functional.linear(x, self.mean + noise)


@torch.no_grad()
def test_means_that_weights_are_drawn_around_are_rescaled_as_the_fix_says():
    model = nn.Sequential(
        Noisy(20, 48), nn.ReLU(), Noisy(48, 48), nn.ReLU(), Noisy(48, 4)
    )
    model[2].mean.mul_(30)
    x, targets = torch.randn(32, 20), torch.randint(0, 4, (32,))

    repair = pytorch.repair_(model, x, loss=functional.cross_entropy, targets=targets)

    assert not blamed(repair.after)
    assert changed(repair) == {"2.mean"}
