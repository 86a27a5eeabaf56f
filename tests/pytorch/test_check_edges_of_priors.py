"""What is no prior of an output: of frozen heads, of one head twice, of loud inputs."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

ROWS = torch.randn(128, 16, generator=torch.Generator().manual_seed(1))
RARE = (torch.rand(128, 8, generator=torch.Generator().manual_seed(3)) < 0.02).float()


def blamed(model, batch=ROWS, **more):
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return sorted((one.id, one.cause, one.parameter) for one in found)


def network(units=8):
    torch.manual_seed(0)
    layers = nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, units)
    return nn.Sequential(*layers)


class Pair(nn.Module):
    """Two outputs, of one head or of a head each."""

    def __init__(self, *, shared):
        super().__init__()
        torch.manual_seed(0)
        self.body, self.shared = network(32)[:2], shared
        self.one, self.two = nn.Linear(64, 8 if shared else 4), nn.Linear(64, 4)
        if shared:
            self.two = None

    def forward(self, x):
        hidden = self.body(x)
        if self.shared:
            return tuple(self.one(hidden).chunk(2, dim=1))
        return self.one(hidden), self.two(hidden)


def binary(outputs, targets):
    return sum(
        functional.binary_cross_entropy(one.sigmoid(), goal)
        for one, goal in zip(outputs, targets, strict=True)
    )


@pytest.mark.parametrize("shared", [True, False])
def test_outputs_of_one_head_are_one_finding(shared):
    targets = tuple(RARE.chunk(2, dim=1))

    named = blamed(Pair(shared=shared), targets=targets, loss=binary)

    expected = ["one.bias"] if shared else ["one.bias", "two.bias"]
    assert named == [("WI15", "imbalance_ignored", one) for one in expected]


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_head_learns_no_prior(frozen):
    model = network()
    model[2].requires_grad_(not frozen)

    def loss(outputs, targets):
        return functional.binary_cross_entropy(outputs.sigmoid(), targets)

    expected = [] if frozen else [("WI15", "imbalance_ignored", "2.bias")]
    assert blamed(model, targets=RARE, loss=loss) == expected


def smooth(outputs, targets):
    return functional.cross_entropy(outputs, targets, label_smoothing=0.1)


@pytest.mark.parametrize("common", [True, False])
def test_classes_of_which_none_is_common_need_no_prior(common):
    """Of 40 classes five are met, or one more often than all others."""
    labels = torch.arange(128) % 5
    labels[: 110 if common else 0] = 0

    named = blamed(network(40), targets=labels, loss=smooth)

    expected = [("WI15", "imbalance_ignored", "2.bias")] if common else []
    assert named == expected


def loud_of_one_sign(*, frozen=False):
    """A head whose weights are all above 0, on what is above 0."""
    model = network(1)
    with torch.no_grad():
        model[2].weight.copy_(model[2].weight.abs() * 50)
        model[2].bias.zero_()
    model[2].weight.requires_grad_(not frozen)
    return model


@pytest.mark.parametrize("frozen", [True, False])
def test_a_loud_head_is_named_where_it_can_be_changed(frozen):
    targets = torch.randn(128, 1)

    named = blamed(loud_of_one_sign(frozen=frozen), targets=targets)

    assert ("WI15", "mean_ignored", "2.bias") not in named or frozen
    assert any(parameter == "2.weight" for *_, parameter in named) == (not frozen)


def ordinal(outputs, targets):
    """Of cuts between ordered classes, which we do not know."""
    return functional.softplus(outputs * (1 - 2 * (targets > 0).float())).mean()


@pytest.mark.parametrize("by_bias", [True, False])
def test_outputs_of_one_sign_that_no_bias_makes_are_no_bias_s(by_bias):
    model = loud_of_one_sign()
    if by_bias:
        model = network(1)
        nn.init.constant_(model[2].bias, 60.0)

    named = {one for *_, one in blamed(model, targets=ROWS[:, :1], loss=ordinal)}

    assert ("2.bias" in named) == by_bias


class Given(nn.Module):
    """Logits that the inputs bring along, to which a head of zeros is added."""

    def __init__(self, head_std):
        super().__init__()
        self.net = network(8)
        nn.init.normal_(self.net[2].weight, std=head_std)

    def forward(self, x, logits):
        return self.net(x) + logits


@pytest.mark.parametrize("head_std", [0.0, 9.0])
def test_logits_that_the_inputs_give_are_no_parameter_s(head_std):
    labels = torch.arange(128) % 8
    logits = 40 * torch.randn(128, 8, generator=torch.Generator().manual_seed(5))

    named = blamed(Given(head_std), (ROWS, logits), targets=labels)

    assert all(one == "net.2.weight" for *_, one in named)
    assert bool(named) == (head_std > 0)


class Bigrams(nn.Module):
    """Logits of a table, fixed or learned, and a head of zeros beside it."""

    def __init__(self, *, learned):
        super().__init__()
        torch.manual_seed(0)
        table = 30 * torch.randn(8, 8)
        if learned:
            self.table = nn.Parameter(table)
        else:
            self.register_buffer("table", table)
        self.words, self.head = nn.Embedding(8, 16), nn.Linear(16, 8)
        nn.init.zeros_(self.head.weight)

    def forward(self, ids):
        return functional.embedding(ids, self.table) + self.head(self.words(ids))


@pytest.mark.parametrize("learned", [True, False])
def test_a_table_that_makes_logits_loud_is_named_where_it_is_learned(learned):
    ids = torch.arange(128) % 8

    named = blamed(Bigrams(learned=learned), ids, targets=ids.roll(1))

    assert {one for *_, one in named} == ({"table"} if learned else set())


class Beside(nn.Module):
    """Two heads, and an output that two numbers alone make."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = network(32)[:2]
        self.first, self.second = nn.Linear(64, 8), nn.Linear(64, 8)
        self.one, self.two = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, x):
        hidden = self.body(x)
        numbers = (self.one * self.two).expand(len(x), 8)
        return self.first(hidden), self.second(hidden), numbers


@pytest.mark.parametrize(
    ("far", "named"), [(0, ["first.bias"]), (1, ["second.bias"]), (2, [])]
)
def test_an_output_that_numbers_make_is_of_no_head(far, named):
    def loss(outputs, targets):
        away = [0.0, 0.0, 0.0]
        away[far] = 50 + targets
        return sum(
            (one - goal).square().mean()
            for one, goal in zip(outputs, away, strict=True)
        )

    found = blamed(
        Beside(), targets=50 + ROWS[:, :8], loss=lambda o, y: loss(o, y - 50)
    )

    assert [one for _, cause, one in found if cause == "mean_ignored"] == named
