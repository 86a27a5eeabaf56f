"""Loud tokens of a model's own; layers of which rank 1, or no gradient, is algebra."""

import pytest
import torch
from torch import nn

from initlab import pytorch

SERIES = torch.randn(48, 12, 6, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(48) % 4


class Tokens(nn.Module):
    """Patches beside a class token, with positions added."""

    def __init__(self, token=0.02, positions=0.02):
        super().__init__()
        self.patch = nn.Linear(6, 32)
        self.token = nn.Parameter(torch.randn(1, 1, 32) * token)
        self.positions = nn.Parameter(torch.randn(1, 13, 32) * positions)
        self.layer = nn.TransformerEncoderLayer(
            32, 4, 64, 0.0, batch_first=True, norm_first=True
        )
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        token = self.token.expand(len(x), -1, -1)
        x = torch.cat([token, self.patch(x)], 1) + self.positions
        return self.head(self.layer(x).mean(1))


@pytest.mark.parametrize(
    ("sizes", "named"),
    [
        ({}, None),
        ({"positions": 1.0}, None),
        ({"token": 30.0}, "token"),
        ({"positions": 8.0}, "positions"),
    ],
)
def test_loud_tokens_and_positions(sizes, named):
    torch.manual_seed(0)
    found = pytorch.check(Tokens(**sizes), SERIES).of("warning", "error")
    assert {(one.id, one.parameter) for one in found} == (
        {("WI05", named)} if named else set()
    )


def test_a_backward_layer_read_at_the_last_position_is_info():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.LSTM(6, 16, batch_first=True, bidirectional=True)
            self.head = nn.Linear(32, 4)

        def forward(self, x):
            return self.head(self.cell(x)[0][:, -1])

    diagnosis = pytorch.check(Last(), SERIES, targets=LABELS)
    assert diagnosis.sound
    assert "cell.weight_hh_l0_reverse" in {one.parameter for one in diagnosis.findings}
