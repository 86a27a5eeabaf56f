"""First layers, tables and biases that start far too quiet or loud, and zeros."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch

VECTORS = torch.randn(32, 16, generator=torch.Generator().manual_seed(1))
IMAGES = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(2))
WORDS = torch.randint(0, 40, (16, 12), generator=torch.Generator().manual_seed(3))
CLASSES = torch.arange(32) % 4


def blamed(model, batch, targets, loss=functional.cross_entropy):
    found = pytorch.check(model, batch, loss=loss, targets=targets)
    return [(one.id, one.cause, one.parameter) for one in found.of("warning", "error")]


def is_mended(model, batch, targets, loss=functional.cross_entropy):
    repair = pytorch.repair_(model, batch, loss=loss, targets=targets)
    return repair.after.sound and not repair.unrepaired


def scaled(model, name, factor):
    with torch.no_grad():
        model.get_parameter(name).mul_(factor)
    return model


def tanh_network():
    layers = [nn.Linear(16, 48), *(nn.Linear(48, 48) for _ in range(4))]
    for layer in layers:
        nn.init.xavier_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    parts = [part for layer in layers for part in (layer, nn.Tanh())]
    return nn.Sequential(*parts, nn.Linear(48, 4))


def test_a_first_layer_next_to_nothing():
    model = tanh_network()

    assert blamed(model, VECTORS, CLASSES) == []
    faulty = [("WI05", "next_to_nothing", "0.weight")]
    assert blamed(scaled(model, "0.weight", 1e-3), VECTORS, CLASSES) == faulty
    assert is_mended(model, VECTORS, CLASSES)


def test_a_first_layer_that_makes_large_inputs_small():
    model = scaled(tanh_network(), "0.weight", 1e-3)

    assert blamed(model, 1e3 * VECTORS, CLASSES) == []


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.BatchNorm2d(24), nn.ReLU(), nn.Conv2d(24, 24, 3, padding=1)
        )

    def forward(self, x):
        return x + self.net(x)


def before_norms():
    return nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1), Block(), Block(), nn.BatchNorm2d(24),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4),
    )  # fmt: skip


def test_a_signal_that_a_norms_epsilon_drowns_beside_a_bias():
    model = before_norms()

    assert blamed(model, IMAGES, CLASSES[:16]) == []
    scaled(model, "0.weight", 1e-4)
    assert blamed(model, IMAGES, CLASSES[:16]) == [("WI05", "quiet_beside", "0.weight")]


@pytest.mark.parametrize("factor", [1.0, 1e-4])
@pytest.mark.parametrize("std", [0.2, 0.02])
def test_a_layer_under_the_epsilon_of_its_norm(factor, std):
    """Also where all are quiet, as a DCGAN's are."""
    layers = []
    for inputs in (16, 32, 32, 32):
        layers += [nn.Linear(inputs, 32, bias=False), nn.BatchNorm1d(32), nn.ReLU()]
        nn.init.normal_(layers[-3].weight, std=std)
    model = scaled(nn.Sequential(*layers, nn.Linear(32, 4)), "3.weight", factor)

    faulty = [("WI05", "next_to_nothing", "3.weight")]
    assert blamed(model, VECTORS, CLASSES) == (faulty if factor < 1 else [])


class Convolves(nn.Module):
    """Sums over neighbours, by edges that are normalized by hand."""

    def __init__(self, gain):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))
        self.head = nn.Linear(16, 4)
        for layer in self.layers:
            nn.init.xavier_uniform_(layer.weight, gain)
            nn.init.zeros_(layer.bias)

    def forward(self, x, edges):
        root = edges.sum(-1, keepdim=True).rsqrt()
        edges = root * edges * root.transpose(0, 1)
        for layer in self.layers:
            x = torch.relu(edges @ layer(x))
        return self.head(x)


def test_a_network_over_a_graph_that_fades():
    drawn = torch.rand(32, 32, generator=torch.Generator().manual_seed(4))
    given = VECTORS, ((drawn < 0.1).float() + torch.eye(32)).clamp(max=1)

    assert blamed(Convolves(math.sqrt(2)), given, CLASSES) == []
    ((check, cause, name),) = blamed(Convolves(0.05), given, CLASSES)
    assert (check, cause, name) == ("WI05", "faded", "layers.0.weight")


class Reads(nn.Module):
    """Words, and sines of their places that are no parameter."""

    def __init__(self, std, places):
        super().__init__()
        self.words, self.head = nn.Embedding(40, 32), nn.Linear(32, 40)
        layer = nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        nn.init.normal_(self.words.weight, std=std)
        angles = torch.arange(12)[:, None] / 100 ** (torch.arange(16) / 16)
        self.register_buffer(
            "places", places * torch.cat([angles.sin(), angles.cos()], dim=1)
        )

    def forward(self, words):
        return self.head(self.body(self.words(words) + self.places))


def next_word(outputs, targets):
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())


@pytest.mark.parametrize(("std", "places"), [(1.0, 1.0), (1e-4, 1.0), (1.0, 100.0)])
def test_words_beside_places_that_are_no_parameter(std, places):
    found = blamed(Reads(std, places), WORDS, WORDS.roll(1, 1), next_word)

    sound = std == places == 1
    assert found == ([] if sound else [("WI05", "quiet_beside", "words.weight")])


def test_the_same_bias_in_all_units_is_loud_above():
    model = tanh_network()
    for layer in model:
        if isinstance(layer, nn.Tanh):
            continue
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    model = nn.Sequential(
        *(nn.ReLU() if isinstance(part, nn.Tanh) else part for part in model)
    )
    nn.init.constant_(model[2].bias, 9.0)

    found = blamed(model, VECTORS, CLASSES)

    assert [(check, name) for check, _, name in found] == [("WI07", "2.bias")]
    assert is_mended(model, VECTORS, CLASSES)


def test_equal_columns_make_a_weight_of_rank_one():
    model = tanh_network()
    with torch.no_grad():
        model[2].weight.copy_(model[2].weight[:, :1].expand(-1, 48))

    assert ("WI02", "parallel_units", "2.weight") in blamed(model, VECTORS, CLASSES)


def test_queries_and_keys_across_two_sequences_that_are_zeros():
    model = nn.TransformerDecoderLayer(16, 2, 32, 0.0, batch_first=True)
    given = torch.randn(8, 5, 16), torch.randn(8, 6, 16)
    goal = torch.randn(8, 5, 16)

    assert blamed(model, given, goal, functional.mse_loss) == []
    scaled(model, "multihead_attn.in_proj_weight", 0.0)
    faulty = [("WI03", "zero_queries", "multihead_attn.in_proj_weight")]
    assert blamed(model, given, goal, functional.mse_loss) == faulty


def test_factors_of_zero_at_the_start_of_branches():
    model = before_norms()
    for block in (model[1], model[2]):
        nn.init.zeros_(block.net[0].weight)

    faulty = [("WI17", "gamma_zero", "1.net.0.weight")]
    assert blamed(model, IMAGES, CLASSES[:16]) == faulty
    assert is_mended(model, IMAGES, CLASSES[:16])


class Pairs(nn.Module):
    """What a predictor makes of one view, compared by its direction with another."""

    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))
        self.other = nn.Linear(16, 16)

    def forward(self, x):
        return functional.cosine_similarity(self.online(x), self.other(x), dim=1)


def test_a_loud_bias_before_a_cosine():
    def apart(cosines, _):
        return 1 - cosines.mean()

    model, targets = Pairs(), torch.zeros(32)
    assert blamed(model, VECTORS, targets, apart) == []

    nn.init.normal_(model.online[2].bias, std=60.0)
    faulty = [("WI07", "bias_drowns", "online.2.bias")]
    assert blamed(model, VECTORS, targets, apart) == faulty


def test_a_cosine_is_the_models_own():
    model, seen = Pairs(), []
    expected = model(VECTORS)

    def loss(cosines, _):
        seen.append(cosines.detach())
        return cosines.mean()

    pytorch.check(model, VECTORS, loss=loss, targets=torch.zeros(32))

    torch.testing.assert_close(seen[0], expected.detach())


class Neighbours(nn.Module):
    """Graph attention by hand: vectors of its own make the logits."""

    def __init__(self, size):
        super().__init__()
        self.layer, self.head = nn.Linear(16, 16), nn.Linear(16, 4)
        self.left = nn.Parameter(size * torch.randn(16) / 4)
        self.right = nn.Parameter(size * torch.randn(16) / 4)

    def forward(self, x):
        h = self.layer(x)
        sums = (h * self.left).sum(-1)[:, None] + (h * self.right).sum(-1)[None]
        return self.head(functional.leaky_relu(sums, 0.2).softmax(-1) @ h)


@pytest.mark.parametrize("size", [1.0, 100.0])
def test_vectors_that_make_a_graphs_attention_sharp(size):
    found = pytorch.check(Neighbours(size), VECTORS, targets=CLASSES)

    sharp = [one.places for one in found.findings if one.cause == "sharp_choice"]
    assert sharp == ([("left", "right")] if size > 1 else [])


class MakesWeights(nn.Module):
    """A network that makes a layer's weights, drawn for these (Chang et al., 2020)."""

    def __init__(self):
        super().__init__()
        self.table, self.maker = nn.Embedding(5, 8), nn.Linear(8, 16 * 16 + 16)
        self.head = nn.Linear(16, 4)
        nn.init.normal_(self.maker.weight, std=1 / math.sqrt(8 * 16))
        nn.init.zeros_(self.maker.bias)

    def forward(self, x, task):
        made = self.maker(self.table(task))
        weight, bias = made[:, :256].view(-1, 16, 16), made[:, 256:]
        return self.head(torch.relu(torch.bmm(weight, x[..., None])[..., 0] + bias))


def test_what_makes_weights_is_as_quiet_as_they_are_to_be():
    assert blamed(MakesWeights(), (VECTORS, torch.arange(32) % 5), CLASSES) == []


@pytest.mark.parametrize(("inputs", "parallel"), [(1, False), (3, False), (4, True)])
def test_directions_of_few_inputs_are_alike_by_chance_only_below_four(inputs, parallel):
    model = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 4))
    if inputs > 1:
        with torch.no_grad():
            along = torch.randn(64, 1)
            model[0].weight.copy_(along * torch.randn(1, inputs))

    found = blamed(model, VECTORS[:, :inputs], CLASSES)

    faulty = [("WI02", "parallel_units", "0.weight")]
    assert found == (faulty if parallel else [])


def pre_norm():
    return nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True, norm_first=True)


def test_factors_of_zero_before_an_attention_slow_a_branch_down():
    model = pre_norm()
    given = torch.randn(8, 5, 16), torch.randn(8, 5, 16)
    assert blamed(model, *given, functional.mse_loss) == []

    nn.init.zeros_(model.norm1.weight)
    found = pytorch.check(model, given[0], loss=functional.mse_loss, targets=given[1])

    (zero,) = found.of("warning", "error")
    assert (zero.severity, zero.cause, zero.parameter) == (
        "warning", "gamma_zero", "norm1.weight",
    )  # fmt: skip


def selu_network():
    layers = [nn.Linear(16, 48), *(nn.Linear(48, 48) for _ in range(4))]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        nn.init.zeros_(layer.bias)
    parts = [part for layer in layers for part in (layer, nn.SELU())]
    return nn.Sequential(*parts, nn.Linear(48, 1))


@pytest.mark.parametrize(("bias", "sound"), [(3.0, True), (8.0, False)])
def test_the_same_bias_in_all_units_drowns_sooner_than_drawn_ones(bias, sound):
    model, goal = selu_network(), torch.randn(32, 1)
    nn.init.constant_(model[2].bias, bias)
    drawn = selu_network()
    nn.init.normal_(drawn[2].bias, std=bias)

    faulty = [("WI07", "bias_drowns", "2.bias")]
    found = blamed(model, VECTORS, goal, functional.mse_loss)
    assert found == ([] if sound else faulty)
    assert blamed(drawn, VECTORS, goal, functional.mse_loss) == []


def test_a_bias_that_makes_logits_sure_is_blamed_and_not_the_head():
    layers = [nn.Linear(16, 48), nn.Linear(48, 48)]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    parts = [part for layer in layers for part in (layer, nn.ReLU())]
    model = nn.Sequential(*parts, nn.Linear(48, 10))
    nn.init.kaiming_normal_(model[4].weight)
    nn.init.constant_(model[2].bias, 8.0)

    # Less than five times as loud as what it is added to.
    (found,) = blamed(model, 2 * VECTORS, torch.arange(32) % 10)

    assert found == ("WI07", "bias_drowns", "2.bias")


class Attends(nn.Module):
    """Attention by hand, of one packed projection, with distances taken off."""

    def __init__(self, slope=0.0, zero=""):
        super().__init__()
        self.slope = slope
        self.query, self.key, self.value = (nn.Linear(12, 12) for _ in range(3))
        self.packed = nn.Linear(12, 36)
        self.out = nn.Linear(12, 4)
        if zero:
            nn.init.zeros_(self.get_submodule(zero).weight)
            nn.init.zeros_(self.get_submodule(zero).bias)

    def forward(self, x):
        if self.slope:
            query, key, value = self.packed(x).chunk(3, dim=-1)
        else:
            query, key, value = self.query(x), self.key(x), self.value(x)
        places = torch.arange(x.shape[1], dtype=x.dtype)
        away = (places[:, None] - places).abs()
        logits = query @ key.transpose(-1, -2) / 12**0.5 - self.slope * away
        return self.out((logits.softmax(-1) @ value).mean(1))


SERIES = torch.randn(32, 9, 12, generator=torch.Generator().manual_seed(5))


def test_distances_that_logits_lose_are_no_loud_constant():
    reading = capture.read(Attends(slope=8.0), SERIES)

    assert "beside_constant" not in reading.measures


def test_queries_of_zero_learn_from_keys_that_are_drawn():
    assert "zero_queries" not in {
        cause for _, cause, _ in blamed(Attends(zero="query"), SERIES, CLASSES)
    }


@pytest.mark.parametrize(("first", "second", "axis"), [
    ((4, 1, 8), (5, 8), 2), ((4, 8), (4, 8), 1), ((8, 4), (8, 4), 0), ((8,), (8,), -1),
])  # fmt: skip
def test_cosines_along_any_axis_are_torchs(first, second, axis):
    class Compares(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, a, b):
            return functional.cosine_similarity(self.scale * a, b, dim=axis)

    given, seen = (torch.randn(first), torch.randn(second)), []

    def loss(cosines, _):
        seen.append(cosines.detach())
        return cosines.mean()

    pytorch.check(Compares(), given, loss=loss, targets=torch.zeros(1))

    expected = functional.cosine_similarity(*given, dim=axis)
    torch.testing.assert_close(seen[0], expected)


class Squeezes(nn.Module):
    """A block whose branch ends in a norm and, behind it, a gate of each channel."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(24, 24, 3, padding=1), nn.BatchNorm2d(24)
        self.down, self.up = nn.Linear(24, 6), nn.Linear(6, 24)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x):
        h = self.norm(self.conv(x))
        gates = self.up(torch.relu(self.down(h.mean((2, 3))))).sigmoid()
        return torch.relu(x + h * gates[..., None, None])


def test_a_factor_of_zero_before_a_gate_ends_a_branch_by_design():
    model = nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1), Squeezes(), Squeezes(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4),
    )  # fmt: skip

    assert blamed(model, IMAGES, CLASSES[:16]) == []
