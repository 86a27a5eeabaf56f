"""Units that start alike by design or learn alike by algebra, and those that do not."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

VECTORS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
IMAGES = torch.randn(16, 3, 12, 12, generator=torch.Generator().manual_seed(1))
SERIES = torch.randn(32, 8, 6, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 5


def blamed(model, batch, targets, **more):
    found = pytorch.check(model, batch, targets=targets, **more)
    return [(one.id, one.cause) for one in found.of("warning", "error")]


def around(middle, channels):
    """A small convolutional network with a layer in its middle."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), middle,
        nn.Conv2d(channels, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4),
    )  # fmt: skip


def filled(layer, fill):
    with torch.no_grad():
        fill(layer.weight)
    return layer


def _bilinear(weight):
    taps = torch.tensor([0.25, 0.75, 0.75, 0.25])
    weight.copy_((taps[:, None] * taps).expand_as(weight))


def _blur(weight):
    weight.fill_(1 / 9)


def _identity(weight):
    nn.init.dirac_(weight, groups=len(weight))


def _twice(weight):
    weight[1::2] = weight[::2]


@pytest.mark.parametrize(
    "middle",
    [
        lambda: filled(nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), _blur),
        lambda: filled(nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), _identity),
        lambda: filled(
            nn.ConvTranspose2d(16, 16, 4, 2, 1, groups=16, bias=False), _bilinear
        ),
    ],
)
def test_every_channel_is_filtered_alike(middle):
    assert blamed(around(middle(), 16), IMAGES, torch.arange(16) % 4) == []


@pytest.mark.parametrize(
    ("groups", "fill", "cause"),
    [
        (16, _twice, "copied_units"),
        (4, _twice, "copied_units"),
        (1, _twice, "copied_units"),
        (16, _blur, "constant_weight"),
        (1, _blur, "constant_weight"),
    ],
)
def test_filters_of_one_input_are_copies(groups, fill, cause):
    layer = filled(nn.Conv2d(16, 32, 3, 1, 1, groups=groups, bias=False), fill)

    found = blamed(around(layer, 32), IMAGES, torch.arange(16) % 4)

    assert ("WI02", cause) in found


def _runs_of(size):
    def fill(weight):
        weight.copy_(weight[::size].repeat_interleave(size, 0))

    return fill


@pytest.mark.parametrize(
    ("run", "shuffled", "expected"),
    [(4, True, False), (4, False, True), (8, True, True)],
)
def test_runs_of_copies_are_a_design_before_a_pixel_shuffle(run, shuffled, expected):
    layer = filled(nn.Conv2d(16, 64, 3, padding=1), _runs_of(run))
    nn.init.zeros_(layer.bias)
    middle = nn.Sequential(layer, nn.PixelShuffle(2)) if shuffled else layer

    model = around(middle, 16 if shuffled else 64)

    found = blamed(model, IMAGES, torch.arange(16) % 4)
    assert (("WI02", "copied_units") in found) == expected


class PerHead(nn.Module):
    """A small matrix for each part of a layer's output, or all for one input."""

    def __init__(self, start, product, *, shared=False):
        super().__init__()
        self.first, self.last = nn.Linear(16, 32), nn.Linear(32, 5)
        self.weight = nn.Parameter(torch.empty(4, 8, 8))
        with torch.no_grad():
            self.weight.copy_(start())
        self.product, self.shared = product, shared

    def forward(self, x):
        h = self.first(x).relu().view(len(x), 4, 8)
        if self.shared:
            h = h[:, :1].expand(-1, 4, -1)
        return self.last(self.product(h, self.weight).relu().flatten(1))


def _by_letters(h, weight):
    return torch.einsum("bhi,hij->bhj", h, weight)


def _stacked(h, weight):
    return torch.matmul(h.unsqueeze(2), weight).squeeze(2)


def _identities():
    return torch.eye(8).repeat(4, 1, 1)


def _columns_twice():
    return (torch.randn(4, 8, 4) / 3).repeat(1, 1, 2)


@pytest.mark.parametrize("product", [_by_letters, _stacked])
def test_each_head_has_its_own_input(product):
    alike = PerHead(_identities, product)
    shared = PerHead(_identities, product, shared=True)
    twice = PerHead(_columns_twice, product)

    assert blamed(alike, VECTORS, LABELS) == []
    assert ("WI02", "copied_units") in blamed(shared, VECTORS, LABELS)
    assert ("WI02", "copied_units") in blamed(twice, VECTORS, LABELS)


def test_mixing_matrices_whose_first_rows_are_given():
    class Mixes(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.mix = (
                nn.Embedding(29, 32),
                nn.Parameter(torch.randn(8, 16, 16) / 5),
            )
            self.value, self.out = nn.Linear(32, 32), nn.Linear(32, 32)
            self.head = nn.Linear(32, 29)

        def forward(self, tokens):
            h = self.words(tokens)
            v = self.value(h).view(len(h), 16, 8, 4).transpose(1, 2)
            later = torch.triu(torch.full((16, 16), -math.inf), 1)
            mixed = (self.mix + later).softmax(-1) @ v
            return self.head(h + self.out(mixed.transpose(1, 2).reshape(h.shape)))

    tokens = torch.randint(0, 29, (8, 16), generator=torch.Generator().manual_seed(3))

    def loss(outputs, targets):
        return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())

    assert blamed(Mixes(), tokens, (tokens + 1) % 29, loss=loss) == []


class Conditioned(nn.Module):
    """A normalization whose factors and shifts hang on the class, or a table alone."""

    def __init__(self, fill, *, multiplies=True):
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.table = nn.Embedding(4, 32)
        with torch.no_grad():
            fill(self.table.weight)
        self.last, self.multiplies = nn.Conv2d(16, 3, 3, padding=1), multiplies

    def forward(self, x, labels):
        scale, shift = self.table(labels)[..., None, None].chunk(2, 1)
        h = self.norm(self.first(x))
        h = h * scale + shift if self.multiplies else h + scale + shift
        return self.last(h.relu())


def _ones_and_zeros(weight):
    weight[:, :16], weight[:, 16:] = 1.0, 0.0


def _one_row(weight):
    weight.copy_(weight[:1].expand_as(weight))


@pytest.mark.parametrize(
    ("fill", "multiplies", "expected"),
    [
        (_ones_and_zeros, True, []),
        (_ones_and_zeros, False, [("WI02", "equal_rows")]),
        (_one_row, True, [("WI02", "equal_rows")]),
    ],
)
def test_a_table_of_factors_that_start_at_one(fill, multiplies, expected):
    model = Conditioned(fill, multiplies=multiplies)

    found = blamed(
        model, (IMAGES, torch.arange(16) % 4), IMAGES, loss=functional.mse_loss
    )

    assert found == expected


def test_a_mean_is_a_start_where_every_unit_has_its_own_target():
    targets = torch.randn(64, 8, generator=torch.Generator().manual_seed(2))
    mean = nn.Sequential(filled(nn.Linear(16, 8), lambda w: w.fill_(1 / 16)))
    hidden = nn.Sequential(
        filled(nn.Linear(16, 8), lambda w: w.fill_(1 / 16)), nn.Tanh(), nn.Linear(8, 8)
    )

    assert blamed(mean, VECTORS, targets) == []
    assert blamed(hidden, VECTORS, targets) == [("WI02", "constant_weight")]
    # With one target for all they learn the same, too.
    with torch.no_grad():
        mean[0].bias.zero_()
    alike = targets[:, :1].expand(-1, 8)
    assert blamed(mean, VECTORS, alike) == [("WI02", "constant_weight")]


class Members(nn.Module):
    """Networks side by side, whose outputs are averaged."""

    def __init__(self, *, by_hand=False):
        super().__init__()
        self.up = nn.Parameter(torch.randn(4, 16, 32) * (2 / 16) ** 0.5)
        self.down = nn.Parameter(torch.randn(4, 32, 5) / 32**0.5)
        self.bias, self.by_hand = nn.Parameter(torch.zeros(4, 1, 5)), by_hand

    def forward(self, x):
        h = torch.bmm(x.expand(4, -1, -1), self.up).relu()
        if self.by_hand:
            return (torch.bmm(h, self.down) + self.bias[:, 0, None]).mean(dim=0)
        return torch.baddbmm(self.bias, h, self.down).mean(dim=0)


class Gated(Members):
    """The same with a share for each, which starts equal."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(16, 4)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def forward(self, x):
        h = torch.bmm(x.expand(4, -1, -1), self.up).relu()
        told = torch.baddbmm(self.bias, h, self.down)
        return (self.gate(x).softmax(1).T[..., None] * told).sum(0)


def test_biases_of_members_that_a_gate_weighs_part():
    assert blamed(Gated(), VECTORS, LABELS) == []


@pytest.mark.parametrize("by_hand", [False, True])
def test_biases_of_members_that_are_averaged_are_too_many(by_hand):
    (finding,) = pytorch.check(
        Members(by_hand=by_hand), VECTORS, targets=LABELS
    ).findings

    assert (finding.severity, finding.cause) == ("info", "added_twins")


def test_queries_that_are_added_before_layers_stay_twins():
    class Asks(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.queries = (
                nn.Linear(6, 24),
                nn.Parameter(torch.zeros(1, 5, 24)),
            )
            self.mix, self.head = nn.Linear(24, 24), nn.Linear(24, 4)

        def forward(self, x):
            h = self.stem(x).mean(dim=1, keepdim=True) + self.queries
            return self.head(self.mix(h).relu().mean(dim=1))

    found = blamed(Asks(), SERIES, torch.arange(32) % 4)

    assert found == [("WI02", "twins_for_ever")]


class Points(nn.Module):
    """Scores of positions, each a class of its own."""

    def __init__(self):
        super().__init__()
        self.reads = nn.LSTM(6, 24, batch_first=True)
        self.keys, self.query = (nn.Linear(24, 24, bias=False) for _ in "kq")
        self.score = nn.Linear(24, 1, bias=False)

    def forward(self, x):
        h = self.reads(x)[0]
        return self.score(torch.tanh(self.keys(h) + self.query(h[:, -1:])))[..., 0]


def test_one_score_for_each_position_has_one_direction():
    assert blamed(Points(), SERIES, SERIES[..., 0].argmax(1)) == []


class Mixer(nn.Module):
    """Tokens mixed by one layer, and then averaged."""

    def __init__(self, *, by_convolution=False):
        super().__init__()
        self.stem, self.head = nn.Linear(6, 24), nn.Linear(24, 4)
        self.mix = nn.Conv1d(8, 8, 1) if by_convolution else nn.Linear(8, 8)
        self.by_convolution = by_convolution

    def forward(self, x):
        h = self.stem(x)
        mixed = self.mix(h) if self.by_convolution else self.mix(h.mT).mT
        return self.head((h + 0.1 * mixed).mean(dim=1))


@pytest.mark.parametrize("by_convolution", [False, True])
def test_tokens_that_are_averaged_after_they_were_mixed(by_convolution):
    model = Mixer(by_convolution=by_convolution)

    assert blamed(model, SERIES, torch.arange(32) % 4) == []


class Alike(nn.Module):
    """Units that are nearly copies, and read alike; tokens beside them averaged."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(6, 8), nn.Linear(8, 4)
        with torch.no_grad():
            row = self.first.weight[:1].clone()
            self.first.weight.copy_(row + 1e-4 * torch.randn(8, 6))
            self.head.weight.copy_(self.head.weight[:, :1].expand(-1, 8))

    def forward(self, x):
        return self.head(self.first(x).mean(dim=1))


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (torch.arange(32) % 4, True),
        (torch.full((32,), 2), False),
        ((torch.arange(32) == 5).long(), False),
    ],
)
def test_units_that_learn_the_same_are_told_from_classes_that_are_few(
    targets, expected
):
    found = blamed(Alike(), SERIES, targets)

    assert (("WI04", "rank_one_update") in found) == expected


def test_an_expert_of_one_token_has_one_direction():
    class Routed(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.head = nn.Linear(16, 24), nn.Linear(24, 5)
            self.experts = nn.ModuleList(nn.Linear(24, 24) for _ in range(3))

        def forward(self, x):
            h = self.first(x).relu()
            parts = h.split([1, 30, len(h) - 31])
            told = [e(part) for e, part in zip(self.experts, parts, strict=True)]
            return self.head(h + torch.cat(told))

    assert blamed(Routed(), VECTORS, LABELS) == []


class Encoder(nn.Module):
    """Quiet tables below PyTorch's own encoder, whose layers are copies."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            128, 4, 512, batch_first=True, norm_first=True
        )
        self.words, self.places = nn.Embedding(256, 128), nn.Embedding(64, 128)
        self.body = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.head = nn.Linear(128, 256)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.02)

    def forward(self, ids):
        places = self.places(torch.arange(ids.shape[1]))
        return self.head(self.body(self.words(ids) + places))


@pytest.mark.parametrize("seed", [1, 5, 18])
def test_copies_of_one_layer_add_up_in_step(seed):
    torch.manual_seed(seed)
    model = Encoder()
    ids, words = torch.randint(256, (2, 4, 32))

    def loss(logits, targets):
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    assert blamed(model, ids, words, loss=loss) == []
