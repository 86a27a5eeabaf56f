"""Designs of well-known libraries, in miniature: each is sound and left in peace."""

import math

import pytest
import torch
from networks import plain
from torch import nn
from torch.nn import functional

from initlab import pytorch

WIDTH = 32
TOKENS = torch.randn(8, 12, WIDTH, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(8) % 5


class Wrapped(nn.Module):
    """Blocks on a trunk of tokens, a normalization and a head."""

    def __init__(self, *blocks, head=None):
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 5) if head is None else head

    def forward(self, x):
        return self.head(self.norm(self.blocks(x)).mean(dim=1))


class Attends(nn.Module):
    """Attention on a branch, with a scale or without."""

    def __init__(self, scale=WIDTH**-0.5):
        super().__init__()
        self.scale = scale
        self.norm = nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.out = (
            nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4)
        )

    def forward(self, x):
        y = self.norm(x)
        logits = self.query(y) @ self.key(y).transpose(1, 2)
        if self.scale != 1:
            logits = logits * self.scale
        return x + self.out(logits.softmax(-1) @ self.value(y))


def silent(model, batch=TOKENS, **more):
    diagnosis = pytorch.check(model, batch, **more)
    assert diagnosis.sound, str(diagnosis)


def test_a_gamma_of_zero_to_which_one_is_added():
    class RMSNorm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(WIDTH))

        def forward(self, x):
            size = x.square().mean(dim=-1, keepdim=True)
            return x * (size + 1e-6).rsqrt() * (1 + self.weight)

    model = Wrapped(nn.Sequential(nn.Linear(WIDTH, WIDTH), RMSNorm()))
    model.norm = RMSNorm()

    silent(model, targets=LABELS)


def test_a_token_for_masks_that_this_batch_does_not_have():
    model = Wrapped(Attends())
    model.mask_token = nn.Parameter(torch.zeros(1, 1, WIDTH))

    silent(model, targets=LABELS)


def test_a_table_that_is_the_same_in_every_layer():
    """As Mamba's rates: equal in every channel, which learn on their own."""

    class Decays(nn.Module):
        def __init__(self):
            super().__init__()
            rates = torch.arange(1.0, 5.0).log().repeat(WIDTH, 1)
            self.rates = nn.Parameter(rates)
            self.up = nn.Linear(WIDTH, WIDTH)

        def forward(self, x):
            return x + self.up(x) * (-self.rates.exp()).exp().mean(dim=1)

    silent(Wrapped(Decays(), Decays(), Decays()), targets=LABELS)


@pytest.mark.parametrize("scale", [1e-5, 1e-3])
def test_a_class_token_behind_scales_next_to_zero(scale):
    """As CaiT: only the class token is read, and what it gets passes a LayerScale."""

    class Reads(Attends):
        def __init__(self):
            super().__init__()
            self.up, self.down = nn.Linear(WIDTH, 64), nn.Linear(64, WIDTH)
            self.norm2 = nn.LayerNorm(WIDTH)
            self.scales = nn.Parameter(torch.full((WIDTH,), scale))
            self.scales2 = nn.Parameter(torch.full((WIDTH,), scale))

        def forward(self, x):
            x = x + self.scales * (super().forward(x) - x)
            y = self.down(functional.gelu(self.up(self.norm2(x))))
            return x + self.scales2 * y

    class Classifies(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Linear(WIDTH, WIDTH)
            self.token = nn.Parameter(0.02 * torch.randn(1, 1, WIDTH))
            self.blocks = nn.Sequential(Reads(), Reads())
            self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 5)

        def forward(self, x):
            tokens = self.token.expand(len(x), -1, -1)
            x = self.blocks(torch.cat([tokens, self.stem(x)], dim=1))
            return self.head(self.norm(x[:, 0]))

    silent(Classifies(), targets=LABELS)


def test_a_quiet_branch_of_three_layers():
    """As SegFormer's feed-forward part: all weights with a deviation of 0.02."""

    class Mixes(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(WIDTH)
            self.up, self.down = nn.Linear(WIDTH, 64), nn.Linear(64, WIDTH)
            self.taps = nn.Conv1d(64, 64, 3, padding=1, groups=64)
            for layer in (self.up, self.taps, self.down):
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            y = self.taps(self.up(self.norm(x)).transpose(1, 2)).transpose(1, 2)
            return x + self.down(functional.gelu(y))

    silent(Wrapped(Mixes(), Mixes(), Mixes()), targets=LABELS)


def test_a_head_of_next_to_nothing_behind_a_normalization():
    head = nn.Linear(WIDTH, 5)
    nn.init.normal_(head.weight, std=2e-5)

    silent(Wrapped(Attends(), head=head), targets=LABELS)


def test_queries_that_do_the_scaling_of_their_attention():
    blocks = [Attends(scale=1) for _ in range(3)]
    for block in blocks:
        for layer in (block.query, block.key, block.value, block.out):
            nn.init.normal_(layer.weight, std=WIDTH**-0.5)
        nn.init.normal_(block.query.weight, std=1 / WIDTH)

    silent(Wrapped(*blocks), targets=LABELS)


def test_a_layer_whose_output_is_read_twice():
    """As in Mamba: what steers a scan is made of what is scanned."""

    class Scans(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(WIDTH)
            self.into, self.rate, self.rates, self.out = (
                nn.Linear(WIDTH, WIDTH) for _ in range(4)
            )
            nn.init.normal_(self.rate.weight, std=0.005)

        def forward(self, x):
            y = functional.silu(self.into(self.norm(x)))
            rates = functional.softplus(self.rates(self.rate(y)) - 3)
            return x + self.out(y * rates)

    silent(Wrapped(Scans(), Scans()), targets=LABELS)


def test_a_first_step_of_a_tenth():
    model = nn.Sequential(
        nn.Linear(WIDTH, 64), nn.BatchNorm1d(64), nn.ReLU(),
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 5),
    )  # fmt: skip
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)

    silent(
        model, TOKENS[:, 0], targets=LABELS,
        optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=1e-3),
    )  # fmt: skip


def test_a_row_of_zeros_that_is_drawn_anew():
    def pads(weight):
        with torch.no_grad():
            weight[0].zero_()

    def draws(weight):
        nn.init.normal_(weight, std=0.1)

    class Embeds(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(20, WIDTH)
            self.head = nn.Linear(WIDTH, 5)
            pads(self.words.weight)
            draws(self.words.weight)

        def forward(self, ids):
            return self.head(self.words(ids).mean(dim=1))

    ids = torch.arange(8 * 6).reshape(8, 6) % 20

    silent(Embeds, ids, targets=LABELS)


def test_a_kernel_that_meets_one_position_moves_by_one_tap():
    class Shrinks(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 16, 3, 2, 1)
            self.taps = nn.Conv2d(16, 16, 3, padding=1, groups=16)
            self.head = nn.Linear(16, 5)

        def forward(self, x):
            x = functional.relu(self.stem(x)).mean((2, 3), keepdim=True)
            return self.head(functional.relu(self.taps(x)).flatten(1))

    silent(Shrinks(), torch.randn(8, 3, 12, 12), targets=LABELS)


def test_positions_by_distance_that_are_gathered_from_a_table():
    class Places(Attends):
        def __init__(self):
            super().__init__()
            self.places = nn.Parameter(0.02 * torch.randn(23, WIDTH))
            steps = torch.arange(12)
            self.distances = steps[:, None] - steps[None] + 11

        def forward(self, x):
            y = self.query(self.norm(x))
            near = torch.einsum("bqc,qkc->bqk", y, self.places[self.distances])
            return super().forward(x) + near.softmax(-1) @ y

    silent(Wrapped(Places(), Places()), targets=LABELS)


def test_projections_of_positions_that_start_as_a_pattern():
    """As ConViT: heads look at neighbours, by the same few numbers in every layer."""

    class Looks(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = nn.Linear(3, 4)
            pattern = torch.tensor([[-1, -1], [-1, 1], [1, -1], [1, 1.0]])
            with torch.no_grad():
                self.heads.weight.copy_(torch.cat([pattern, -torch.ones(4, 1)], dim=1))
            self.norm, self.out = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH)

        def forward(self, x):
            looks = self.heads(x[..., :3]).softmax(-1).mean(dim=-1, keepdim=True)
            return x + looks * self.out(self.norm(x))

    silent(Wrapped(Looks(), Looks(), Looks()), targets=LABELS)


def test_layers_left_at_the_default_beside_others_of_one_deviation():
    """As FastViT: most weights have one deviation, the stem was left alone."""
    sizes = [(3, 64), (64, 64), (64, 64), (64, 32), (32, 64), (64, 64)]
    layers = []
    for place, (before, after) in enumerate(sizes):
        conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
        if place > 1:
            nn.init.normal_(conv.weight, std=0.005)
        layers += [conv, nn.BatchNorm2d(after), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 5)]

    silent(nn.Sequential(*layers, *head), torch.randn(8, 3, 12, 12), targets=LABELS)


def test_weights_that_are_standardized_have_no_law_of_their_own():
    """As Big Transfer's: entries have a deviation of 1 whatever is drawn."""

    class Standardized(nn.Conv2d):
        def forward(self, x):
            rows = self.weight.reshape(1, len(self.weight), -1)
            rows = functional.batch_norm(rows, None, None, training=True)
            return functional.conv2d(x, rows.reshape_as(self.weight), padding=1)

    layers = []
    for before, after in ((3, 16), (16, 16), (16, 32), (32, 32)):
        layers += [
            Standardized(before, after, 3, bias=False),
            nn.GroupNorm(4, after), nn.ReLU(),
        ]  # fmt: skip
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 5)]

    silent(nn.Sequential(*layers, *head), torch.randn(8, 3, 12, 12), targets=LABELS)


def test_a_deep_chain_of_tiny_weights_is_not_excused_as_a_branch():
    model = plain(depth=12, inputs=WIDTH, init=False)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.1 / math.sqrt(layer.in_features))
            nn.init.zeros_(layer.bias)

    found = pytorch.check(model, TOKENS[:, 0], targets=LABELS).findings

    assert (found[0].id, found[0].severity) == ("WI05", "error")


def test_a_learned_token_whose_branch_is_next_to_silent_drowns_nothing():
    class Classifies(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.norm = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
            self.token = nn.Parameter(torch.randn(1, WIDTH))
            self.up = nn.Linear(WIDTH, WIDTH)
            self.scales = nn.Parameter(torch.full((WIDTH,), 1e-4))
            self.head = nn.Linear(WIDTH, 5)

        def forward(self, x):
            read = self.scales * self.up(self.norm(self.stem(x)).mean(dim=1))
            return self.head(self.token + read)

    found = pytorch.check(Classifies(), TOKENS).findings

    assert "drowns_a_signal" not in {one.cause for one in found}


class Summed(nn.Module):
    """A set's elements each through some layers, summed, and through some more."""

    def __init__(self):
        super().__init__()
        self.each = plain(3, 128, 3, 128, nn.ELU, init=False)
        self.all = plain(2, 128, 128, 10, nn.ELU, init=False)

    def forward(self, x):
        return self.all(self.each(x).sum(dim=1))


@pytest.mark.parametrize("seed", range(2))
def test_a_sum_over_a_set_makes_no_weights_too_small(seed):
    torch.manual_seed(seed)
    model, x = Summed(), torch.randn(16, 100, 3) / 2

    found = pytorch.check(
        model, x, loss=functional.cross_entropy, targets=torch.randint(10, (16,))
    )

    blamed = {finding.id for finding in found.of("error", "warning")}
    assert not blamed & {"WI05", "WI06", "WI07"}


def test_rewards_of_one_are_no_prior():
    torch.manual_seed(0)
    model, states = plain(3, 128, 4, 2, init=False), torch.randn(128, 4) / 2
    actions = torch.randint(2, (128, 1))
    with torch.no_grad():
        targets = 1 + 0.99 * model(torch.randn(128, 4) / 2).amax(dim=1, keepdim=True)

    def loss(values, wanted):
        return functional.smooth_l1_loss(values.gather(1, actions), wanted)

    assert not pytorch.check(model, states, loss=loss, targets=targets).of(
        "error", "warning"
    )
    far = pytorch.check(model, states, loss=loss, targets=targets + 20)
    assert [f.id for f in far.of("error", "warning")] == ["WI15"]


@pytest.mark.parametrize("batch", [4, 8, 64])
def test_hard_tanh_of_standard_numbers_is_what_binary_networks_have(batch):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(20, 64), nn.BatchNorm1d(64), nn.Hardtanh(), nn.Linear(64, 64),
        nn.BatchNorm1d(64), nn.Hardtanh(), nn.Linear(64, 4),
    )  # fmt: skip
    x, labels = torch.randn(batch, 20), torch.arange(batch) % 4

    sound = pytorch.check(model, x, targets=labels)
    nn.init.constant_(model[1].weight, 3.0)
    loud = pytorch.check(model, x, targets=labels)

    assert "WI13" not in {one.id for one in sound.of("error", "warning")}
    assert "WI13" in {one.id for one in loud.of("error", "warning")}


def test_outputs_that_start_alike_are_told_apart_by_their_targets():
    """DLinear (Zeng et al., 2023) starts as the mean of the series, each output."""
    linear = nn.Linear(24, 6)
    deep = nn.Sequential(nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 6))
    for head in (linear, deep[2]):
        nn.init.constant_(head.weight, 1 / 24)

    found, behind = (
        pytorch.check(model, torch.randn(32, 24)) for model in (linear, deep)
    )

    assert not found.of("error", "warning")
    # What a loss would ask of the layers before is not known.
    assert [one.id for one in behind.of("error", "warning")] == ["WI02"]


def test_weights_behind_a_small_factor_wait_for_it():
    """LayerScale of 1e-6 (Touvron et al., 2021); too short for all is a fault."""

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.head = nn.Linear(16, WIDTH), nn.Linear(WIDTH, 5)
            self.inner = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(6))
            self.scales = nn.ParameterList(1e-6 * torch.ones(WIDTH) for _ in range(6))

        def forward(self, x):
            x = self.stem(x)
            for inner, scale in zip(self.inner, self.scales, strict=True):
                x = x + scale * torch.relu(inner(x))
            return self.head(x)

    def steps(rate):
        torch.manual_seed(0)
        model = Scaled()
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        found = pytorch.check(
            model, torch.randn(64, 16), targets=torch.arange(64) % 5,
            optimizer=optimizer,
        )  # fmt: skip
        return [one.cause for one in found.of("error", "warning")]

    assert steps(0.05) == []
    assert steps(1e-9) == ["short_step"]
