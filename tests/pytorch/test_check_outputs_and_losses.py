"""Losses of what a model gives: of one tensor of it, or of objects of any class."""

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
