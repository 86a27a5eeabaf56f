"""A cause beside what comes of it, which is named alone where it is there alone."""

import pytest
import torch
from torch import nn

from initlab import pytorch

ROWS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 4
COUNTS = torch.arange(64).remainder(5).float()[:, None].expand(-1, 4)


def blamed(model, batch=ROWS, **more):
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return sorted((one.id, one.cause, one.parameter) for one in found)


def network(activation=nn.ReLU):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(16, 64), activation(), nn.Linear(64, 64), activation(),
        nn.Linear(64, 4),
    )  # fmt: skip


@pytest.mark.parametrize("constant", [True, False])
def test_units_that_are_given_one_number_are_off_for_that(constant):
    model = network()
    nn.init.zeros_(model[0].bias)
    nn.init.zeros_(model[2].bias)
    model[2].weight.data.sub_(0.15)
    if constant:
        nn.init.constant_(model[0].weight, 0.3)

    named = blamed(model)

    assert named == [
        ("WI02", "constant_weight", "0.weight") if constant
        else ("WI12", "inactive_units", "2.weight")
    ]  # fmt: skip


@pytest.mark.parametrize("constant", [True, False])
def test_equal_weights_make_an_exponential_loss_explode(constant):
    model = network()
    nn.init.constant_(model[2].weight, 0.9)
    nn.init.constant_(model[4].weight, 0.05)
    with torch.no_grad():
        model[4].weight.mul_(0.5 + torch.rand(4, 64))
        if not constant:
            model[2].weight.mul_(0.5 + torch.rand(64, 64))

    named = blamed(model, targets=COUNTS, loss=nn.PoissonNLLLoss())

    causes = {cause for _, cause, _ in named}
    assert ("constant_weight" in causes) == constant
    assert ("explosive_parameter" in causes) == (not constant)


class Trunk(nn.Module):
    """Blocks whose branches are as loud as a factor of them all, in a loop or not."""

    def __init__(self, factor):
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.head = nn.Linear(16, 64), nn.Linear(64, 4)
        self.blocks = nn.ModuleList(nn.Linear(64, 64) for _ in range(14))
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + self.factor * torch.relu(block(x))
        return self.head(x)


@pytest.mark.parametrize("factor", [0.1, 3.0])
def test_a_trunk_that_grows_makes_a_loss_explode(factor):
    named = blamed(Trunk(factor), targets=torch.randn(64, 4))

    causes = {cause for _, cause, _ in named}
    assert causes == (set() if factor < 1 else {"residual_growth"})


class Placed(nn.Module):
    """Signals with positions, in a tanh."""

    def __init__(self, loud):
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.middle = nn.Linear(16, 64), nn.Linear(64, 64)
        self.places = nn.Parameter(loud * torch.randn(12, 64))
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        return self.head(torch.tanh(self.middle(self.stem(x) + self.places)))


@pytest.mark.parametrize("loud", [0.02, 80.0])
def test_loud_positions_saturate_what_they_are_given_to(loud):
    series = torch.randn(16, 12, 16)

    expected = [("WI05", "drowns_a_signal", "places")] if loud > 1 else []
    assert blamed(Placed(loud), series) == expected


@pytest.mark.parametrize("held", ["all", "first"])
def test_what_an_optimizer_leaves_out_is_said_beside_a_factor_next_to_zero(held):
    model = nn.Sequential(*network()[:2], nn.LayerNorm(64), nn.Linear(64, 4))
    nn.init.constant_(model[2].weight, 1e-3)
    parameters = (model if held == "all" else model[:3]).parameters()

    named = blamed(
        model, targets=LABELS, optimizer=torch.optim.AdamW(parameters, lr=1e-3)
    )

    expected = [("WI17", "gamma_tiny", "2.weight")]
    if held == "first":
        expected.append(("WI24", "not_optimized", "3.weight"))
    assert named == expected


class Steep(nn.Module):
    """A normalization in a tanh, as loud as its factor or a number makes it."""

    def __init__(self, factor, number):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm = nn.Linear(16, 64), nn.LayerNorm(64)
        nn.init.constant_(self.norm.weight, factor)
        self.number, self.head = number, nn.Linear(64, 4)

    def forward(self, x):
        return self.head(torch.tanh(self.number * self.norm(self.first(x))))


@pytest.mark.parametrize(
    ("factor", "number", "named"),
    [(1.0, 1.0, None), (30.0, 1.0, "norm.weight"), (1.0, 30.0, "first.weight")],
)
def test_a_factor_of_a_normalization_saturates_and_no_other_number(
    factor, number, named
):
    found = blamed(Steep(factor, number))

    assert [parameter for *_, parameter in found] == ([named] if named else [])
