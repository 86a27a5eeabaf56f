"""Losses of what a model gives: of one tensor of it, or of objects of any class."""

import math
from collections import OrderedDict
from typing import NamedTuple

import pytest
import torch
from networks import Gives
from torch import nn
from torch.nn import functional

from initlab import pytorch
from initlab.errors import InvalidValueError
from initlab.spec import facts_from_json

BATCH = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))
EVEN = (torch.rand(64, 10, generator=torch.Generator().manual_seed(3)) < 0.5).float()
LABELS = torch.arange(64) % 10


class Pair(NamedTuple):
    logits: torch.Tensor
    name: str


class Output(OrderedDict):
    """As libraries have them: its items are attributes, too."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Opaque:
    def __init__(self, logits):
        self.logits = logits


def given_by(kind, bias=0.0):
    model = Gives(kind)
    nn.init.constant_(model.layer.bias, bias)
    return model


def output_of(model, **more):
    diagnosis = pytorch.check(model, BATCH, **more)
    return facts_from_json(diagnosis.dataset.attrs["facts"])[0].output


def saturating(outputs, targets):
    return functional.binary_cross_entropy(outputs.logits.sigmoid(), targets)


def blamed(model, **more):
    found = pytorch.check(model, BATCH, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


@pytest.mark.parametrize(
    "kind", [lambda out: Pair(out, "name"), lambda out: Output(logits=out, name="x")]
)
def test_outputs_in_a_structure_of_a_library_s_are_replaced_where_they_lie(kind):
    loud, quiet = (given_by(kind, bias) for bias in (150.0, 0.0))

    found = blamed(loud, targets=EVEN, loss=saturating)

    assert found == [("WI13", "saturated_loss", "layer.bias")]
    assert blamed(quiet, targets=EVEN, loss=saturating) == []


def test_of_outputs_that_cannot_be_made_anew_a_loss_is_not_asked():
    found = blamed(given_by(Opaque, 150.0), targets=EVEN, loss=saturating)

    assert found == [("WI03", "never_moves", "layer.weight")]


def test_logits_of_an_object_are_the_outputs():
    def kind(out):
        return Opaque(out)

    assert output_of(given_by(kind), targets=LABELS).loss_kind == "cross_entropy"
    assert output_of(given_by(kind), targets=LABELS).shape == (64, 10)


@pytest.mark.parametrize("second", [None, "state"])
def test_a_loss_that_takes_no_structure_is_given_its_first_tensor(second):
    model = given_by(lambda out: (out, second))

    output = output_of(model, targets=LABELS, loss=functional.cross_entropy)

    assert output.loss_kind == "cross_entropy"
    assert output.loss == pytest.approx(2.3, abs=0.5)


def test_a_loss_that_fails_of_the_first_tensor_too_says_so_of_that():
    model = given_by(lambda out: (out, None))

    with pytest.raises(InvalidValueError, match=r"^loss: raised ValueError .*batch_s"):
        output_of(model, targets=LABELS[:7], loss=functional.cross_entropy)
    with pytest.raises(InvalidValueError, match=r"^loss: raised TypeError .*tuple"):
        output_of(model, targets=LABELS, loss=lambda o, _: o + "logits")


def test_a_loss_written_in_c_is_given_outputs_and_targets():
    assert output_of(given_by(lambda out: out), targets=EVEN, loss=torch.dist).loss > 0


def entropy_of_spread(outputs, targets):
    """Refuses outputs that are all alike, as which no model starts."""
    assert outputs.std() > 0
    return functional.cross_entropy(outputs, targets, weight=torch.ones(10))


def entropy(outputs, targets):
    return functional.cross_entropy(outputs, targets, weight=torch.ones(10))


@pytest.mark.parametrize(
    ("loss", "kind"), [(entropy_of_spread, "given"), (entropy, "cross_entropy")]
)
def test_a_loss_that_refuses_what_it_is_asked_stays_unknown(loss, kind):
    model = given_by(lambda out: out)

    assert output_of(model, targets=LABELS, loss=loss).loss_kind == kind
    assert blamed(model, targets=LABELS, loss=loss) == []


class OfLargeOnes(nn.Module):
    """Judges outputs beyond a margin; without such, it is a number of its own."""

    def __init__(self, otherwise, margin):
        super().__init__()
        self.otherwise, self.margin = otherwise, margin

    def forward(self, outputs, targets):
        wrong = (outputs - targets).abs()
        large = wrong[wrong > self.margin]
        return large.square().mean() if len(large) else self.otherwise.sum()


@pytest.mark.parametrize(
    "otherwise", [torch.zeros(1), nn.Parameter(torch.ones(1))], ids=["zero", "learned"]
)
def test_a_loss_without_a_slope_at_quiet_outputs_says_nothing_of_their_size(otherwise):
    model, targets = given_by(lambda out: out), torch.randn(64, 10)
    nn.init.normal_(model.layer.weight, std=3.0)

    far, near = (
        output_of(model, targets=targets, loss=OfLargeOnes(otherwise, margin))
        for margin in (8.0, 0.0)
    )

    assert math.isnan(far.loss_slope)
    assert near.loss_slope > 1


def of_own_variance(least):
    """The normal likelihood, with the variance that the errors have."""

    def loss(outputs, targets):
        errors = outputs - targets
        variance = errors.var() + least
        return variance.log() + errors.square().mean() / variance

    return loss


@pytest.mark.parametrize("least", [0.0, 0.1])
def test_a_loss_without_a_value_at_the_targets_is_not_asked_for_their_mean(least):
    model = given_by(lambda out: out)
    targets = 50 + torch.randn(64, 10)

    found = blamed(model, targets=targets, loss=of_own_variance(least))

    asked = ("WI15", "mean_ignored", "layer.bias")
    assert found == ([asked] if least else [])


@pytest.mark.parametrize("mean", [50, 0])
@pytest.mark.parametrize("kind", [lambda out: out[:, 0], lambda out: out[:, :1]])
def test_whole_numbers_beside_one_output_each_are_no_labels(kind, mean):
    numbers = torch.arange(64).remainder(5) - 2 + mean

    def squares(outputs, targets):
        return (outputs.flatten() - targets).square().mean()

    found = blamed(given_by(kind), targets=numbers, loss=squares)

    assert found == ([("WI15", "mean_ignored", "layer.bias")] if mean else [])


@pytest.mark.parametrize("legal", [1, 2])
def test_where_a_mask_leaves_one_choice_none_is_too_sure(legal):
    def masked(out):
        return out.masked_fill(torch.arange(10) >= legal, -torch.inf)

    model = given_by(masked)
    nn.init.normal_(model.layer.weight, std=20.0)

    causes = [cause for _, cause, _ in blamed(model)]

    assert math.isnan(output_of(model).random_excess) == (legal == 1)
    assert ("over_confident" in causes) == (legal > 1)
