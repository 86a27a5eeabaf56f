"""Tables and cells of next to nothing, which leave a network without its tokens."""

import pytest
import torch
from torch import nn

from initlab import pytorch

TOKENS = torch.randint(24, (64, 10), generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 4


def blamed(model, batch=TOKENS, **more):
    """Checks with their causes and parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


class Bag(nn.Module):
    """A sum of rows, and a classifier of one hidden layer."""

    def __init__(self, scale, beside=0):
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.EmbeddingBag(24, 32, mode="sum")
        self.hidden, self.head = nn.Linear(32 + beside, 64), nn.Linear(64, 4)
        self.beside = beside
        nn.init.normal_(self.words.weight, std=0.35 * scale)

    def forward(self, tokens):
        read = self.words(tokens)
        if self.beside:
            read = torch.cat([read, tokens[:, : self.beside] / 24], dim=1)
        return self.head(self.hidden(read).relu())


@pytest.mark.parametrize("scale", [1.0, 3e-4, 1e-5])
def test_a_table_of_next_to_nothing(scale):
    found = blamed(Bag(scale), targets=LABELS)

    quiet = [("WI05", "quiet_table", "words.weight")]
    assert found == (quiet if scale == 1e-5 else [])


def test_a_quiet_table_beside_what_is_louder_is_a_choice():
    assert blamed(Bag(1e-5, beside=4), targets=LABELS) == []


def test_a_quiet_table_is_repaired_and_its_fix_is_the_same():
    model, by_fix = Bag(1e-5), Bag(1e-5)
    (finding,) = pytorch.check(by_fix, TOKENS, targets=LABELS).of("warning")
    exec(finding.fix, {"model": by_fix, "finding": finding, "torch": torch})

    repair = pytorch.repair_(model, TOKENS, targets=LABELS)

    assert [c.parameter for c in repair.changes] == ["words.weight"]
    torch.testing.assert_close(model.words.weight, by_fix.words.weight, rtol=0.01,
                               atol=0.0)  # fmt: skip
    assert blamed(by_fix, targets=LABELS) == []


class Encoder(nn.Module):
    """Tokens and positions, two layers, a mean and a classifier."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words, self.places = nn.Embedding(24, 48), nn.Embedding(10, 48)
        nn.init.normal_(self.places.weight, std=0.1)
        layer = nn.TransformerEncoderLayer(
            48, 4, 96, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.ModuleList([layer])
        self.norm, self.head = nn.LayerNorm(48), nn.Linear(48, 4)

    def forward(self, tokens):
        x = self.words(tokens) + self.places(torch.arange(10))
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(1))


@pytest.mark.parametrize("table", ["words", "places", None])
def test_words_of_zeros_leave_only_where_they_are(table):
    model = Encoder()
    if table:
        nn.init.zeros_(getattr(model, table).weight)

    found = blamed(model, targets=LABELS)

    hidden = [("WI03", "zero_weight_on_trunk", "words.weight")]
    assert found == (hidden if table == "words" else [])


class Cells(nn.Module):
    """Words that two layers of cells read, and a classifier of the last state."""

    def __init__(self, kind, std, of="weight"):
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(24, 32)
        self.cells, self.head = kind(32, 48, 2, batch_first=True), nn.Linear(48, 4)
        for name, parameter in self.cells.named_parameters():
            if name.startswith(of) and std is not None:
                nn.init.normal_(parameter, std=std)

    def forward(self, tokens):
        return self.head(self.cells(self.words(tokens))[0][:, -1])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("std", [None, 0.01, 0.003])
def test_cells_whose_weights_move_no_gate(kind, std):
    found = blamed(Cells(kind, std), targets=LABELS)

    quiet = [("WI05", "quiet_cells", "cells.weight_ih_l0")]
    assert found == (quiet if std == 0.003 else [])


def test_quiet_recurrent_weights_alone_leave_the_inputs():
    assert blamed(Cells(nn.LSTM, 1e-4, of="weight_hh"), targets=LABELS) == []


def test_quiet_cells_are_repaired():
    model = Cells(nn.LSTM, 0.003)

    repair = pytorch.repair_(model, TOKENS, targets=LABELS)

    assert len(repair.changes) == 4
    assert blamed(model, targets=LABELS) == []


def test_a_quiet_state_beside_input_weights_that_another_network_makes():
    """As in hypernetworks (Ha et al., 2017): its inputs are heard."""

    class Hyper(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.makes, self.head = nn.Linear(8, 48 * 8), nn.Linear(16, 4)
            self.state = nn.Parameter(1e-4 * torch.randn(48, 16))

        def forward(self, x):
            weight = self.makes(x.mean(0)).reshape(48, 8)
            start = torch.ones(len(x), 16)
            return self.head(torch.gru_cell(x, start, weight, self.state))

    found = blamed(Hyper(), torch.randn(64, 8))

    assert "quiet_cells" not in [one[1] for one in found]
