"""Outputs that are masked, targets that are missing, an autocast around a check."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

VECTORS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 6
ALLOWED = (torch.arange(64)[:, None] * 7 + torch.arange(6)) % 5 < 3
ALLOWED[torch.arange(64), LABELS] = True
FILLS = [-1e4, -1e9, torch.finfo(torch.float32).min, -math.inf]


class Acts(nn.Module):
    """Logits of actions, of which some are not allowed."""

    def __init__(self, fill, gain=1.0):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 6))
        self.fill, self.gain = fill, gain

    def forward(self, x, allowed):
        return (self.body(x) * self.gain).masked_fill(~allowed, self.fill)


def my_loss(logits, labels):
    return functional.cross_entropy(logits, labels)


def blamed(model, batch=VECTORS, **more):
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause) for one in found]


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("loss", [functional.cross_entropy, my_loss, None])
def test_logits_that_are_masked(fill, loss):
    targets = None if loss is None else LABELS

    found = blamed(Acts(fill), (VECTORS, ALLOWED), loss=loss, targets=targets)

    assert found == []


def test_similarities_without_those_to_itself():
    class Compares(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 16))

        def forward(self, x):
            z = functional.normalize(self.body(x))
            return (2 * z @ z.T).masked_fill(torch.eye(len(z), dtype=torch.bool), -1e9)

    assert blamed(Compares(), loss=my_loss, targets=(torch.arange(64) + 32) % 64) == []


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("loss", [functional.cross_entropy, my_loss, None])
def test_loud_logits_are_found_beside_a_mask(fill, loss):
    model = Acts(fill, gain=200.0)
    targets = None if loss is None else LABELS

    found = blamed(model, (VECTORS, ALLOWED), loss=loss, targets=targets)

    assert ("WI14", "over_confident") in found


@pytest.mark.parametrize("loss", [functional.cross_entropy, my_loss])
def test_a_bias_that_rules_a_class_out_is_no_mask(loss):
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 6))
    with torch.no_grad():
        model[2].bias[3] = -1e5

    found = blamed(model, loss=loss, targets=LABELS)

    assert {one for one, _ in found} & {"WI13", "WI14", "WI15"}


def test_outputs_that_spread_far_are_no_mask():
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 6))
    with torch.no_grad():
        model[2].weight.mul_(1e5)

    assert blamed(model) == [("WI14", "over_confident")]


class Ends(nn.Module):
    """A network whose outputs go through a function."""

    def __init__(self, end):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 6))
        self.end = end

    def forward(self, x):
        return self.end(self.body(x))


@pytest.mark.parametrize(
    "end",
    [
        lambda z: z / z.relu(),
        lambda z: z.masked_fill(z < 0, math.nan),
        lambda z: z.masked_fill(z < 0, math.inf),
        lambda z: z.masked_fill(z < math.inf, -math.inf),
    ],
)
@pytest.mark.parametrize("targets", [LABELS, None])
def test_outputs_that_are_lost_are_no_mask(end, targets):
    found = blamed(Ends(end), targets=targets)

    assert [one for one, _ in found] == ["WI01"]


def test_a_logarithm_of_zero_that_the_loss_meets():
    found = blamed(Ends(lambda z: z.relu().log()), targets=LABELS)

    assert [one for one, _ in found] == ["WI01"]


def test_targets_that_are_missing():
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 2))
    targets = torch.randn(64, 2, generator=torch.Generator().manual_seed(2))
    targets[5, 1] = math.nan

    (finding,) = pytorch.check(model, VECTORS, targets=targets).findings

    assert finding.cause == "nonfinite_targets"
    assert finding.sentence.startswith(
        "the first loss is nan: 1 entries of the targets"
    )


def test_targets_that_are_missing_and_left_out():
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 2))
    targets = torch.randn(64, 2, generator=torch.Generator().manual_seed(2))
    targets[5, 1] = math.nan

    def loss(outputs, targets):
        kept = ~targets.isnan()
        return functional.mse_loss(outputs[kept], targets[kept])

    assert blamed(model, loss=loss, targets=targets) == []


class Adds(nn.Module):
    """A branch that ends in a layer of zeros."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(32, 32), nn.Linear(32, 32)
        nn.init.zeros_(self.last.weight)

    def forward(self, x):
        return x + self.last(self.first(x).relu())


def test_zeros_that_move_inside_an_autocast():
    model = nn.Sequential(nn.Linear(16, 32), Adds(), Adds(), nn.Linear(32, 6))
    nn.init.zeros_(model[3].weight)

    with torch.autocast("cpu", torch.bfloat16):
        found = blamed(model, targets=LABELS)

    assert found == []


def test_an_autocast_around_a_check_keeps_no_weights_of_it():
    model = nn.Sequential(nn.Linear(16, 32), Adds(), nn.Linear(32, 6))
    optimizer = torch.optim.SGD(model.parameters(), 1.0)

    with torch.autocast("cpu", torch.bfloat16):
        before = model(VECTORS)
        pytorch.check(model, VECTORS, targets=LABELS, optimizer=optimizer)
        after = model(VECTORS)

    assert torch.equal(before, after)


def test_layers_that_never_move_inside_an_autocast():
    model = nn.Sequential(nn.Linear(16, 32), Adds(), nn.Linear(32, 6))
    nn.init.zeros_(model[1].first.weight)
    nn.init.zeros_(model[1].first.bias)

    with torch.autocast("cpu", torch.bfloat16):
        found = blamed(model, targets=LABELS)

    assert "WI03" in {one for one, _ in found}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("stuck", [False, True])
def test_branches_that_a_factor_of_zero_closes(dtype, stuck):
    class Closed(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = (nn.Conv2d(24, 24, 3, padding=1) for _ in "ab")
            for layer in (self.first, self.second):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
            self.factor = nn.Parameter(torch.zeros(()), requires_grad=not stuck)

        def forward(self, x):
            return x + self.factor * self.second(self.first(x.relu()).relu())

    model = nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1), *[Closed() for _ in range(6)], nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4),
    ).to(dtype)  # fmt: skip
    images = torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(1))

    found = blamed(model, images.to(dtype), targets=torch.arange(16) % 4)

    assert ("WI03" in {one for one, _ in found}) == stuck


class Encodes(nn.Module):
    """Words of which some are padding, encoded as BERT does: a post-norm block."""

    def __init__(self, width=64):
        super().__init__()
        names = ("query", "key", "value", "out")
        self.attention = nn.ModuleDict({n: nn.Linear(width, width) for n in names})
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, mask):
        parts = self.attention
        query, key, value = (
            parts[name](x).unflatten(-1, (4, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        logits = query @ key.mT / query.shape[-1] ** 0.5 + mask
        mixed = (logits.softmax(-1) @ value).transpose(1, 2).flatten(2)
        x = self.first(x + parts["out"](mixed))
        return self.second(x + self.down(functional.gelu(self.up(x))))


class Reads(nn.Module):
    """A small BERT, all weights with std .02."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(100, 64), nn.Embedding(32, 64)
        self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 100)
        self.blocks = nn.ModuleList(Encodes() for _ in range(4))
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Embedding):
                nn.init.normal_(layer.weight, std=0.02)

    def forward(self, words, seen):
        x = self.norm(self.words(words) + self.places.weight)
        mask = (1 - seen[:, None, None].float()) * -1e4
        for block in self.blocks:
            x = block(x, mask)
        return self.head(x)


def sentences():
    words = torch.randint(1, 100, (8, 32), generator=torch.Generator().manual_seed(3))
    seen = (torch.arange(32) < 16 + 2 * torch.arange(8)[:, None]).long()
    return words * seen, seen


def test_means_of_tokens_on_a_quiet_branch_are_no_fault():
    """A mask is an input, but what an attention gives is still no first layer's."""
    torch.manual_seed(0)

    found = blamed(Reads(), sentences())

    assert found == []


def test_means_of_tokens_that_are_louder_than_the_tokens_are_found_beside_a_mask():
    torch.manual_seed(0)
    model = Reads()
    with torch.no_grad():
        for name in ("value", "out"):
            model.blocks[0].attention[name].weight.mul_(60)

    found = pytorch.check(model, sentences()).of("warning", "error")

    assert [(one.cause, one.parameter) for one in found] == [
        ("tokens_alike", "blocks.0.attention.out.weight")
    ]


def test_a_loud_attention_is_found_beside_a_mask():
    torch.manual_seed(0)
    model = Reads()
    with torch.no_grad():
        model.blocks[1].attention["out"].weight.mul_(10)

    found = pytorch.check(model, sentences()).of("warning", "error")

    assert [(one.cause, one.parameter) for one in found] == [
        ("off_its_siblings", "blocks.1.attention.out.weight")
    ]
