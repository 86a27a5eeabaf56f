"""Faults of real code on other architectures, each with a sound twin that is silent."""

import math

import pytest
import torch
from networks import GPT, plain
from torch import nn
from torch.nn import functional

from initlab import pytorch

WORDS = torch.randint(0, 61, (8, 24), generator=torch.Generator().manual_seed(3))
SERIES = torch.randn(16, 24, 8, generator=torch.Generator().manual_seed(1))
VECTORS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))


def blamed(model, batch, **more):
    """Causes with their parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


@pytest.mark.parametrize("loud", [False, True])
def test_positions_that_drown_the_words(loud):
    model = GPT(tied=False)
    nn.init.normal_(model.places.weight, std=10.0 if loud else 0.1)

    found = blamed(model, WORDS)

    expected = [("WI05", "drowns_a_signal", "places.weight")] if loud else []
    assert found == expected


def test_a_repair_quiets_positions():
    model = GPT(tied=False)
    nn.init.normal_(model.places.weight, std=10.0)

    repair = pytorch.repair_(model, WORDS)

    assert [one.parameter for one in repair.changes] == ["places.weight"]
    assert float(model.places.weight.detach().std()) == pytest.approx(0.02, rel=0.3)
    assert repair.after.sound


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
@pytest.mark.parametrize("loud", [False, True])
def test_inputs_that_shut_gates_for_good(kind, loud):
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = kind(8, 32, batch_first=True), nn.Linear(32, 4)
            if loud:
                nn.init.normal_(self.rnn.weight_ih_l0, std=4.0)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    found = blamed(Reads(), SERIES)

    expected = [("WI13", "saturated_gates", "rnn.weight_ih_l0")] if loud else []
    assert found == expected


@pytest.mark.parametrize("loud", [False, True])
def test_a_loud_head_of_several_is_named_and_not_the_chain_below(loud):
    class Acts(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = plain(depth=4, outputs=32, activation=nn.Tanh)
            self.policy, self.value = nn.Linear(32, 6), nn.Linear(32, 1)
            if loud:
                nn.init.normal_(self.policy.weight, std=4.0)

        def forward(self, x):
            x = torch.tanh(self.body(x))
            return self.policy(x), self.value(x)

    def loss(outputs, targets):
        policy, value = outputs
        return functional.cross_entropy(policy, targets) + value.square().mean()

    found = blamed(Acts(), VECTORS, loss=loss, targets=torch.arange(64) % 6)

    expected = [("WI05", "beyond_any_law", "policy.weight")] if loud else []
    assert found == expected


def test_the_share_of_shut_gates_is_that_of_a_normal_number():
    model = nn.LSTM(8, 64, batch_first=True)
    nn.init.normal_(model.weight_ih_l0, std=3.0)

    (found,) = pytorch.check(model, SERIES).of("warning", "error")

    z = SERIES @ model.weight_ih_l0.T
    slope = torch.sigmoid(z) * (1 - torch.sigmoid(z))
    share = float((slope < 0.05 / 4).float().mean())
    # Units differ: the norm of eight weights varies by a quarter.
    assert math.isclose(found.measured, share, abs_tol=0.06)
