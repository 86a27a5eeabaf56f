"""Memory that nothing was written to, as functions that make models leave it."""

import math

import pytest
import torch
from torch import nn

from initlab import pytorch

ROWS = torch.randn(32, 16, generator=torch.Generator().manual_seed(1))


class Left(nn.Module):
    """A layer whose weight is memory as it was, unless it is drawn."""

    def __init__(self, std=math.nan):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(8, 16))
        if std == std:
            nn.init.normal_(self.weight, std=std)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(torch.relu(x @ self.weight.T))


def blamed(model, batch=ROWS):
    found = pytorch.check(model, batch).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


@pytest.fixture
def _filled_with_nan():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("_filled_with_nan")
def test_memory_that_torch_fills_with_nan_is_not_initialized_and_no_more():
    assert blamed(Left) == [("WI21", "uninitialized", "weight")]
    assert blamed(lambda: Left(0.25)) == []


@pytest.mark.parametrize("number", [1e30, 1e-41])
def test_of_memory_with_nans_and_numbers_that_nobody_draws_the_nans_are_named(number):
    def odd(*values):
        model = Left(0.25)
        for place, value in enumerate(values):
            model.weight.data[place, 0] = value
        return blamed(model)

    assert odd(math.nan, number) == [("WI01", "nonfinite_parameter", "weight")]
    assert [cause for _, cause, _ in odd(number)] == ["old_memory"]


@pytest.mark.parametrize("wrapper", [lambda one: one, nn.DataParallel])
def test_a_parameter_is_named_as_in_the_module_inside_its_wrapper(wrapper):
    assert blamed(lambda: wrapper(Left())) == [("WI21", "uninitialized", "weight")]


def changing(*kinds):
    """Return a function that makes another kind of model each time."""
    kinds = iter(kinds)

    def make():
        model = nn.Sequential(nn.Linear(16, 4))
        shape = next(kinds)
        if shape is not None:
            model.more = nn.Parameter(torch.empty(shape))
            model.forward = lambda x: model[0](x) + model.more.mean()
        return model

    return make


@pytest.mark.parametrize(
    ("shapes", "named"),
    [
        (((4, 4), (4, 4), None), ["more"]),  # not there when the model is run
        (((4, 4), (5, 4), None), []),
        (((4, 4), None, None), []),
    ],
)
def test_a_function_may_make_another_model_each_time(shapes, named):
    found = pytorch.check(changing(*shapes), ROWS).of("error")

    assert [one.parameter for one in found] == named


def test_a_mistake_inside_a_function_that_makes_a_model_is_its_own():
    def make():
        return nn.Linear(16, "four")

    with pytest.raises(TypeError, match="empty"):
        pytorch.check(make, ROWS)
