"""What users write by hand: biases that are added, betas, gates of their own cells."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch

ROWS = 64
VECTORS = torch.randn(ROWS, 16, generator=torch.Generator().manual_seed(1))
SERIES = torch.randn(16, 12, 6, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(ROWS) % 4


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def blamed(model, batch=VECTORS, **more):
    """Causes with their parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


def is_mended(model, batch=VECTORS, **more):
    repair = pytorch.repair_(model, batch, **more)
    return not repair.unrepaired and not blamed(model, batch, **more)


class Raw(nn.Module):
    """Weights and biases without a layer of PyTorch's."""

    def __init__(self, biases=0.0):
        super().__init__()
        sizes = [16, *[48] * 5, 4]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for place, (size, units) in enumerate(pairwise(sizes)):
            weight = drawn(size, units, seed=place) * (2 / size) ** 0.5
            self.weights.append(nn.Parameter(weight))
            bias = biases * drawn(units, seed=50 + place)
            self.biases.append(nn.Parameter(bias))

    def forward(self, x):
        for number, (weight, bias) in enumerate(
            zip(self.weights, self.biases, strict=True)
        ):
            x = x @ weight + bias
            x = torch.relu(x) if number < 5 else x
        return x


def test_what_is_added_to_all_units_is_a_bias():
    uses = capture.read(Raw(), VECTORS).uses

    assert [use.bias for use in uses] == [f"biases.{n}" for n in range(6)]
    assert blamed(Raw()) == []


def test_a_bias_by_hand_that_shuts_a_layer():
    def shut():
        model = Raw()
        nn.init.constant_(model.biases[3], -10.0)
        return model

    assert blamed(shut()) == [("WI12", "biased_off", "biases.3")]
    assert is_mended(shut())


def test_biases_by_hand_that_are_most_of_what_layers_give():
    assert blamed(Raw(8.0)) == [("WI07", "loud_biases", "biases.0")]


def test_a_bias_of_one_class_is_named_and_not_the_head():
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    given = {"targets": LABELS, "loss": functional.cross_entropy}
    with torch.no_grad():
        model[2].bias[0] = 25.0

    assert blamed(model, **given) == [("WI14", "biased_choice", "2.bias")]
    assert is_mended(model, **given)


class Normed(nn.Module):
    """Normalizations by hand."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList(nn.Linear(16 if n == 0 else 32, 32)
                                    for n in range(4))  # fmt: skip
        self.gamma = nn.ParameterList(nn.Parameter(torch.ones(32)) for _ in range(4))
        self.beta = nn.ParameterList(nn.Parameter(torch.zeros(32)) for _ in range(4))
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        for layer, gamma, beta in zip(self.layers, self.gamma, self.beta, strict=True):
            x = layer(x)
            x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-5).sqrt()
            x = torch.relu(gamma * x + beta)
        return self.head(x)


def test_a_beta_by_hand_that_shuts_a_layer():
    def shut():
        model = Normed()
        nn.init.constant_(model.beta[2], -8.0)
        return model

    assert blamed(Normed()) == []
    assert blamed(shut()) == [("WI12", "biased_off", "beta.2")]
    assert is_mended(shut())


def test_betas_that_drown_what_is_normalized():
    model = Normed()
    for number, beta in enumerate(model.beta):
        beta.data = 60 * drawn(32, seed=number)

    (found,) = blamed(model, targets=LABELS, loss=functional.cross_entropy)
    assert found == ("WI07", "bias_drowns", "beta.0")


@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.BatchNorm1d])
def test_a_bias_that_drowns_a_signal_but_before_a_batch_normalization(norm):
    def network(loud):
        torch.manual_seed(0)
        layers = nn.Linear(16, 32), norm(32), nn.ReLU(), nn.Linear(32, 4)
        model = nn.Sequential(*layers)
        model[0].bias.data = loud * drawn(32)
        return model

    found = blamed(network(100.0))
    assert blamed(network(0.3)) == []
    if norm is nn.BatchNorm1d:
        assert found == []
    else:
        assert found == [("WI07", "bias_drowns", "0.bias")]
        assert is_mended(network(100.0))


class PackedGRU(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.given, self.kept = nn.Linear(6, 96), nn.Linear(32, 96, bias=False)
        nn.init.orthogonal_(self.kept.weight)
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        h = x.new_zeros(len(x), 32)
        for step in x.unbind(1):
            a, b = self.given(step), self.kept(h)
            reset = torch.sigmoid(a[:, :32] + b[:, :32])
            keep = torch.sigmoid(a[:, 32:64] + b[:, 32:64])
            new = torch.tanh(a[:, 64:] + reset * b[:, 64:])
            h = (1 - keep) * new + keep * h
        return self.head(h)


class PackedLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.given = nn.Parameter(drawn(128, 6) / 6**0.5)
        self.kept = nn.Parameter(
            torch.cat([nn.init.orthogonal_(torch.empty(32, 32)) for _ in range(4)])
        )
        self.bias = nn.Parameter(torch.zeros(128))
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        h = c = x.new_zeros(len(x), 32)
        for step in x.unbind(1):
            gates = functional.linear(step, self.given)
            gates = gates + functional.linear(h, self.kept) + self.bias
            write, keep, new, read = gates.chunk(4, 1)
            c = torch.sigmoid(keep) * c + torch.sigmoid(write) * torch.tanh(new)
            h = torch.sigmoid(read) * torch.tanh(c)
        return self.head(h)


class GatesApart(nn.Module):
    """A GRU with a layer for each gate."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.given = nn.ModuleList(nn.Linear(6, 32) for _ in range(3))
        self.kept = nn.ModuleList(nn.Linear(32, 32, bias=False) for _ in range(3))
        for layer in self.kept:
            nn.init.orthogonal_(layer.weight)
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        h = x.new_zeros(len(x), 32)
        for step in x.unbind(1):
            keep = torch.sigmoid(self.given[0](step) + self.kept[0](h))
            reset = torch.sigmoid(self.given[1](step) + self.kept[1](h))
            new = torch.tanh(self.given[2](step) + self.kept[2](reset * h))
            h = (1 - keep) * new + keep * h
        return self.head(h)


@pytest.mark.parametrize("cell", [PackedGRU, PackedLSTM, GatesApart])
def test_cells_by_hand_are_sound(cell):
    assert blamed(cell(), SERIES) == []


@pytest.mark.parametrize(
    ("cell", "name"),
    [(PackedGRU, "kept.weight"), (PackedLSTM, "kept"), (GatesApart, "kept.2.weight")],
)
def test_recurrent_weights_of_cells_by_hand(cell, name):
    def loud():
        model = cell()
        model.get_parameter(name).data *= 15
        return model

    assert ("WI19", "spectral_radius", name) in blamed(loud(), SERIES)
    assert is_mended(loud(), SERIES)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (PackedGRU, "given.weight"),
        (PackedLSTM, "given"),
        (GatesApart, "given.0.weight"),
    ],
)
def test_of_what_is_added_before_a_gate_the_loudest_is_named(cell, name):
    model = cell()
    model.get_parameter(name).data *= 80

    assert ("WI13", "saturated", name) in blamed(model, SERIES)


@pytest.mark.parametrize(
    ("cell", "name", "units"),
    [
        (PackedGRU, "given.bias", slice(32, 64)),
        (PackedLSTM, "bias", slice(0, 32)),
        (GatesApart, "given.0.bias", slice(0, 32)),
    ],
)
def test_a_bias_that_shuts_a_gate_is_named_and_not_a_weight(cell, name, units):
    def shut():
        model = cell()
        model.get_parameter(name).data[units] = -14.0
        return model

    assert ("WI13", "saturated_by_bias", name) in blamed(shut(), SERIES)
    assert is_mended(shut(), SERIES)

    model = shut()
    pytorch.repair_(model, SERIES)
    bias, sound = model.get_parameter(name), cell().get_parameter(name)
    others = torch.ones(len(bias), dtype=torch.bool)
    others[units] = False
    assert torch.equal(bias[others], sound[others])  # of the other gates


class Reads(nn.Module):
    def __init__(self, kind):
        super().__init__()
        torch.manual_seed(0)
        self.cell, self.head = kind(6, 32, batch_first=True), nn.Linear(32, 4)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU])
def test_recurrent_biases_that_saturate(kind):
    def loud():
        model = Reads(kind)
        model.cell.bias_ih_l0.data = 20 * drawn(*model.cell.bias_ih_l0.shape)
        return model

    assert blamed(loud(), SERIES) == [
        ("WI13", "saturated_gates_by_bias", "cell.bias_ih_l0")
    ]
    assert is_mended(loud(), SERIES)


def test_inputs_of_a_recurrent_layer_that_weigh_nothing():
    model = Reads(nn.LSTM)
    nn.init.zeros_(model.cell.weight_ih_l0)

    # They learn, if late: with other layers' help some do.
    assert blamed(model, SERIES, targets=LABELS[:16]) == [
        ("WI03", "zero_weight_on_trunk", "cell.weight_ih_l0")
    ]


def test_rows_too_large_to_square_are_no_copies():
    model = Raw()
    model.weights[2].data *= 1e22

    assert "WI02" not in [one[0] for one in blamed(model)]


@pytest.mark.parametrize("factor", [60.0, 200.0])
def test_a_loud_factor_before_the_head_is_named_and_not_the_head(factor):
    def loud():
        torch.manual_seed(0)
        layers = nn.Linear(16, 32), nn.ReLU(), nn.LayerNorm(32), nn.Linear(32, 4)
        model = nn.Sequential(*layers)
        nn.init.constant_(model[2].weight, factor)
        return model

    given = {"targets": LABELS, "loss": functional.cross_entropy}
    assert blamed(loud(), **given) == [("WI14", "over_confident", "2.weight")]
    assert is_mended(loud(), **given)


def test_a_loud_factor_at_the_end_of_branches_is_named_and_set():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.norm = nn.Linear(32, 32), nn.BatchNorm1d(32)
            nn.init.constant_(self.norm.weight, 200.0)

        def forward(self, x):
            return x + self.norm(self.inner(torch.relu(x)))

    def network():
        torch.manual_seed(0)
        blocks = [Block() for _ in range(3)]
        return nn.Sequential(nn.Linear(16, 32), *blocks, nn.Linear(32, 4))

    assert ("WI16", "residual_growth", "1.norm.weight") in blamed(network())
    assert is_mended(network())


class Words(nn.Module):
    def __init__(self, words, positions):
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(23, 32)
        self.words.weight.data *= words
        self.positions = nn.Parameter(positions * drawn(12, 32))
        layer = nn.TransformerEncoderLayer(
            32, 4, 64, 0.0, batch_first=True, norm_first=True
        )
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 23)

    def forward(self, words):
        return self.head(self.body(self.words(words) + self.positions))


TOKENS = torch.arange(24 * 12).reshape(24, 12) * 7 % 23


@pytest.mark.parametrize(
    ("words", "positions", "cause", "name"),
    [
        (1.0, 40.0, "drowns_a_signal", "positions"),
        (1e-4, 0.2, "quiet_beside", "words.weight"),
    ],
)
def test_of_words_and_positions_what_is_off_is_named(words, positions, cause, name):
    assert blamed(Words(1.0, 0.2), TOKENS) == []
    assert blamed(Words(words, positions), TOKENS) == [("WI05", cause, name)]

    model = Words(words, positions)
    other = ({"words.weight", "positions"} - {name}).pop()
    kept = model.get_parameter(other).detach().clone()
    assert is_mended(model, TOKENS)
    assert torch.equal(model.get_parameter(other), kept)


def test_a_fix_line_of_a_vector_runs():
    model = nn.Sequential(nn.Linear(16, 8), nn.LayerNorm(8), nn.Linear(8, 2))
    for name in ("0.bias", "1.weight", "2.weight"):
        model.get_parameter(name).data.flatten()[0] = torch.nan

    found = pytorch.check(model, VECTORS).of("error")
    for one in found:
        exec(one.fix, {"model": model, "torch": torch})
    assert {one.cause for one in found} == {"nonfinite_parameter"}
    assert blamed(model) == []


class Sines(nn.Module):
    """A sinusoidal network (Sitzmann et al., 2020)."""

    def __init__(self, hidden):
        super().__init__()
        torch.manual_seed(0)
        sizes = [2, 48, 48, 48]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.head = nn.Linear(48, 1)
        nn.init.uniform_(self.layers[0].weight, -0.5, 0.5)
        for layer in self.layers[1:]:
            bound = (6 / 48) ** 0.5 / hidden
            nn.init.uniform_(layer.weight, -bound, bound)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sin(30 * layer(x))
        return self.head(x)


def test_sines_whose_factor_was_forgotten_in_the_weights():
    places = torch.rand(64, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1

    assert blamed(Sines(30.0), places) == []
    assert blamed(Sines(1.0), places) == [("WI05", "wraps_around", "layers.1.weight")]
    assert is_mended(Sines(1.0), places)


@pytest.mark.parametrize(
    ("size", "found"), [(1.0, []), (50.0, [("WI05", "loud_table", "words.weight")])]
)
def test_a_table_that_no_scheme_makes_as_large(size, found):
    assert blamed(Words(size, 0.2), TOKENS) == found
    assert not found or is_mended(Words(size, 0.2), TOKENS)


@pytest.mark.parametrize("dim", [-1, 1])
def test_the_gate_of_a_gated_linear_unit(dim):
    def network():
        torch.manual_seed(0)
        layers = []
        for inputs in (16, 32, 32, 32):
            layer = nn.Linear(inputs, 64)
            nn.init.normal_(layer.weight, std=(4 / inputs) ** 0.5)
            layers += [layer, nn.GLU(dim)]
        return nn.Sequential(*layers, nn.Linear(32, 4))

    def shut():
        model = network()
        nn.init.constant_(model[2].bias[32:], -14.0)
        return model

    assert blamed(network()) == []
    assert blamed(shut()) == [("WI13", "saturated_by_bias", "2.bias")]
    assert is_mended(shut())


class Residual(nn.Module):
    """A residual block whose sum is bent behind its normalizations."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(32, 32), nn.Linear(32, 32)
        self.norms = nn.ModuleList(nn.BatchNorm1d(32) for _ in range(2))

    def forward(self, x):
        inner = torch.relu(self.norms[0](self.first(x)))
        return torch.relu(x + self.norms[1](self.second(inner)))


def test_every_beta_that_shuts_units_is_one_finding():
    def shut():
        torch.manual_seed(0)
        stem = nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU()
        model = nn.Sequential(*stem, Residual(), Residual(), nn.Linear(32, 4))
        for name, parameter in model.named_parameters():
            if ("norms" in name and name.endswith("bias")) or name == "1.bias":
                nn.init.constant_(parameter, -6.0)
        return model

    (found,) = pytorch.check(shut(), VECTORS).of("warning", "error")
    assert (found.id, found.cause, found.parameter) == ("WI12", "biased_off", "1.bias")
    assert len(found.places) == 5
    assert is_mended(shut())


class Pushes(nn.Module):
    """Points that push each other along a quiet layer's numbers, as in EGNN."""

    def __init__(self, gain):
        super().__init__()
        torch.manual_seed(0)
        sizes = [16, 32, 32, 32]
        layers = [(nn.Linear(a, b), nn.SiLU()) for a, b in pairwise(sizes)]
        self.body = nn.Sequential(*(one for pair in layers for one in pair))
        self.end = nn.Linear(32, 16, bias=False)
        nn.init.xavier_uniform_(self.end.weight, gain=gain)

    def forward(self, x):
        return x + self.end(self.body(x))


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.001])
def test_the_end_of_a_branch_beside_a_free_skip_may_be_quiet(gain):
    assert blamed(Pushes(gain)) == []


@pytest.mark.parametrize("factor", [1.0, 1e-2])
def test_a_factor_at_the_end_of_a_branch_may_be_next_to_nothing(factor):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.norm = nn.Linear(32, 32), nn.BatchNorm1d(32)
            nn.init.constant_(self.norm.weight, factor)

        def forward(self, x):
            return x + self.norm(self.inner(torch.relu(x)))

    torch.manual_seed(0)
    blocks = [Block() for _ in range(3)]
    model = nn.Sequential(nn.Linear(16, 32), *blocks, nn.Linear(32, 4))

    assert blamed(model) == []
