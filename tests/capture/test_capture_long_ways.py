"""Ways through a model that are longer than usual, and parts that are given nothing."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture

X = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))


class Does(nn.Module):
    """Has a few layers, and does with them what it was made for."""

    def __init__(self, does, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.does = does

    def forward(self, x):
        return self.does(self, x)


def read(does, x=X, *, loss=None, targets=None, **layers):
    return capture.read(Does(does, **layers), x, loss=loss, targets=targets)


def in_steps(x, steps):
    """Multiply by 1 as often as that."""
    for _ in range(steps):
        x = x * 1.0
    return x


@pytest.mark.parametrize(("steps", "is_normed"), [(2, True), (7, True), (9, False)])
def test_a_normalization_far_behind_a_layer_is_not_its_own(steps, is_normed):
    def does(model, x):
        return model.norm(in_steps(model.layer(x), steps))

    (use,) = read(does, layer=nn.Linear(8, 8), norm=nn.LayerNorm(8)).uses

    assert use.normed == is_normed


@pytest.mark.parametrize(("steps", "blocks"), [(0, 1), (20, 1), (30, 0)])
def test_a_skip_of_many_steps_is_none(steps, blocks):
    def does(model, x):
        x = model.stem(x)
        return in_steps(x, steps) + model.last(torch.relu(model.first(x)))

    layers = {name: nn.Linear(8, 8) for name in ("stem", "first", "last")}

    assert len(read(does, **layers).blocks) == blocks


def attends(before, after):
    def does(model, x):
        logits = model.query(x) @ model.key(x).T / math.sqrt(8)
        return in_steps(in_steps(logits, before).softmax(-1), after) @ model.value(x)

    layers = {name: nn.Linear(8, 8) for name in ("query", "key", "value")}
    return read(does, **layers)


@pytest.mark.parametrize("steps", [0, 6])
def test_a_softmax_near_a_product_is_an_attention_of_its_width(steps):
    (found,) = attends(steps, 0).attentions

    assert found.width == 8


def test_a_softmax_far_from_a_product_is_a_choice():
    reading = attends(8, 0)

    assert reading.attentions == ()
    assert len(reading.choices) == 1


@pytest.mark.parametrize(("steps", "role"), [(0, "value"), (3, "value"), (8, "")])
def test_what_is_weighed_far_behind_a_softmax_is_no_value(steps, role):
    roles = {use.parameter: use.attends for use in attends(0, steps).uses}

    assert roles["value.weight"] == role
    assert roles["query.weight"] == "query"


@pytest.mark.parametrize("shape", [(), (1, 1)])
def test_the_exponent_of_a_scale_is_known_through_its_views(shape):
    def does(model, x):
        scale = model.log_scale.exp()
        return model.layer(x) * (scale.reshape(shape) if shape else scale)

    log_scale = nn.Parameter(torch.tensor(0.5))
    reading = read(does, layer=nn.Linear(8, 3), log_scale=log_scale)

    assert reading.output.scaled_by == "log_scale"


def without_an_axis(logits):
    return functional.softmax(logits)


def of_whole_numbers(logits):
    return (9 * logits).long().softmax(-1, dtype=torch.float32)


@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
@pytest.mark.parametrize(
    ("choose", "measured"),
    [(lambda z: z.softmax(-1), 1), (without_an_axis, 0), (of_whole_numbers, 0)],
)
def test_a_choice_is_measured_along_an_axis_that_is_said(choose, measured):
    def does(model, x):
        weights = choose(model.gate(x))
        return model.head(weights * model.layer(x))

    layers = {name: nn.Linear(8, 8) for name in ("gate", "layer", "head")}

    assert len(read(does, **layers).choices) == measured


class Two:
    """Outputs by name, in an object of its own."""

    def __init__(self, logits, beside):
        self.logits, self.beside = logits, beside


@pytest.mark.parametrize("kind", [Two, lambda *both: both])
@pytest.mark.parametrize("is_first", [True, False])
def test_an_output_that_no_layer_makes_has_no_head(is_first, kind):
    def does(model, x):
        made, fixed = model.layer(x), torch.ones(16, 3)
        return kind(fixed, made) if is_first else kind(made, fixed)

    def loss(outputs, targets):
        first, second = vars(outputs).values() if kind is Two else outputs
        return (first + second - targets).square().mean()

    reading = read(does, loss=loss, targets=torch.zeros(16, 3), layer=nn.Linear(8, 3))

    assert reading.output.head == (-1 if is_first else 0)


@pytest.mark.parametrize("flat", [True, False])
def test_units_that_are_flattened_with_their_places_are_not_counted(flat):
    def does(model, x):
        made = model.conv(x)
        made = torch.relu(made.flatten(1)) if flat else torch.relu(made).flatten(1)
        return model.head(made)

    layers = {"conv": nn.Conv2d(2, 5, 3), "head": nn.Linear(80, 3)}
    reading = read(does, torch.randn(4, 2, 6, 6), **layers)

    assert reading.uses[0].activation == "relu"
    assert ("saturated_share" in reading.measures) == (not flat)


def test_a_function_that_writes_into_a_buffer_is_not_asked_for_its_slope():
    def does(model, x):
        with torch.no_grad():
            made = torch.tanh(model.frozen(x), out=model.buffer)
        return model.head(made.clone())

    layers = {"frozen": nn.Linear(8, 8), "head": nn.Linear(8, 3)}
    model_buffer = torch.zeros(16, 8)
    reading = read(does, buffer=model_buffer, **layers)

    assert reading.uses[0].activation == "tanh"
    assert math.isnan(reading.measures["saturated_share"][0])
    assert not model_buffer.any()


@pytest.mark.parametrize("chosen", [0, 8])
def test_a_layer_that_is_given_no_example_has_no_numbers(chosen):
    def does(model, x):
        made = torch.relu(model.expert(x[:chosen]))
        return model.head(torch.cat([made, torch.relu(model.other(x[chosen:]))]))

    layers = {name: nn.Linear(8, 8) for name in ("expert", "other", "head")}
    reading = read(does, **layers)

    for name in ("given_rms", "preactivation_rms", "saturated_share"):
        expert, other, _ = reading.measures[name]
        assert math.isnan(expert) == (chosen == 0)
        assert not math.isnan(other)


@pytest.mark.parametrize("radius", [0.5, 3.0])
@pytest.mark.parametrize("width", [200, 300])
def test_the_spectral_radius_of_a_wide_recurrence_is_that_of_its_law(radius, width):
    model = nn.RNN(8, width)
    nn.init.normal_(model.weight_hh_l0, std=radius / math.sqrt(width))

    (found,) = (
        one
        for one in capture.read(model, X[:, None]).measures["spectral_radius"]
        if not math.isnan(one)
    )

    # The largest of 200 eigenvalues is a little off the edge of Girko's disc.
    assert found == pytest.approx(radius, rel=0.15)
