"""Scales that nothing hangs on, or that something bounds, and faults beside them."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

RANDOM = torch.Generator().manual_seed(1)
VECTORS = torch.randn(64, 20, generator=RANDOM)
LABELS = torch.arange(64) % 10


def blamed(model, batch=VECTORS, **more):
    """Causes with their parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.cause, one.parameter) for one in found]


class Compares(nn.Module):
    """Cosines of what a perceptron makes with a row for each class, enlarged."""

    def __init__(self, std=0.2, layers=3, *, factor=10.0, learned=False):
        super().__init__()
        torch.manual_seed(0)
        widths = [20, *[64] * layers]
        hidden = []
        for fan_in, fan_out in pairwise(widths):
            layer = nn.Linear(fan_in, fan_out)
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)
            hidden += [layer, nn.GELU()]
        self.body = nn.Sequential(*hidden[:-1])
        self.rows = nn.Parameter(torch.randn(10, 64) / 8)
        self.factor = nn.Parameter(torch.tensor(factor)) if learned else factor

    def forward(self, x):
        x = functional.normalize(self.body(x))
        return self.factor * functional.linear(x, functional.normalize(self.rows))


def test_quiet_layers_whose_end_is_brought_to_length_one():
    """As DINO's head, with Adam as fast as He's: .39 and .43 after 300 steps."""
    model = Compares(std=0.02)

    found = pytorch.check(model, VECTORS, targets=LABELS).findings

    assert ("wrong_gain", "info") in [(one.cause, one.severity) for one in found]
    assert blamed(model, targets=LABELS) == []


def test_layers_so_quiet_that_nothing_is_left_to_bring_to_length_one():
    """After 300 steps of Adam at 1.9, with He's at .3."""
    found = blamed(Compares(std=0.02, layers=6), targets=LABELS)

    assert [cause for cause, _ in found] == ["wrong_gain"]


def test_cosines_that_are_enlarged_by_design():
    """As ArcFace's, by 64: no parameter's size makes them smaller."""
    found = pytorch.check(Compares(factor=64.0), VECTORS, targets=LABELS).findings

    assert [(one.cause, one.severity, one.parameter) for one in found] == [
        ("enlarged_cosines", "info", None)
    ]


def test_cosines_that_a_parameter_enlarges_beyond_any_use():
    found = blamed(Compares(factor=500.0, learned=True), targets=LABELS)

    assert found == [("over_confident", "factor")]


class Measures(nn.Module):
    """Squared distances from rows for each class, as of a prototypical network."""

    def __init__(self, gamma=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(),
            nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(),
        )  # fmt: skip
        nn.init.constant_(self.body[4].weight, gamma)

    def forward(self, x):
        x = self.body(x)
        return -(torch.cdist(x, x[:10]) ** 2)


def test_squared_distances_of_normalized_features():
    found = pytorch.check(Measures(), VECTORS, targets=LABELS.roll(3)).findings

    assert [(one.cause, one.severity) for one in found] == [("over_confident", "info")]


def test_squared_distances_of_features_that_a_gamma_enlarges():
    found = blamed(Measures(gamma=3.0), targets=LABELS.roll(3))

    assert found == [("over_confident", "body.4.weight")]


class Convolves(nn.Module):
    """Graph convolutions with the identity mixed in, as GCNII of 32 layers."""

    def __init__(self, layers=32, width=32):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.head = nn.Linear(20, width), nn.Linear(width, 7)
        self.weights = nn.ParameterList(
            nn.init.xavier_uniform_(torch.empty(width, width)) for _ in range(layers)
        )

    def forward(self, x, edges):
        x = start = self.first(x).relu()
        for number, weight in enumerate(self.weights):
            share = math.log(0.5 / (number + 1) + 1)
            mixed = 0.9 * edges @ x + 0.1 * start
            x = (share * mixed @ weight + (1 - share) * mixed).relu()
        return self.head(x)


def graph():
    edges = (torch.rand(64, 64, generator=RANDOM) < 0.1).float()
    edges = ((edges + edges.T + torch.eye(64)) > 0).float()
    root = edges.sum(1).rsqrt()
    return VECTORS.abs() / 20, root[:, None] * edges * root


def test_updates_that_means_over_neighbours_make_alike():
    assert blamed(Convolves(), graph(), targets=LABELS % 7) == []


class AddsReadouts(nn.Module):
    """A graph isomorphism network: sums over nodes are read after each layer."""

    def __init__(self, gain=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(fan_in, 64), nn.BatchNorm1d(64), nn.ReLU())
            for fan_in in [20, *[64] * 3]
        )
        self.reads = nn.ModuleList(nn.Linear(64, 2) for _ in self.layers)
        for read in self.reads:
            read.weight.data.mul_(gain)

    def forward(self, nodes):
        outputs = 0.0
        for layer, read in zip(self.layers, self.reads, strict=True):
            nodes = layer(nodes.flatten(0, 1)).view(*nodes.shape[:2], -1)
            outputs = outputs + read(nodes.sum(1))
        return outputs


NODES = torch.randn(16, 32, 20, generator=RANDOM)


def test_readouts_of_usual_weights_that_are_added():
    found = pytorch.check(AddsReadouts(), NODES, targets=LABELS[:16] % 2).findings

    assert [(one.id, one.severity) for one in found] == [("WI14", "info")]


def test_readouts_of_large_weights_that_are_added():
    found = blamed(AddsReadouts(gain=2.0), NODES, targets=LABELS[:16] % 2)

    assert [cause for cause, _ in found] == ["over_confident"]


def test_units_alike_are_found_in_a_graph_network():
    model = Convolves(layers=2)
    with torch.no_grad():
        model.weights[0].copy_(model.weights[0][:, :1].expand(-1, 32).clone())

    found = blamed(model, graph(), targets=LABELS % 7)

    assert "weights.0" in {parameter for _, parameter in found}


class Chooses(nn.Module):
    """A code for each vector, chosen as wav2vec 2.0 does: by Gumbel's softmax."""

    def __init__(self, std=1.0, *, tau=2.0, sampled=True):
        super().__init__()
        torch.manual_seed(0)
        self.norm, self.logits = nn.LayerNorm(64), nn.Linear(64, 32)
        self.first, self.second = nn.Linear(20, 64), nn.Linear(64, 64)
        self.third, self.head = nn.Linear(32, 64), nn.Linear(64, 10)
        self.codes = nn.Parameter(torch.rand(32, 32))
        self.tau, self.sampled = tau, sampled
        nn.init.normal_(self.logits.weight, std=std)

    def forward(self, x):
        x = self.norm(self.second(self.first(x).relu()).relu())
        logits = self.logits(x)
        if self.sampled:
            chosen = functional.gumbel_softmax(logits, self.tau, hard=True)
        else:
            chosen = logits.softmax(-1)
        return self.head(self.third(chosen @ self.codes).relu())


def test_codes_of_one_sign_that_are_chosen_by_samples():
    assert blamed(Chooses(), targets=LABELS) == []


@pytest.mark.parametrize("model", [Chooses(10.0), Chooses(10.0, sampled=False)])
def test_choices_that_no_sample_changes(model):
    found = blamed(model, targets=LABELS)

    assert ("sharp_choice", "logits.weight") in found


def test_codes_of_one_sign_that_are_averaged():
    model = Chooses(0.1, sampled=False)

    assert ("not_centred", "codes") in blamed(model, targets=LABELS)


def decoder(draw):
    """Return an autoencoder of sounds with one transposed convolution at the end."""
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv1d(1, 64, 16, 8), nn.ReLU(), nn.Conv1d(64, 64, 1), nn.ReLU(),
        nn.ConvTranspose1d(64, 1, 16, 8),
    )  # fmt: skip
    for layer in model[:-1:2]:
        nn.init.kaiming_normal_(layer.weight)
    draw(model[-1].weight)
    return model


def test_xaviers_law_as_pytorch_counts_the_fans_of_a_decoder():
    sounds = torch.randn(8, 1, 160, generator=RANDOM)

    assert blamed(decoder(nn.init.xavier_normal_), sounds) == []


def test_a_decoder_whose_kernel_was_left_out():
    sounds = torch.randn(8, 1, 160, generator=RANDOM)

    def draw(weight):
        nn.init.normal_(weight, std=math.sqrt(2 / weight.shape[1]))

    found = blamed(decoder(draw), sounds)

    assert [parameter for _, parameter in found] == ["4.weight"]


def test_logits_of_cosines_are_for_information():
    """As Swin V2's in few dimensions: no weight of theirs changes the size."""

    class Cosines(nn.Module):
        def __init__(self, width):
            super().__init__()
            torch.manual_seed(0)
            self.ask, self.tell = nn.Linear(16, width), nn.Linear(16, width)
            self.give, self.head = nn.Linear(16, 16), nn.Linear(16, 4)

        def forward(self, x):
            ask, tell = (functional.normalize(f(x), dim=-1)
                         for f in (self.ask, self.tell))  # fmt: skip
            looks = (10 * ask @ tell.mT).softmax(-1)
            return self.head(x.mean(1) + (looks @ self.give(x)).mean(1))

    found = pytorch.check(Cosines(4), torch.randn(16, 12, 16)).findings
    assert [(one.id, one.severity) for one in found] == [("WI23", "info")]
