"""Biases that make outputs sure, wherever they stand, and tables that do it."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

CODES = torch.randint(10, (128, 6), generator=torch.Generator().manual_seed(1))
YES = (CODES.sum(1) > 27).float()
VECTORS = torch.randn(64, 16, generator=torch.Generator().manual_seed(2))
TOKENS = torch.randint(31, (16, 20), generator=torch.Generator().manual_seed(3))
NEXT = TOKENS.roll(-1, 1)


class Factorized(nn.Module):
    """A factorization machine beside a network, with one bias for all (DeepFM)."""

    def __init__(self, std=0.1, bias=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(10, 6)
        self.deep = nn.Sequential(
            nn.Linear(36, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1)
        )
        self.bias = nn.Parameter(torch.full((1,), bias))
        nn.init.normal_(self.table.weight, std=std)

    def forward(self, codes):
        rows = self.table(codes)
        pairs = rows.sum(1).square() - rows.square().sum(1)
        return pairs.sum(1) / 2 + self.deep(rows.flatten(1))[:, 0] + self.bias


class Tied(nn.Module):
    """A recurrent language model whose table is its head, with a bias."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(31, 40)
        nn.init.normal_(self.table.weight, std=0.05)
        self.cell = nn.GRU(40, 40, batch_first=True)
        self.bias = nn.Parameter(torch.zeros(31))

    def forward(self, tokens):
        states = self.cell(self.table(tokens))[0]
        return functional.linear(states, self.table.weight, self.bias)


def ranked(outputs, ranks):
    """The loss of ordered classes: one cross-entropy for each cut."""
    passed = ranks[:, None] > torch.arange(outputs.shape[1])
    return functional.binary_cross_entropy_with_logits(outputs, passed.float())


def over_tokens(outputs, targets):
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())


def blamed(model, batch, **more):
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


@pytest.mark.parametrize("loss", [None, functional.binary_cross_entropy_with_logits])
def test_a_bias_outside_of_any_layer_is_named(loss):
    model = Factorized(bias=-20.0)

    ((check, cause, name),) = blamed(model, CODES, loss=loss, targets=YES)

    assert (cause, name) == ("biased_logits", "bias")
    assert check in ("WI14", "WI15")
    pytorch.repair_(model, CODES, loss=loss, targets=YES)
    assert abs(float(model.bias.detach())) < 3
    assert not blamed(model, CODES, loss=loss, targets=YES)


def test_no_bias_is_named_where_there_is_none():
    assert not blamed(Factorized(), CODES, targets=YES)


def test_a_loud_table_is_named_and_not_the_layers_that_read_it():
    model = Factorized(std=4.0)
    found = pytorch.check(model, CODES, targets=YES)
    (loud,) = found.of("warning", "error")
    assert (loud.id, loud.parameter) == ("WI14", "table.weight")

    exec(loud.fix, {"torch": torch, "model": model, "finding": loud})

    # Outputs are products of two rows: the root of their factor is enough.
    assert 0.1 < float(model.table.weight.detach().std()) < 0.5
    assert not blamed(model, CODES, targets=YES)


@pytest.mark.parametrize("far", [False, True])
def test_far_biases_of_ordered_cuts_are_named(far):
    model = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 5))
    if far:
        nn.init.constant_(model[2].bias, -30)
    ranks = torch.arange(64) % 6

    found = blamed(model, VECTORS, loss=ranked, targets=ranks)

    assert found == ([("WI14", "biased_outputs", "2.bias")] if far else [])


@pytest.mark.parametrize("far", [False, True])
def test_a_bias_behind_a_tied_table_is_named_and_not_the_table(far):
    model = Tied()
    if far:
        with torch.no_grad():
            model.bias.copy_(torch.linspace(-25, 25, 31))

    found = blamed(model, TOKENS, loss=over_tokens, targets=NEXT)

    assert found == ([("WI14", "biased_choice", "bias")] if far else [])


def test_a_bias_at_the_shares_of_the_classes_is_sound():
    model = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 4))
    labels = torch.tensor([0] * 58 + [1, 1, 2, 2, 3, 3])
    shares = torch.bincount(labels) / 64
    with torch.no_grad():
        model[2].bias.copy_(shares.log())

    assert not blamed(model, VECTORS, targets=labels)
