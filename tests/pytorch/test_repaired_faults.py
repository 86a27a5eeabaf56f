"""Faults that one change mends: the repair makes it, as the printed fix does."""

import pytest
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


@torch.no_grad()
def test_a_head_next_to_zero_gets_the_variance_that_its_finding_expects():
    layers = [nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(32, 5))
    nn.init.normal_(model[-1].weight, std=1e-4)
    model[0].bias.zero_()

    repair = pytorch.repair_(model, torch.randn(64, 32), targets=torch.arange(64) % 5)

    assert [one.cause for one in repair.before.of("warning")] == ["tiny_head"]
    assert [one.parameter for one in repair.changes] == ["4.weight"]
    assert float(32 * model[-1].weight.pow(2).mean()) == pytest.approx(1.0, rel=1e-5)
    assert repair.after.sound, repair.after


@torch.no_grad()
def test_all_loud_inputs_of_a_fused_recurrent_layer_become_quiet_together():
    model, batch = Tagger(), tokens()
    for weight in model.parameters():
        if weight.dim() > 1:
            nn.init.normal_(weight)
    forget = model.cells.bias_hh_l0.clone()

    repair = pytorch.repair_(model, batch, targets=torch.randint(0, 7, (8, 16)))

    gates = next(one for one in repair.before if one.cause == "saturated_gates")
    inputs = [f"cells.weight_ih_l{n}{way}" for n in (0, 1) for way in ("", "_reverse")]
    assert list(gates.places) == inputs
    assert 'finding.evidence["ratios"]' in gates.fix
    assert repair.after.sound, repair.after
    # Each is brought to the variance at which the first one's gates are open.
    factors = [
        float(weight.shape[1] * weight.pow(2).mean())
        for weight in map(model.get_parameter, inputs)
    ]
    assert factors == pytest.approx([1.0] * 4, rel=0.1)
    assert torch.equal(model.cells.bias_hh_l0, forget)


@torch.no_grad()
def test_a_bias_that_makes_outputs_loud_goes_where_no_targets_say_where_it_belongs():
    model = TwoOutputs()
    model.head.bias.copy_(torch.linspace(-20, 20, 8))

    repair = pytorch.repair_(model, torch.randn(64, 16))

    assert [one.cause for one in repair.before.of("warning")] == ["biased_choice"]
    assert repair.before.findings[0].fix.startswith("torch.nn.init.zeros_")
    assert not model.head.bias.any()
    assert repair.after.sound, repair.after


class Autoencoder(nn.Module):
    """A variational one: the exponential of what a layer gives is a deviation."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(64, 128), nn.Linear(8, 64)
        self.mean, self.log_deviation = nn.Linear(128, 8), nn.Linear(128, 8)

    def forward(self, x):
        hidden = torch.relu(self.encoder(x))
        mean, deviation = self.mean(hidden), self.log_deviation(hidden).exp()
        return self.decoder(mean + deviation * torch.randn_like(mean)), mean, deviation


@torch.no_grad()
def test_layers_that_overflow_together_become_quiet_together():
    model = Autoencoder()
    for weight in model.parameters():
        if weight.dim() > 1:
            nn.init.uniform_(weight)

    repair = pytorch.repair_(model, torch.rand(32, 64))

    found = repair.before.findings[0]
    assert (found.cause, found.parameter) == ("nonfinite_output", "decoder.weight")
    assert repair.after.sound, repair.after
    assert {one.parameter for one in repair.changes if one.finding == "WI01"} >= {
        "encoder.weight", "log_deviation.weight",
    }  # fmt: skip


def plain(activation, depth):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(64, 64), activation()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


@pytest.mark.parametrize(
    ("activation", "depth", "factor"),
    [(nn.Sigmoid, 10, 22.3), (nn.Hardswish, 30, 2.64)],
)
def test_an_error_that_becomes_a_warning_of_the_same_chain_is_repaired(
    activation, depth, factor
):
    model = plain(activation, depth)
    batch, labels = torch.randn(64, 64), torch.arange(64) % 10
    stem = model[0].weight.detach().clone()

    repair = pytorch.repair_(model, batch, targets=labels, train_steps=100)

    (before,) = repair.before.findings
    assert (before.id, before.severity) == ("WI05", "error")
    assert not repair.after.of("error")
    # Sigmoid has no critical point there: the repair takes the factor of the fix, too.
    assert float(64 * model[2].weight.detach().var()) == pytest.approx(factor, rel=0.01)
    # That the rest of WI07 moves along its chain is no reason to change the stem.
    assert torch.equal(model[0].weight, stem)
    assert repair.training.after[-1] < 0.8 * repair.training.before[-1]
