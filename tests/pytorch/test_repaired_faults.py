"""Faults that one change mends: the repair makes it, as the printed fix does."""

import torch
from torch import nn

from initlab import pytorch

WORDS = 50


class Tagger(nn.Module):
    """Two bidirectional layers in one fused operation."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(WORDS, 32)
        self.cells = nn.LSTM(32, 64, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(128, 7)

    def forward(self, tokens):
        return self.head(self.cells(self.table(tokens))[0])


class Language(nn.Module):
    """A table that is the head as well, behind a normalization."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(WORDS, 32)
        self.layer, self.norm = nn.Linear(32, 32), nn.LayerNorm(32)
        self.head = nn.Linear(32, WORDS, bias=False)
        self.head.weight = self.table.weight

    def forward(self, tokens):
        signal = self.table(tokens)
        return self.head(self.norm(signal + torch.tanh(self.layer(signal))))


class TwoOutputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Linear(16, 32), nn.Linear(32, 8)
        self.other = nn.Linear(32, 4)

    def forward(self, x):
        hidden = torch.relu(self.layer(x))
        return self.head(hidden), self.other(hidden)


def tokens(many=8):
    return torch.randint(0, WORDS, (many, 16))


def blamed(diagnosis):
    return {(one.id, one.parameter) for one in diagnosis.of("warning", "error")}


@torch.no_grad()
def test_what_another_finding_hid_is_mended_after_it():
    model, batch = Language(), tokens()
    # The tied table alone does not make these logits quiet: the bias must go first.
    model.norm.bias.copy_(torch.linspace(-20, 20, 32))

    repair = pytorch.repair_(model, batch, targets=tokens())

    assert blamed(repair.before) == {("WI18", "table.weight"), ("WI07", "norm.bias")}
    assert [one.parameter for one in repair.changes][:2] == [
        "norm.bias", "table.weight",
    ]  # fmt: skip
    assert repair.after.sound, repair.after
    assert repair.unrepaired == ()
