"""Priors, loud outputs, factors of 0, functions without a value, and frozen tensors."""

import math

import pytest
import torch
from torch import nn

from initlab import pytorch

CLASSES = 5


def blamed(diagnosis):
    return [(one.id, one.cause) for one in diagnosis.of("warning", "error")]


class OfParameter(nn.Module):
    """A layer whose units a function of a parameter multiplies."""

    def __init__(self, function, start):
        super().__init__()
        self.layer, self.head = nn.Linear(16, 32), nn.Linear(32, CLASSES)
        self.scale = nn.Parameter(torch.full((32,), start))
        self.function = function

    def forward(self, x):
        return self.head(torch.relu(self.layer(x)) * self.function(self.scale))


@pytest.mark.parametrize(
    ("function", "start", "sound"),
    [
        (torch.exp, 200.0, 0),
        (torch.cosh, 200.0, 0),
        (lambda scale: 2**scale, 300.0, 0),
        (torch.reciprocal, 0.0, 1),
        (torch.rsqrt, 0.0, 1),
        (torch.log, 0.0, 1),
        (torch.square, 1e30, 1),
    ],
)
def test_a_parameter_starts_where_its_function_has_a_value(
    function, start, sound, vectors, labels
):
    model = OfParameter(function, start)

    repair = pytorch.repair_(model, vectors, targets=labels)

    assert ("WI01", "overflows") in blamed(repair.before)
    assert blamed(repair.after) == []
    assert bool((model.scale == sound).all())


def test_of_a_quotient_of_parameters_nobody_knows_which_to_change(vectors, labels):
    model = OfParameter(lambda scale: (1e30 * scale) / (1e-30 * scale), 1.0)
    repair = pytorch.repair_(model, vectors, targets=labels)
    assert repair.changes == ()
    assert [one.reason for one in repair.unrepaired] == [
        "nothing that may be changed explains it"
    ]


def test_a_prior_needs_a_bias(vectors):
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1, bias=False))
    repair = pytorch.repair_(model, vectors, targets=torch.randn(64, 1) + 100)
    assert blamed(repair.before) == [("WI15", "mean_ignored")]
    (left,) = repair.unrepaired
    assert (
        left.reason
        == "no output has a bias that could hold it: give the last layer one"
    )
    assert str(repair).endswith(f"left, {left.reason}")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("0.weight", lambda values: values.fill_(0.1)),
        ("0.weight", torch.Tensor.zero_),
        ("2.weight", lambda values: values.fill_(math.nan)),
        ("2.bias", lambda values: values.fill_(-50)),
    ],
)
def test_what_is_frozen_is_never_changed(name, fault, vectors, labels):
    model = nn.Sequential(
        nn.Linear(16, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, CLASSES),
    )
    frozen = model.get_parameter(name)
    with torch.no_grad():
        fault(frozen)
    frozen.requires_grad_(False)
    before = frozen.numpy().tobytes()

    repair = pytorch.repair_(model, vectors, targets=labels)

    assert frozen.numpy().tobytes() == before
    assert [one.reason for one in repair.unrepaired if one.where == name] == [
        "it is frozen, and stays as it is"
    ]


@pytest.mark.parametrize("frozen", [False, True])
def test_gates_of_a_frozen_layer_are_as_somebody_trained_them(frozen):
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.LSTM(16, 32, batch_first=True)
            self.head = nn.Linear(32, CLASSES)

        def forward(self, x):
            return self.head(self.cell(x)[0][:, -1])

    model = Reads()
    with torch.no_grad():
        model.cell.bias_ih_l0[32:64] = -6
        model.cell.weight_hh_l0.mul_(30)
    model.cell.requires_grad_(not frozen)

    repair = pytorch.repair_(model, torch.randn(32, 40, 16))

    causes = {cause for _, cause in blamed(repair.before)}
    assert causes == (set() if frozen else {"forgets", "spectral_radius"})
    assert {one.parameter for one in repair.changes} == (
        set() if frozen else {"cell.bias_ih_l0", "cell.weight_hh_l0"}
    )
