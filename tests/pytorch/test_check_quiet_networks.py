"""Networks of few layers that start too quiet, and what small numbers are no fault."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

VECTORS = torch.randn(64, 20, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 10
SERIES = torch.randn(32, 12, 8, generator=torch.Generator().manual_seed(2))
LOSS = nn.CrossEntropyLoss()


def blamed(model, batch=VECTORS, **more):
    """Checks with their parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


def mlp(hidden, std=None, activation=nn.ReLU, factor=1.0):
    """Return a classifier with `hidden` layers, of one std or of a factor of He's."""
    torch.manual_seed(0)
    widths = [20, *[64] * hidden, 10]
    layers = []
    for fan_in, fan_out in zip(widths, widths[1:], strict=False):
        layer = nn.Linear(fan_in, fan_out)
        law = factor * math.sqrt(2 / fan_in)
        nn.init.normal_(layer.weight, std=law if std is None else std)
        layers += [layer, activation()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("hidden", [2, 3, 5])
def test_short_networks_of_small_weights_are_named(hidden):
    found = blamed(mlp(hidden, std=0.01), loss=LOSS, targets=LABELS)

    assert found == [("WI05", "wrong_gain", "0.weight")]


def test_weights_of_a_third_cost_five_layers_more_than_two():
    """The first falls behind by .8 of what SGD learns in 300 steps, the other by 0."""
    assert blamed(mlp(5, factor=0.3)) == [("WI05", "wrong_gain", "0.weight")]
    assert blamed(mlp(2, factor=0.3)) == []


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.GELU])
@pytest.mark.parametrize("hidden", [2, 3, 5])
def test_short_networks_as_pytorch_starts_them_are_sound(hidden, activation):
    torch.manual_seed(0)
    widths = [20, *[64] * hidden, 10]
    layers = [
        layer
        for sizes in zip(widths, widths[1:], strict=False)
        for layer in (nn.Linear(*sizes), activation())
    ]

    assert blamed(nn.Sequential(*layers[:-1]), loss=LOSS, targets=LABELS) == []


def test_a_head_alone_may_be_as_quiet():
    model = mlp(3)
    nn.init.normal_(model[-1].weight, std=0.01)

    assert blamed(model, loss=LOSS, targets=LABELS) == []


def test_a_short_network_that_is_too_quiet_is_repaired_and_trains():
    def slow(parameters):
        return torch.optim.SGD(parameters, lr=0.1)

    model = mlp(3, std=0.01)
    repair = pytorch.repair_(
        model, VECTORS, loss=LOSS, targets=LABELS, optimizer=slow, train_steps=200
    )

    assert not repair.after.of("warning", "error")
    assert repair.training is not None
    assert repair.training.after[-1] < 0.5 * repair.training.before[-1]


class Variational(nn.Module):
    """Codes of rectified layers whose biases are as PyTorch starts them."""

    def __init__(self):
        super().__init__()
        self.up = nn.Sequential(
            nn.Linear(20, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()
        )
        self.mean = nn.Linear(64, 8)

    def forward(self, x):
        return self.mean(self.up(x))


@pytest.mark.parametrize("shift", [0.0, -0.5])
def test_biases_are_named_where_they_and_not_the_weights_keep_units_off(shift):
    torch.manual_seed(1)
    model = Variational()
    for layer in (model.up[0], model.up[2], model.mean):
        nn.init.normal_(layer.weight, std=0.01)
    with torch.no_grad():
        model.up[2].bias.sub_(shift).neg_() if shift else model.up[2].bias.sub_(0.02)

    names = {name for _, _, name in blamed(model)}

    assert ("up.2.bias" in names) == bool(shift)


class Tagger(nn.Module):
    """The scores of a conditional random field, in which two tags are forbidden."""

    def __init__(self, size):
        super().__init__()
        self.head = nn.Linear(8, 5)
        self.transitions = nn.Parameter(size * torch.randn(5, 5))
        with torch.no_grad():
            self.transitions[3, :] = -10_000
            self.transitions[:, 4] = -10_000

    def forward(self, x):
        scores = self.head(x)
        alpha = scores[:, 0]
        for t in range(1, scores.shape[1]):
            paths = alpha[:, None] + self.transitions + scores[:, t, :, None]
            alpha = torch.logsumexp(paths, 2)
        return torch.logsumexp(alpha[:, :3], 1)


@pytest.mark.parametrize(("size", "named"), [(1.0, False), (100.0, True)])
def test_what_forbids_transitions_is_not_loud(size, named):
    torch.manual_seed(0)

    found = {name for _, _, name in blamed(Tagger(size), SERIES)}

    assert ("transitions" in found) == named


class Additive(nn.Module):
    """Attention by energies of one unit (Bahdanau et al., 2015)."""

    def __init__(self, energies=1):
        super().__init__()
        self.lift, self.energy = nn.Linear(8, 32), nn.Linear(32, energies)
        self.out = nn.Linear(8, 4)

    def forward(self, x):
        weights = self.energy(torch.tanh(self.lift(x))).mean(2).softmax(1)
        return self.out((weights[:, :, None] * x).sum(1))


def test_layers_that_only_feed_one_unit_learn_in_one_direction():
    torch.manual_seed(0)
    model = Additive()
    with torch.no_grad():
        model.lift.weight.mul_(0.1)  # tanh is linear here, so that rank 1 is algebra

    diagnosis = pytorch.check(model, SERIES, loss=LOSS, targets=torch.arange(32) % 4)

    assert not [one for one in diagnosis.findings if one.id == "WI04"]


class Modulated(nn.Module):
    """Blocks whose scales are made of a condition, by layers of zeros (DiT)."""

    def __init__(self, zero=True):
        super().__init__()
        self.inward, self.condition = nn.Linear(8, 64), nn.Linear(4, 64)
        self.blocks = nn.ModuleList(nn.Linear(64, 64) for _ in range(6))
        self.scales = nn.ModuleList(nn.Linear(64, 64) for _ in range(6))
        self.middle = nn.Linear(64, 64)
        self.out = nn.Linear(64, 4)
        for layer in (*self.blocks, self.middle):
            nn.init.normal_(layer.weight, std=math.sqrt(2 / 64))
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.middle.weight, std=0.01)
        for layer in self.scales if zero else ():
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x, condition):
        h = self.inward(x)
        given = functional.silu(self.middle(functional.silu(self.condition(condition))))
        for block, scale in zip(self.blocks, self.scales, strict=True):
            h = h + functional.relu(block(h)) * scale(given)
        return self.out(h)


@pytest.mark.parametrize(("zero", "named"), [(True, False), (False, True)])
def test_what_only_feeds_zeros_is_quiet_by_design(zero, named):
    torch.manual_seed(0)
    batch = (SERIES[:, 0], SERIES[:, 1, :4])

    found = {name for _, _, name in blamed(Modulated(zero), batch)}

    assert ("middle.weight" in found) == named


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(x)


@pytest.mark.parametrize(("turns", "named"), [(0.8, False), (1.5, True)])
def test_sines_of_less_than_one_turn_are_a_choice(turns, named):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(20, 64), Sine(), nn.Linear(64, 64), Sine(), nn.Linear(64, 4)
    )
    std = turns * 2 * math.pi / math.sqrt(64 / 2)
    nn.init.normal_(model[2].weight, std=std)
    nn.init.normal_(model[0].weight, std=30 / math.sqrt(20))

    found = blamed(model)

    assert (("WI05", "wraps_around", "2.weight") in found) == named
