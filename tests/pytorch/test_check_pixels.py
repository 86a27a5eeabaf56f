"""Pixels from 0 to 255, which drown the positions that they are added to."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from initlab import pytorch

WIDTH, CLASSES = 32, 5


class Latents(nn.Module):
    """A few latents read patches with positions, behind a normalization."""

    def __init__(self, with_class: bool = False) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(8, WIDTH) * 0.02)
        self.patch = nn.Linear(3, WIDTH)
        self.token = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        self.positions = nn.Parameter(torch.randn(65 if with_class else 64, WIDTH) / 50)
        self.norm = nn.LayerNorm(WIDTH)
        self.reads = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.head = nn.Linear(WIDTH, CLASSES)
        self.with_class = with_class
        if not with_class:
            del self.token

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patch(x.flatten(2).mT)
        if self.with_class:
            token = self.token.expand(len(x), -1, -1)
            patches = torch.cat([token, patches], 1)
        seen = self.norm(patches + self.positions)
        latents = self.latents.expand(len(x), -1, -1)
        return self.head((latents + self.reads(latents, seen, seen)[0]).mean(1))


def flagged(model: nn.Module, x: Tensor) -> list[tuple[str, str, str | None]]:
    diagnosis = pytorch.check(
        model, x, targets=torch.randint(CLASSES, (len(x),)),
        loss=functional.cross_entropy,
    )  # fmt: skip
    return [(f.id, f.cause, f.parameter) for f in diagnosis.of("error", "warning")]


def pixels() -> Tensor:
    return torch.rand(16, 3, 8, 8)


@pytest.mark.parametrize("with_class", [False, True])
def test_positions_that_unscaled_pixels_drown_are_named(with_class: bool) -> None:
    torch.manual_seed(0)
    model, x = Latents(with_class), (pixels() * 255).round()
    found = [("WI05", "drowned_by_inputs", "positions")]
    assert flagged(model, x) == found
    before = {name: p.clone() for name, p in model.named_parameters()}
    repair = pytorch.repair_(model, x)
    assert "scale the inputs" in str(repair)
    assert all(torch.equal(before[n], p) for n, p in model.named_parameters())


@pytest.mark.parametrize("with_class", [False, True])
def test_scaled_ones_drown_none(with_class: bool) -> None:
    torch.manual_seed(0)
    assert flagged(Latents(with_class), (pixels() - 0.5) / 0.29) == []
    assert flagged(Latents(with_class), pixels()) == []


def test_numbers_of_a_few_are_no_pixels() -> None:
    torch.manual_seed(0)
    model = Latents()
    model.positions.data.mul_(0.3)
    assert flagged(model, pixels() * 10) == []


def test_positions_of_next_to_nothing_are_not_blamed_on_inputs() -> None:
    torch.manual_seed(0)
    model = Latents()
    model.positions.data.mul_(1e-4)
    assert "drowned_by_inputs" not in {one[1] for one in flagged(model, pixels() * 255)}
