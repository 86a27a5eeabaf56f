"""Of several zeros in a row, and of weights and factors: which one is to blame."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

IMAGES = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))
VECTORS = torch.randn(32, 20, generator=torch.Generator().manual_seed(2))
CLASSES = torch.arange(32) % 10


def blamed(model, batch, targets, loss=functional.cross_entropy):
    found = pytorch.check(model, batch, loss=loss, targets=targets)
    return [(one.id, one.parameter) for one in found.of("warning", "error")]


def of_images(model):
    return blamed(model, IMAGES, CLASSES[:16])


class Standardized(nn.Conv2d):
    """A convolution of weights without a mean, times a gain."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.gain = nn.Parameter(torch.ones(self.out_channels, 1, 1, 1))
        nn.init.kaiming_normal_(self.weight, nonlinearity="linear")
        nn.init.zeros_(self.bias)

    def forward(self, x):
        variance, mean = torch.var_mean(self.weight, (1, 2, 3), keepdim=True)
        scale = torch.rsqrt((variance * self.weight[0].numel()).clamp(min=1e-4))
        return self._conv_forward(
            x, (self.weight - mean) * scale * self.gain, self.bias
        )


class NormFree(nn.Module):
    """Residual branches of standardized weights, each times a factor."""

    def __init__(self, blocks=4):
        super().__init__()
        torch.manual_seed(0)
        self.stem = Standardized(3, 16, 3, padding=1)
        self.first = nn.ModuleList(Standardized(16, 16, 1) for _ in range(blocks))
        self.last = nn.ModuleList(Standardized(16, 16, 3, padding=1)
                                  for _ in range(blocks))  # fmt: skip
        self.skips = nn.Parameter(torch.zeros(blocks))
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        for skip, first, last in zip(self.skips, self.first, self.last, strict=True):
            x = x + 0.2 * skip * last(functional.relu(first(functional.relu(x))))
        return self.head(functional.relu(x).mean((2, 3)))


def test_a_gain_of_zeros_is_blamed_and_not_the_weight_that_it_multiplies():
    sound, model = NormFree(), NormFree()
    nn.init.zeros_(model.stem.gain)

    assert of_images(sound) == []
    assert of_images(model) == [("WI03", "stem.gain")]


def test_equal_weights_less_their_mean_are_constant_and_not_zeros():
    model = NormFree()
    nn.init.constant_(model.first[1].weight, 0.1)
    nn.init.ones_(model.skips)

    assert ("WI02", "first.1.weight") in of_images(model)


def test_a_loud_factor_of_all_branches_is_blamed_and_not_what_it_multiplies():
    sound, model = NormFree(), NormFree()
    nn.init.constant_(sound.skips, 1.0)
    nn.init.constant_(model.skips, 100.0)

    found = pytorch.check(
        model, IMAGES, loss=functional.cross_entropy, targets=CLASSES[:16]
    )
    (growth,) = found.of("warning", "error")

    assert of_images(sound) == []
    assert (growth.id, growth.places) == ("WI16", ("skips",))
    exec(growth.fix, {"torch": torch, "model": model, "finding": growth})
    assert of_images(model) == []


class Basic(nn.Module):
    """A block of two convolutions whose last factor starts at zero."""

    def __init__(self, width=16):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        nn.init.zeros_(self.bn2.weight)

    def forward(self, x):
        branch = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(x + branch)


def zero_gamma():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Basic(), Basic(), Basic(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(16, 10),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "check"),
    [("4.conv1.weight", "WI03"), ("4.conv2.weight", "WI03"), ("4.bn1.weight", "WI17")],
)
def test_zeros_before_a_branch_that_ends_in_zeros_by_design_are_blamed(name, check):
    model = zero_gamma()
    nn.init.zeros_(model.get_parameter(name))

    found = pytorch.check(
        model, IMAGES, loss=functional.cross_entropy, targets=CLASSES[:16]
    )

    assert of_images(zero_gamma()) == []
    assert [(one.id, one.places) for one in found.of("warning", "error")] == [
        (check, (name,))
    ]


class Fixup(nn.Module):
    """Branches that end in a weight of zeros, times a factor."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Linear(20, 32)
        self.first = nn.ModuleList(nn.Linear(32, 32) for _ in range(3))
        self.last = nn.ModuleList(nn.Linear(32, 32, bias=False) for _ in range(3))
        self.scales = nn.ParameterList(torch.ones(1) for _ in range(3))
        self.head = nn.Linear(32, 10)
        for layer in self.last:
            nn.init.zeros_(layer.weight)

    def forward(self, x):
        x = functional.relu(self.stem(x))
        for first, last, scale in zip(self.first, self.last, self.scales, strict=True):
            x = functional.relu(x + last(functional.relu(first(x))) * scale)
        return self.head(x)


def test_a_factor_of_zero_behind_weights_of_zeros_is_blamed():
    model = Fixup()
    for scale in model.scales:
        nn.init.zeros_(scale)

    assert blamed(Fixup(), VECTORS, CLASSES) == []
    assert blamed(model, VECTORS, CLASSES) == [("WI03", "scales.0")]


def test_zeros_before_a_factor_of_zero_are_blamed_where_other_factors_are_alone():
    model = Fixup()
    for last in model.last:
        nn.init.kaiming_normal_(last.weight)
    for scale in model.scales:
        nn.init.zeros_(scale)
    sound = blamed(model, VECTORS, CLASSES)
    nn.init.zeros_(model.last[1].weight)

    assert sound == []
    assert blamed(model, VECTORS, CLASSES) == [("WI03", "last.1.weight")]


class Pairs(nn.Module):
    """Cosines of two towers, as CLIP's."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.left = nn.Sequential(nn.Linear(20, 64), nn.ReLU())
        self.right = nn.Sequential(nn.Linear(20, 64), nn.ReLU())
        self.to_left = nn.Linear(64, 32, bias=False)
        self.to_right = nn.Linear(64, 32, bias=False)

    def forward(self, x):
        left = functional.normalize(self.to_left(self.left(x)), dim=-1)
        right = functional.normalize(self.to_right(self.right(x)), dim=-1)
        return 14.0 * left @ right.T


@pytest.mark.parametrize(("value", "check"), [(0.0, "WI03"), (0.1, "WI02")])
@pytest.mark.parametrize("name", ["to_left.weight", "to_right.weight"])
def test_projections_without_a_direction_before_cosines_are_blamed(name, value, check):
    model = Pairs()
    nn.init.constant_(model.get_parameter(name), value)

    assert blamed(Pairs(), VECTORS, torch.arange(32)) == []
    assert blamed(model, VECTORS, torch.arange(32)) == [(check, name)]


class Experts(nn.Module):
    """A mixture of layers by a softmax, for two tasks."""

    def __init__(self, bias=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.experts = nn.ModuleList(nn.Linear(20, 32) for _ in range(3))
        self.gates = nn.ModuleList(nn.Linear(20, 3) for _ in range(2))
        self.heads = nn.ModuleList(nn.Linear(32, 5) for _ in range(2))
        for expert in self.experts:
            nn.init.constant_(expert.bias, bias)

    def forward(self, x):
        made = torch.stack([functional.relu(expert(x)) for expert in self.experts], 1)
        return torch.cat([
            head((gate(x).softmax(-1)[..., None] * made).sum(1))
            for gate, head in zip(self.gates, self.heads, strict=True)
        ], 1)  # fmt: skip


def test_biases_that_keep_all_experts_off_are_blamed():
    found = pytorch.check(
        Experts(bias=-9.0), VECTORS, loss=functional.cross_entropy, targets=CLASSES
    )

    (off,) = found.of("warning", "error")
    assert blamed(Experts(), VECTORS, CLASSES) == []
    assert off.id == "WI12"
    assert off.places == tuple(f"experts.{n}.bias" for n in range(3))


class Turned(nn.Module):
    """Points that are turned first by what a layer makes of them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.points = nn.Sequential(nn.Conv1d(3, 32, 1), nn.BatchNorm1d(32), nn.ReLU())
        self.turn = nn.Linear(32, 9)
        self.layers = nn.Sequential(nn.Conv1d(3, 32, 1), nn.BatchNorm1d(32), nn.ReLU())
        self.head = nn.Linear(32, 4)
        nn.init.zeros_(self.turn.weight)
        with torch.no_grad():
            self.turn.bias.copy_(torch.eye(3).flatten())

    def forward(self, x):
        turn = self.turn(self.points(x).amax(2)).view(-1, 3, 3)
        return self.head(self.layers(torch.bmm(turn, x)).amax(2))


def test_a_turn_by_zeros_is_blamed_where_an_identity_is_not():
    points, labels = torch.randn(32, 3, 24), torch.arange(32) % 4
    model = Turned()
    nn.init.zeros_(model.turn.bias)

    assert blamed(Turned(), points, labels) == []
    assert blamed(model, points, labels) == [("WI03", "turn.weight")]


class Waves(nn.Module):
    """Dilated convolutions whose one half is the gate of the other."""

    def __init__(self, bias=0.0, width=16):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv1d(4, width, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, 2 * width, 2, dilation=2**n) for n in range(4)
        )
        self.ends = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(4))
        self.head = nn.Linear(width, 10)
        for layer in self.layers:
            nn.init.constant_(layer.bias[width:], bias)

    def forward(self, x):
        x, total = self.stem(x), 0
        for number, (layer, end) in enumerate(zip(self.layers, self.ends, strict=True)):
            value, gate = layer(functional.pad(x, (2**number, 0))).chunk(2, 1)
            made = end(value.tanh() * gate.sigmoid())
            x, total = x + made, total + made
        return self.head(functional.relu(total).mean(2))


def test_gates_that_are_shut_are_found_whatever_the_number_of_steps():
    steps = torch.randn(32, 4, 32)  # as many as a layer has units

    assert blamed(Waves(), steps, CLASSES) == []
    assert blamed(Waves(bias=-12.0), steps, CLASSES) == [("WI13", "layers.0.bias")]


class NormedGates(nn.Module):
    """A cell whose gates are normalized together."""

    def __init__(self, beta=0.0, width=24):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Linear(5, width)
        self.gates = nn.Linear(2 * width, 3 * width, bias=False)
        self.norm = nn.LayerNorm(3 * width)
        self.head = nn.Linear(width, 10)
        nn.init.constant_(self.norm.bias, beta)

    def forward(self, steps):
        x = torch.relu(self.stem(steps))
        h = torch.zeros_like(x[:, 0])
        for t in range(x.shape[1]):
            given = torch.cat([h, x[:, t]], 1)
            reset, new, update = self.norm(self.gates(given)).chunk(3, 1)
            update = torch.sigmoid(update - 1)
            new = torch.tanh(torch.sigmoid(reset) * new)
            h = update * new + (1 - update) * h
        return self.head(h)


@pytest.mark.parametrize("beta", [12.0, -12.0])
def test_what_a_norm_adds_to_gates_is_blamed_and_no_weight_before_it(beta):
    steps = torch.randn(32, 8, 5)

    assert blamed(NormedGates(), steps, CLASSES) == []
    assert blamed(NormedGates(beta / 2), steps, CLASSES) == []  # gates held open
    assert blamed(NormedGates(beta), steps, CLASSES) == [("WI13", "norm.bias")]
