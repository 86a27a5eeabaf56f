"""Networks of few layers that start too quiet, and what small numbers are no fault."""

import math
from itertools import pairwise

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


def mlp(hidden, std=None, activation=nn.ReLU, factor=1.0, seed=0):
    """Return a classifier with `hidden` layers, of one std or of a factor of He's."""
    torch.manual_seed(seed)
    widths = [20, *[64] * hidden, 10]
    layers = []
    for fan_in, fan_out in pairwise(widths):
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
        for sizes in pairwise(widths)
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


@pytest.mark.parametrize(("std", "severity"), [(0.01, "warning"), (1e-4, "error")])
def test_a_short_network_is_late_before_it_is_lost(std, severity):
    found = pytorch.check(mlp(3, std=std), VECTORS).of("warning", "error")

    (chain,) = [one for one in found if one.cause == "wrong_gain"]
    assert chain.severity == severity


class WideAndDeep(nn.Module):
    """Outputs of a linear part, to which those of deeper parts are added."""

    def __init__(self, *parts):
        super().__init__()
        self.wide, self.parts = nn.Linear(20, 10), nn.ModuleList(parts)

    def forward(self, x):
        outputs = self.wide(x)
        for part in self.parts:
            outputs = outputs + part(x)
        return outputs


@pytest.mark.parametrize("others", [0, 1, 2])
def test_a_quiet_part_beside_others_is_a_choice(others):
    """DeepCTR's DeepFM starts with deviations of 1e-4."""
    model = WideAndDeep(
        *[mlp(1, seed=seed) for seed in range(others)], mlp(2, std=1e-4)
    )

    assert blamed(model, loss=LOSS, targets=LABELS) == []


def test_a_quiet_layer_whose_reader_is_added_to_others_is_a_choice():
    model = WideAndDeep(mlp(1))
    nn.init.normal_(model.parts[0][0].weight, std=1e-5)

    assert blamed(model, loss=LOSS, targets=LABELS) == []


class Encoder(nn.Module):
    """Rectified layers whose biases are as PyTorch starts them."""

    def __init__(self):
        super().__init__()
        self.up = nn.Sequential(
            nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()
        )
        self.mean = nn.Linear(64, 8)
        for layer in (self.up[0], self.up[2], self.mean):
            nn.init.normal_(layer.weight, std=0.01)

    def forward(self, x):
        return self.mean(self.up(x))


@pytest.mark.parametrize(("shift", "named"), [(0.02, False), (0.5, True)])
def test_biases_of_a_usual_size_are_not_what_keeps_units_off(shift, named):
    torch.manual_seed(0)
    model = Encoder()
    with torch.no_grad():
        model.up[2].bias.sub_(shift)

    diagnosis = pytorch.check(model, torch.rand(64, 256))

    found = {(one.id, one.parameter) for one in diagnosis.of("warning", "error")}
    explained = {check for one in diagnosis.findings for check in one.consequences}
    assert (("WI12", "up.2.bias") in found) == named
    assert named or (("WI05", "up.0.weight") in found and "WI12" in explained)


def test_of_layers_that_are_off_the_one_at_its_law_is_not_named():
    model = mlp(8, factor=0.1)
    nn.init.normal_(model[8].weight, std=math.sqrt(2 / 64))

    (finding,) = pytorch.check(model, VECTORS).of("warning", "error")

    assert finding.cause == "wrong_gain"
    assert "8.weight" not in finding.places


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


class Translator(nn.Module):
    """GRUs between which an attention adds up energies of one unit (Bahdanau, 2015)."""

    def __init__(self, size=48):
        super().__init__()
        self.reads, self.writes = nn.Embedding(50, 32), nn.Embedding(50, 32)
        self.encoder = nn.GRU(32, size, batch_first=True)
        self.decoder = nn.GRU(32, size, batch_first=True)
        self.asks, self.answers = nn.Linear(size, size), nn.Linear(size, size)
        self.energy, self.join = nn.Linear(size, 1), nn.Linear(2 * size, size)
        self.out = nn.Linear(size, 50)
        for table in (self.reads, self.writes):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, source, target):
        read, state = self.encoder(self.reads(source))
        written, _ = self.decoder(self.writes(target), state)
        pairs = self.asks(written)[:, :, None] + self.answers(read)[:, None]
        weights = self.energy(torch.tanh(pairs)).squeeze(-1).softmax(-1)
        joined = self.join(torch.cat([written, weights @ read], -1))
        return self.out(torch.tanh(joined))


@pytest.mark.parametrize("seed", range(3))
def test_layers_that_only_feed_one_unit_learn_in_one_direction(seed):
    torch.manual_seed(seed)
    words = torch.randint(0, 50, (64, 12))
    said = words.flip(1)
    before = torch.cat([torch.zeros_like(words[:, :1]), said[:, :-1]], 1)

    def loss(outputs, targets):
        return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())

    found = blamed(Translator(), (words, before), loss=loss, targets=said)

    assert found == []


class Waves(nn.Module):
    """What an LSTM of both ways says on average, in two layers."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 32, bidirectional=True, batch_first=True)
        self.out = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x):
        return self.out(self.lstm(x)[0].mean(1))


def test_labels_of_one_class_give_updates_of_one_direction():
    """Of the same weights and balanced labels, nothing is said."""
    torch.manual_seed(9)
    labels = torch.randint(0, 4, (64,))
    steps = (0.2 + 0.2 * labels[:, None]) * torch.arange(30.0)
    waves = torch.sin(steps + 6 * torch.rand(64, 1))
    batch = torch.stack([waves, waves.roll(1, 1)], 2) + 0.3 * torch.randn(64, 30, 2)
    mostly = torch.where(torch.rand(64) < 0.9, 0, labels)

    for seed in range(4):
        given = {"loss": LOSS, "seed": seed}
        ids = {one[0] for one in blamed(Waves, batch, targets=mostly, **given)}
        assert ids == {"WI15"}
        assert blamed(Waves, batch, targets=torch.arange(64) % 4, **given) == []


class Conditioned(nn.Module):
    """Blocks shifted and scaled by a condition, by layers of zeros (Peebles, 2023)."""

    def __init__(self, zero):
        super().__init__()
        self.inward = nn.Linear(8, 64)
        self.first, self.second = nn.Linear(8, 64), nn.Linear(64, 64)
        self.norms = nn.ModuleList(
            nn.LayerNorm(64, elementwise_affine=False) for _ in range(4)
        )
        self.made = nn.ModuleList(nn.Linear(64, 3 * 64) for _ in range(4))
        self.up = nn.ModuleList(nn.Linear(64, 256) for _ in range(4))
        self.down = nn.ModuleList(nn.Linear(256, 64) for _ in range(4))
        self.out = nn.Linear(64, 4)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for layer in (self.first, self.second):
            nn.init.normal_(layer.weight, std=0.02)
        for layer in self.made if zero else ():
            nn.init.zeros_(layer.weight)

    def forward(self, x, condition):
        h = self.inward(x)
        code = self.second(functional.silu(self.first(condition)))
        layers = zip(self.norms, self.made, self.up, self.down, strict=True)
        for norm, made, up, down in layers:
            shift, scale, gate = made(functional.silu(code)).chunk(3, -1)
            inner = norm(h) * (1 + scale) + shift
            h = h + gate * down(functional.gelu(up(inner)))
        return self.out(h)


@pytest.mark.parametrize(("zero", "named"), [(True, False), (False, True)])
def test_what_only_feeds_zeros_is_quiet_by_design(zero, named):
    torch.manual_seed(0)

    found = blamed(Conditioned(zero), (SERIES[:, 0], SERIES[:, 1]))

    assert ("second.weight" in {name for _, _, name in found}) == named


class Mask(nn.Module):
    """The end of Mask R-CNN (He et al., 2017), as torchvision starts it."""

    def __init__(self, channels):
        super().__init__()
        self.inward = nn.Conv2d(3, 64, 3, padding=1)
        self.larger = nn.ConvTranspose2d(64, channels, 2, 2)
        self.out = nn.Conv2d(channels, 5, 1)
        for layer in (self.inward, self.larger):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.out(functional.relu(self.larger(functional.relu(self.inward(x)))))


def test_a_transposed_layer_by_pytorch_s_fans_that_keeps_its_channels_trains():
    torch.manual_seed(0)
    images = torch.randn(4, 3, 16, 16)

    assert blamed(Mask(64), images) == []


class Memories(nn.Module):
    """Tables of one law, the last of which also makes the outputs."""

    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(80, 20) for _ in range(3))
        for table in self.tables:
            nn.init.normal_(table.weight, std=80**-0.5)

    def forward(self, words):
        said = sum(table(words).sum(1) for table in self.tables)
        return said @ self.tables[-1].weight.T


def test_a_table_that_is_the_head_has_the_law_of_tables():
    torch.manual_seed(0)
    words = torch.randint(0, 80, (32, 6))

    found = blamed(Memories(), words, loss=LOSS, targets=torch.arange(32))

    assert "WI06" not in {check for check, _, _ in found}


def test_gradients_that_vanish_ask_for_larger_weights():
    torch.manual_seed(0)
    model = Translator()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.01)
    words = torch.randint(0, 50, (8, 12))

    found = pytorch.check(model, (words, words)).of("warning", "error")

    fixes = [one.fix for one in found if one.id == "WI10"]
    assert fixes
    assert all("larger weights" in fix for fix in fixes)


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


class Residual(nn.Module):
    """A trunk with branches and no normalization, over vectors or by concatenation."""

    def __init__(self, std, *, dense):
        super().__init__()
        torch.manual_seed(0)
        widths = range(20, 20 + 4 * 16, 16) if dense else [32] * 4
        self.stem = nn.Identity() if dense else nn.Linear(20, 32)
        self.branches = nn.ModuleList(
            nn.Linear(width, 16 if dense else 32) for width in widths
        )
        self.dense, self.head = dense, nn.Linear(84 if dense else 32, 10)
        for layer in self.modules():
            if isinstance(layer, nn.Linear) and std is not None:
                nn.init.normal_(layer.weight, std=std)
                nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = self.stem(x)
        for branch in self.branches:
            made = branch(x).relu()
            x = torch.cat([x, made], 1) if self.dense else x + made
        return self.head(x)


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("std", [None, 0.1, 0.01])
def test_networks_of_sums_whose_signal_fades(dense, std):
    found = blamed(Residual(std, dense=dense), loss=LOSS, targets=LABELS)

    # A concatenation keeps the inputs themselves.
    faded = [("WI05", "faded", "stem.weight")]
    assert found == (faded if std == 0.01 and not dense else [])


def test_a_normalization_brings_back_what_fades():
    model = Residual(0.01, dense=False)
    model.head = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 10))

    assert blamed(model, loss=LOSS, targets=LABELS) == []


def test_a_discriminator_of_small_weights_and_norms_is_a_design():
    """As DCGAN's in public, whose norms have 0.8 for an epsilon, and trains."""
    torch.manual_seed(0)
    widths = [1, 16, 32, 64, 128]
    layers = []
    for given, made in pairwise(widths):
        layers += [nn.Conv2d(given, made, 3, 2, 1), nn.LeakyReLU(0.2)]
        layers += [nn.BatchNorm2d(made, 0.8)] if given > 1 else []
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 1), nn.Sigmoid())
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.02)
    images = torch.randn(64, 1, 32, 32)

    assert blamed(model, images, loss=nn.BCELoss(), targets=torch.ones(64, 1)) == []


class GraphAttention(nn.Module):
    """One head of GAT (Velickovic et al., 2018) over all nodes."""

    def __init__(self, given, std):
        super().__init__()
        self.weigh = nn.Linear(given, 32, bias=False)
        self.asks, self.tells = (
            nn.Parameter(torch.randn(32) / 32**0.5) for _ in range(2)
        )
        if std is not None:
            nn.init.normal_(self.weigh.weight, std=std)

    def forward(self, x):
        h = self.weigh(x)
        asks, tells = ((h * by).sum(-1) for by in (self.asks, self.tells))
        scores = functional.leaky_relu(asks[..., None] + tells[:, None], 0.2)
        return functional.elu(scores.softmax(-1) @ h)


@pytest.mark.parametrize("std", [None, 0.001])
def test_a_signal_that_fades_over_attentions(std):
    torch.manual_seed(0)
    widths = [8, 32, 32]
    model = nn.Sequential(*(GraphAttention(w, std) for w in widths), nn.Linear(32, 4))

    faded = [("WI05", "faded", "0.weigh.weight")]
    assert blamed(model, SERIES) == (faded if std else [])


class BothWays(nn.Module):
    """An LSTM over two features, of which a classifier reads the last step."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.LSTM(2, 32, bidirectional=True, batch_first=True)
        self.head = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


def test_what_loops_keep_starts_as_quiet():
    assert blamed(BothWays(), SERIES[..., :2]) == []


def test_a_head_of_ddpg_is_a_design_and_a_smaller_one_is_not():
    """U(-3e-4, 3e-4) behind 300 units, from pixels (Lillicrap et al., 2016)."""
    model = mlp(1)
    model[-1] = nn.Linear(64, 1)
    bound = 3e-4 * math.sqrt(300 / 64)  # of the same fan_in var(w)
    nn.init.uniform_(model[-1].weight, -bound, bound)
    assert blamed(model) == []

    model[-1].weight.data *= 0.5
    assert blamed(model) == [("WI05", "tiny_head", "2.weight")]


class Scores(nn.Module):
    """Scores that are 0, enlarged and added as FCN does (Long et al., 2015)."""

    def __init__(self, bent):
        super().__init__()
        torch.manual_seed(0)
        self.down = nn.Conv2d(3, 16, 3, 2, 1)
        self.low, self.high = nn.Conv2d(16, 4, 1), nn.Conv2d(16, 4, 1)
        self.lower, self.bent = nn.Conv2d(16, 16, 3, 2, 1), bent
        self.twice = nn.ConvTranspose2d(4, 4, 2, 2, bias=False)
        self.larger = nn.ConvTranspose2d(4, 4, 2, 2, bias=False)
        for score in (self.low, self.high):
            nn.init.zeros_(score.weight)
            nn.init.zeros_(score.bias)

    def forward(self, x):
        high = self.down(x).relu()
        low = self.twice(self.low(self.lower(high).relu()))
        made = low + self.high(high)
        return self.larger(made.relu() if self.bent else made)


class Attended(nn.Module):
    """One attention over what a layer of zeros gives."""

    def __init__(self):
        super().__init__()
        self.inward = nn.Linear(8, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        nn.init.zeros_(self.inward.weight)

    def forward(self, x):
        x = self.inward(x)
        return self.attention(x, x, x, need_weights=False)[0]


def test_zeros_before_an_attention_are_no_head():
    assert ("WI03", "zero_weight_on_trunk", "inward.weight") in blamed(
        Attended(), SERIES
    )


@pytest.mark.parametrize("bent", [False, True])
def test_scores_of_zeros_that_are_only_enlarged_are_a_head(bent):
    images = torch.randn(8, 3, 16, 16)
    found = {check for check, _, _ in blamed(Scores(bent), images)}

    assert found == ({"WI03"} if bent else set())


def test_branches_alone_may_be_quiet():
    """As ESRGAN's, of a tenth of PyTorch's start, on a trunk of PyTorch's own."""
    torch.manual_seed(0)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.end = nn.Linear(32, 32), nn.Linear(32, 32)
            for layer in (self.inner, self.end):
                layer.weight.data *= 0.1

        def forward(self, x):
            return x + 0.2 * self.end(functional.leaky_relu(self.inner(x), 0.2))

    trunk = [nn.Linear(20, 32), *(Block() for _ in range(4))]
    rest = [layer for _ in range(3) for layer in (nn.Linear(32, 32), nn.ReLU())]
    model = nn.Sequential(*trunk, *rest, nn.Linear(32, 10))

    assert blamed(model, loss=LOSS, targets=LABELS) == []
