"""Batches and forwards of every kind: which of a batch is an argument of the model."""

from collections import UserDict, deque
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from initlab import pytorch
from initlab.errors import InvalidValueError
from initlab.spec import facts_from_json

BATCH = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 4


class Takes(nn.Module):
    """A layer, of the sum of what it is given."""

    def __init__(self, units=4):
        super().__init__()
        self.layer = nn.Linear(16, units)


class Several(Takes):
    def forward(self, tensors):
        return self.layer(sum(tensors))


class AnyNumber(Takes):
    def forward(self, *tensors):
        return self.layer(sum(tensors))


class ByName(Takes):
    def forward(self, x, **options):
        return self.layer(options.get("factor", 1.0) * x)


class OverwritesItsInputs(Takes):
    def forward(self, tensors, factor=1.0):
        return self.layer(tensors[0].mul_(factor))


def loss_kind(model, batch=BATCH, **more):
    diagnosis = pytorch.check(model, batch, **more)
    return facts_from_json(diagnosis.dataset.attrs["facts"])[0].output.loss_kind


def length(model, batch):
    """Of the outputs, as the check saw them."""
    facts = facts_from_json(pytorch.check(model, batch).dataset.attrs["facts"])
    return facts[0].output.rms


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({}, "a dict of arguments, got an empty one"),
        (DataLoader(TensorDataset(BATCH[:0])), "the DataLoader gives no batch"),
    ],
)
def test_a_batch_of_nothing_is_refused(batch, message):
    with pytest.raises(InvalidValueError, match=f"^batch: {message}"):
        pytorch.check(AnyNumber(), batch)


def test_a_list_is_the_one_argument_of_a_model_that_takes_one():
    model = Several()

    assert loss_kind(model, [BATCH, BATCH], targets=LABELS) == "cross_entropy"
    with pytest.raises(InvalidValueError, match=r"^model: failed"):
        pytorch.check(Takes(), [BATCH, BATCH], targets=LABELS)


def test_a_forward_of_any_number_of_arguments_is_given_all_of_them():
    model = AnyNumber()

    assert length(model, (BATCH, BATCH)) == pytest.approx(length(model, 2 * BATCH))
    assert loss_kind(model, (BATCH, BATCH)) == ""


def test_a_forward_of_further_names_is_given_all_keys_of_a_dict():
    model = ByName()
    model.layer.bias.data.zero_()

    once, thrice = (length(model, {"x": BATCH, "factor": one}) for one in (1.0, 3.0))

    assert thrice == pytest.approx(3 * once)


def test_a_forward_that_does_not_say_what_it_takes_is_given_the_batch():
    class Computes(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 16))
            self.forward = partial(torch.nn.functional.linear, weight=self.weight)

    diagnosis = pytorch.check(Computes(), BATCH)

    assert [one.parameter for one in diagnosis.of("error")] == ["weight"]
    assert loss_kind(Computes(), targets=LABELS) == "cross_entropy"


@pytest.mark.parametrize("container", [deque, list, tuple])
def test_what_a_model_writes_into_its_inputs_reaches_no_batch(container):
    batch, before = container([BATCH.clone()]), BATCH.clone()

    pytorch.check(OverwritesItsInputs(), {"tensors": batch, "factor": 3.0})

    assert torch.equal(batch[0], before)


class OfTwo(UserDict):
    """A mapping that is not made of another one."""

    def __init__(self, names, values):
        super().__init__(zip(names, values, strict=True))


@pytest.mark.parametrize(
    "batch",
    [UserDict({"x": BATCH, "factor": 3.0}), OfTwo(("x", "factor"), (BATCH, 3.0))],
    ids=type,
)
def test_any_mapping_is_keyword_arguments(batch):
    model = ByName()

    assert length(model, batch) == length(model, dict(batch))
