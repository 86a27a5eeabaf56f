"""Faults of real code on other architectures, each with a sound twin that is silent."""

import math

import pytest
import torch
from networks import GPT, plain
from torch import nn
from torch.nn import functional

from initlab import pytorch

WORDS = torch.randint(0, 61, (8, 24), generator=torch.Generator().manual_seed(3))
SERIES = torch.randn(16, 24, 8, generator=torch.Generator().manual_seed(1))
VECTORS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))


def blamed(model, batch, **more):
    """Causes with their parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


@pytest.mark.parametrize("loud", [False, True])
def test_positions_that_drown_the_words(loud):
    model = GPT(tied=False)
    nn.init.normal_(model.places.weight, std=10.0 if loud else 0.1)

    found = blamed(model, WORDS)

    expected = [("WI05", "drowns_a_signal", "places.weight")] if loud else []
    assert found == expected


def test_a_repair_quiets_positions():
    model = GPT(tied=False)
    nn.init.normal_(model.places.weight, std=10.0)

    repair = pytorch.repair_(model, WORDS)

    assert [one.parameter for one in repair.changes] == ["places.weight"]
    assert float(model.places.weight.detach().std()) == pytest.approx(0.02, rel=0.3)
    assert repair.after.sound


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
@pytest.mark.parametrize("loud", [False, True])
def test_inputs_that_shut_gates_for_good(kind, loud):
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = kind(8, 32, batch_first=True), nn.Linear(32, 4)
            if loud:
                nn.init.normal_(self.rnn.weight_ih_l0, std=4.0)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    found = blamed(Reads(), SERIES)

    expected = [("WI13", "saturated_gates", "rnn.weight_ih_l0")] if loud else []
    assert found == expected


@pytest.mark.parametrize("loud", [False, True])
def test_a_loud_head_of_several_is_named_and_not_the_chain_below(loud):
    class Acts(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = plain(depth=4, outputs=32, activation=nn.Tanh)
            self.policy, self.value = nn.Linear(32, 6), nn.Linear(32, 1)
            if loud:
                nn.init.normal_(self.policy.weight, std=4.0)

        def forward(self, x):
            x = torch.tanh(self.body(x))
            return self.policy(x), self.value(x)

    def loss(outputs, targets):
        policy, value = outputs
        return functional.cross_entropy(policy, targets) + value.square().mean()

    found = blamed(Acts(), VECTORS, loss=loss, targets=torch.arange(64) % 6)

    expected = [("WI14", "over_confident", "policy.weight")] if loud else []
    assert found == expected


def test_the_share_of_shut_gates_is_that_of_a_normal_number():
    model = nn.LSTM(8, 64, batch_first=True)
    nn.init.normal_(model.weight_ih_l0, std=3.0)

    (found,) = pytorch.check(model, SERIES).of("warning", "error")

    z = SERIES @ model.weight_ih_l0.T
    slope = torch.sigmoid(z) * (1 - torch.sigmoid(z))
    share = float((slope < 0.05 / 4).float().mean())
    # Units differ: the norm of eight weights varies by a quarter.
    assert math.isclose(found.measured, share, abs_tol=0.06)


def normed(depth=5, width=24):
    layers = []
    for place in range(depth):
        layers += [
            nn.Conv2d(width if place else 3, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width), nn.ReLU(),
        ]  # fmt: skip
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 5)
    )


IMAGES = torch.randn(16, 3, 10, 10, generator=torch.Generator().manual_seed(2))


def test_a_beta_that_shuts_a_layer_is_named_and_not_what_lies_around_it():
    model = normed()
    nn.init.constant_(model[7].bias, -6.0)

    found = blamed(model, IMAGES, targets=torch.arange(16) % 5)

    assert found == [("WI12", "biased_off", "7.bias")]


def with_betas(beta):
    model = normed(width=16)
    for layer in model:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.constant_(layer.bias, beta)
    return model


@pytest.mark.parametrize("beta", [-4.0, -2.0])
def test_betas_that_leave_but_a_few_pixels_on(beta):
    images = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(5))

    found = blamed(with_betas(beta), images, targets=torch.arange(32) % 5)

    assert found == [("WI12", "biased_off", "1.bias")]


def test_betas_that_leave_a_third_on_are_a_choice():
    assert blamed(with_betas(-0.5), IMAGES, targets=torch.arange(16) % 5) == []


def test_a_repair_opens_what_a_beta_shut():
    model = normed()
    nn.init.constant_(model[7].bias, -6.0)

    repair = pytorch.repair_(model, IMAGES, targets=torch.arange(16) % 5)

    assert [one.parameter for one in repair.changes] == ["7.bias"]
    assert repair.after.sound


@pytest.mark.parametrize("loud", [False, True])
def test_biases_that_are_most_of_what_layers_give(loud):
    model = plain(depth=8, width=64)
    for layer in model[:-1]:
        if isinstance(layer, nn.Linear) and loud:
            nn.init.normal_(layer.bias, std=6.0)
    nn.init.normal_(model[-1].weight, std=0.1)

    found = blamed(model, VECTORS, targets=torch.arange(64) % 5)

    assert [one[:2] for one in found] == ([("WI07", "loud_biases")] if loud else [])


def test_nothing_at_all_on_a_trunk_is_no_crash():
    class Empty(nn.Module):
        def __init__(self):
            super().__init__()
            self.start = nn.Linear(16, 16)
            self.branches = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))
            self.head = nn.Linear(16, 5)
            nn.init.zeros_(self.start.weight)
            nn.init.zeros_(self.start.bias)

        def forward(self, x):
            x = self.start(x)
            for branch in self.branches:
                x = x + torch.relu(branch(x))
            return self.head(x)

    assert pytorch.check(Empty(), VECTORS).dataset is not None


def test_the_slope_of_a_leaky_relu_counts():
    """He's gain for slope 0 is too large for slope 0.9, in every layer."""
    model = plain(depth=24, width=64, activation=lambda: nn.LeakyReLU(0.9))

    found = blamed(model, VECTORS)

    assert [one[:2] for one in found] == [("WI05", "wrong_gain")]


def he_normal(model):
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


@pytest.mark.parametrize("place", [2, 4])
@pytest.mark.parametrize("loud", [False, True])
def test_of_two_inner_layers_the_loud_one_is_named(place, loud):
    model = he_normal(plain(depth=4, width=64, outputs=4))
    if loud:
        model[place].weight.data.mul_(300)

    found = blamed(model, VECTORS, targets=torch.arange(64) % 4)

    assert found == ([("WI05", "one_layer", f"{place}.weight")] if loud else [])


class Parts(nn.Module):
    """Heads that read a trunk, one of them through a layer of its own."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()
        )
        self.label = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
        self.number = nn.Linear(64, 1)

    def forward(self, x):
        x = self.trunk(x)
        return self.label(x), self.number(x)


@pytest.mark.parametrize("loud", [False, True])
def test_a_loud_head_on_a_trunk_is_named_and_no_layer_beside_it(loud):
    model = Parts()
    if loud:
        nn.init.normal_(model.number.weight, std=30.0)

    found = blamed(model, VECTORS)

    expected = [("WI05", "beyond_any_law", "number.weight")] if loud else []
    assert found == expected


def test_a_chain_hides_no_finding_of_another_layer():
    class Towers(nn.Module):
        def __init__(self):
            super().__init__()
            self.deep = plain(depth=14, init=False)
            self.short = he_normal(plain(depth=2))

        def forward(self, x):
            return self.deep(x), self.short(x)

    model = Towers()
    model.short[0].weight.data.mul_(30)

    found = blamed(model, VECTORS)

    assert [one[1:] for one in found] == [
        ("wrong_gain", "deep.2.weight"),
        ("beyond_any_law", "short.0.weight"),
    ]


@pytest.mark.parametrize(
    "places", [[2], [0, 2, 4, 6, 8]], ids=["one layer", "all layers"]
)
def test_weights_of_one_sign_are_named_whatever_their_variance(places):
    model = plain(depth=5, width=64, inputs=16)
    for place in places:
        weight = model[place].weight.data
        # The second moment that He's law asks for.
        weight.uniform_(0, (6 / weight.shape[1]) ** 0.5)

    (found,) = pytorch.check(model, VECTORS, targets=torch.arange(64) % 5).of(
        "warning", "error"
    )

    assert (found.cause, found.parameter) == ("not_centred", f"{places[0]}.weight")
    assert found.places == tuple(f"{place}.weight" for place in places)
    exec(found.fix, {"finding": found, "model": model})
    mended = pytorch.check(model, VECTORS, targets=torch.arange(64) % 5)
    assert not mended.of("warning", "error")


def test_a_layer_that_averages_is_a_design():
    model = plain(depth=4, width=64)
    weight = model[2].weight.data
    weight.uniform_(0.5, 1.5).div_(weight.shape[1])

    assert not [one for one in blamed(model, VECTORS) if one[1] == "not_centred"]


def test_a_repair_centres_weights():
    model = plain(depth=5, width=64)
    for layer in model[2::2]:
        nn.init.uniform_(layer.weight, 0.0, 0.2)

    repair = pytorch.repair_(model, VECTORS)

    assert repair.after.sound
    assert all(abs(float(layer.weight.detach().mean())) < 1e-6 for layer in model[2::2])


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_factors_drawn_around_zero_as_weights_are(mean):
    model = normed()
    for layer in model:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, mean, 0.02)

    found = blamed(model, IMAGES, targets=torch.arange(16) % 5)

    expected = [] if mean else [("WI17", "gamma_about_zero", "1.weight")]
    assert found == expected


def test_a_loop_that_draws_every_parameter_around_zero_is_no_training():
    model = normed()
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0.0, 0.02)

    found = blamed(model, IMAGES, targets=torch.arange(16) % 5)

    assert ("WI17", "gamma_about_zero", "1.weight") in found


def test_a_factor_of_one_and_a_small_number_is_sound():
    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(torch.randn(32) * 0.02)
            self.body = plain(depth=3, inputs=32)

        def forward(self, x):
            return self.body(functional.layer_norm(x, (32,), 1 + self.factor))

    assert blamed(Shifted(), torch.randn(64, 32)) == []


def test_a_repair_sets_factors_to_one():
    model = normed()
    nn.init.normal_(model[4].weight, 0.0, 0.02)

    repair = pytorch.repair_(model, IMAGES, targets=torch.arange(16) % 5)

    assert [one.parameter for one in repair.changes] == ["4.weight"]
    assert bool((model[4].weight == 1).all())
    assert repair.after.sound


def test_small_factors_of_one_sign_are_a_choice():
    model = plain(depth=2)
    model.insert(1, nn.LayerNorm(32))
    model[1].weight.data.normal_(0.3, 0.01)

    assert not [one for one in blamed(model, VECTORS) if "gamma" in one[1]]


class Projected(nn.Module):
    """A residual block whose last factor is 0 by design, with a projection if wider."""

    def __init__(self, given, made):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Linear(given, made), nn.BatchNorm1d(made), nn.ReLU(),
            nn.Linear(made, made), nn.BatchNorm1d(made),
        )  # fmt: skip
        nn.init.zeros_(self.branch[-1].weight)
        projection = nn.Linear(given, made), nn.BatchNorm1d(made)
        self.skip = nn.Identity() if given == made else nn.Sequential(*projection)

    def forward(self, x):
        return (self.skip(x) + self.branch(x)).relu()


def test_of_factors_of_zero_the_one_on_the_only_way_left_is_named_and_set():
    """Those at the ends of branches get no gradient either, and wait for it."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(16, 24), Projected(24, 24), Projected(24, 32), Projected(32, 32),
        nn.Linear(32, 4),
    )  # fmt: skip
    x, targets = torch.randn(64, 16), torch.arange(64) % 4
    assert blamed(model, x, targets=targets) == []

    nn.init.zeros_(model[2].skip[1].weight)
    repair = pytorch.repair_(model, x, targets=targets)
    (found,) = repair.before.of("warning", "error")
    assert (found.id, found.places) == ("WI17", ("2.skip.1.weight",))
    assert repair.after.sound
    assert not model[1].branch[-1].weight.any()
