"""Weight norms: a layer whose sizes are off is named by them, and repaired there."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from initlab import pytorch

ROWS = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))


def by_hook(layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(layer)


SIZES = "parametrizations.weight.original0"
NORMS = {
    "parametrization": (parametrizations.weight_norm, SIZES),
    "hook": (by_hook, "weight_g"),
}


def network(norm, places):
    """Twelve layers of He's weights, some of them with a weight norm."""
    torch.manual_seed(0)
    layers = [nn.Linear(64, 64) if n % 2 == 0 else nn.ReLU() for n in range(24)]
    model = nn.Sequential(*layers, nn.Linear(64, 3))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    nn.init.normal_(model[-1].weight, std=0.05)
    for place in places:
        model[place] = norm(model[place])
    return model


@pytest.mark.parametrize("kind", sorted(NORMS))
@pytest.mark.parametrize("places", [[4], range(0, 24, 2)])
@pytest.mark.parametrize("factor", [1.0, 20.0, 0.02])
def test_sizes_that_are_off_are_named_and_repaired(kind, places, factor):
    norm, name = NORMS[kind]
    model = network(norm, places)
    sizes = model.get_parameter(f"4.{name}")
    healthy = sizes.detach().clone()
    with torch.no_grad():
        sizes *= factor

    found = pytorch.check(model, ROWS).of("warning", "error")
    repair = pytorch.repair_(model, ROWS)

    expected = [] if factor == 1 else [("WI05", f"4.{name}")]
    assert [(one.id, one.parameter) for one in found] == expected
    assert [change.parameter for change in repair.changes] == [
        parameter for _, parameter in expected
    ]
    # The law is He's, from which one draw of 64 x 64 weights differs a little.
    assert torch.allclose(sizes, healthy, rtol=0.05)
    assert not pytorch.check(model, ROWS).findings


def test_a_norm_that_fixes_the_size_is_judged_by_no_law():
    model = network(parametrizations.spectral_norm, [4])
    with torch.no_grad():
        model[4].parametrizations.weight.original *= 20.0

    assert not pytorch.check(model, ROWS).of("warning", "error")
