"""What narrow layers and functions that we do not know do is no fault of the start."""

import pytest
import torch
from torch import nn

from initlab import pytorch

VECTORS = torch.randn(64, 20, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 5


class Bent(nn.Module):
    """Layers with a function of our own choice between them."""

    def __init__(self, function):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Linear(20 if number == 0 else 48, 48) for number in range(4)
        )
        self.head = nn.Linear(48, 5)
        self.function = function

    def forward(self, x):
        for layer in self.layers:
            x = self.function(layer(x))
        return self.head(x)


def narrow(width, depth):
    layers = []
    for number in range(depth):
        layers += [nn.Linear(20 if number == 0 else width, width), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(width, 3))
    for layer in model[::2]:
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    return model


@pytest.mark.parametrize("function", [torch.cos, lambda v: torch.exp(-(v**2))])
@pytest.mark.parametrize("seed", range(3))
def test_updates_behind_unknown_functions_are_for_information(function, seed):
    torch.manual_seed(seed)

    found = pytorch.check(Bent(function), VECTORS, targets=LABELS)

    assert not found.of("warning", "error")


@pytest.mark.parametrize("seed", range(12))
def test_narrow_networks_of_hes_law_are_sound_at_any_seed(seed):
    torch.manual_seed(seed)

    found = pytorch.check(narrow(16, 16), VECTORS[:32], targets=LABELS[:32] % 3)

    assert not found.of("warning", "error")


def test_a_rank_of_one_in_wide_layers_is_a_warning():
    torch.manual_seed(0)
    model = narrow(64, 4)
    with torch.no_grad():
        direction = torch.randn(64)
        model[4].weight.copy_(torch.outer(torch.randn(64), direction) / 64)

    found = pytorch.check(model, VECTORS, targets=LABELS % 3)

    assert found.of("warning", "error")
