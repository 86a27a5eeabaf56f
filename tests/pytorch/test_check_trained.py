"""What a training may have made so is found in fresh models alone."""

import pytest
import torch
from torch import nn

from initlab import pytorch

ROWS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
TARGETS = torch.randn(64, 4, generator=torch.Generator().manual_seed(2))


class Network(nn.Module):
    """Two layers behind a batch normalization, with positions, a decay and a scale."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.counts = nn.Linear(16, 32), nn.BatchNorm1d(32)
        self.places = nn.Parameter(0.02 * torch.randn(64, 32))
        self.norm, self.middle = nn.LayerNorm(32), nn.Linear(32, 32)
        self.decay = nn.Parameter(torch.zeros(32))
        self.head = nn.Linear(32, 4)
        self.log_std = nn.Parameter(torch.zeros(4))

    def forward(self, x):
        hidden = torch.relu(self.counts(self.stem(x) + self.places))
        hidden = torch.relu(self.middle(self.norm(hidden)))
        mean = self.head(hidden * self.decay.sigmoid())
        return mean, self.log_std.expand_as(mean)


def likelihood(outputs, targets):
    mean, log_std = outputs
    return (0.5 * ((targets - mean) / log_std.exp()) ** 2 + log_std).mean()


def blamed(model):
    found = pytorch.check(model, ROWS, targets=TARGETS, loss=likelihood)
    return {(one.cause, one.parameter) for one in found.of("warning", "error")}


FAULTS = {
    "bias_drowns": ("norm.bias", lambda one: nn.init.normal_(one, std=60.0)),
    "gamma_tiny": ("norm.weight", lambda one: nn.init.constant_(one, 1e-3)),
    "drowns_a_signal": ("places", lambda one: nn.init.normal_(one, std=80.0)),
    "flat_parameter": ("decay", lambda one: nn.init.constant_(one, -12.0)),
    "far_off": ("log_std", lambda one: nn.init.constant_(one, 8.0)),
    "beyond_any_law": ("middle.weight", lambda one: nn.init.normal_(one, std=30.0)),
}


@pytest.mark.parametrize("cause", sorted(FAULTS))
@pytest.mark.parametrize("batches", [0, 100_000])
def test_what_is_odd_in_a_fresh_model_may_be_learned(cause, batches):
    name, plant = FAULTS[cause]
    model = Network()
    plant(model.get_parameter(name))
    model.counts.num_batches_tracked.fill_(batches)

    found = blamed(model)

    assert ((cause, name) in found) == (batches == 0)


@pytest.mark.parametrize("batches", [0, 100_000])
def test_a_model_without_a_fault_is_sound_before_and_after_training(batches):
    model = Network()
    model.counts.num_batches_tracked.fill_(batches)

    assert blamed(model) == set()
