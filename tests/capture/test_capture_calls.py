"""Which calls of torch's functions are layers, and which only look like one."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture
from initlab.errors import InvalidValueError
from initlab.spec import LayerSpec

X = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
IDS = torch.arange(16) % 8


class Calls(nn.Module):
    """Does what it was made for with a parameter of its own."""

    def __init__(self, does, *shape):
        super().__init__()
        self.own = nn.Parameter(torch.randn(shape))
        self.head = nn.Linear(8, 3)
        self.does = does

    def forward(self, x):
        return self.does(self, x)


def uses_of(does, *shape, x=X):
    reading = capture.read(Calls(does, *shape), x)
    return {use.parameter: use.layer for use in reading.uses}


NO_LAYERS = {
    "a scalar": (lambda m, x: torch.inner(x, m.own), ()),
    "a diagonal": (lambda m, x: torch.einsum("bi,ii->bi", x, m.own), (8, 8)),
    "an ellipsis": (lambda m, x: torch.einsum("bi,...->bi", x, m.own), ()),
    "a factor": (lambda m, x: torch.einsum("bi,i->bi", x, m.own), (8,)),
    "columns": (lambda m, _: torch.gather(m.own, 1, IDS[:, None]), (16, 8)),
    "entries": (lambda m, _: torch.take_along_dim(m.own, IDS), (16, 8)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(NO_LAYERS))
def test_what_weighs_nothing_is_no_layer(name):
    does, shape = NO_LAYERS[name]

    def then_a_layer(model, x):
        return model.head(x) + does(model, x).mean()

    assert set(uses_of(then_a_layer, *shape)) == {"head.weight"}


@pytest.mark.parametrize(
    "equation",
    [
        lambda m, x: torch.einsum("bi,io->bo", x, m.own),
        lambda m, x: torch.einsum("bi,io", [x, m.own]),
        lambda m, x: torch.einsum(x, [0, 1], m.own, [1, 2], [0, 2]),
    ],
)
def test_an_equation_by_letters_or_by_numbers_is_a_layer(equation):
    assert uses_of(equation, 8, 4) == {"own": LayerSpec(shape=(4, 8))}


def made_kernels(model, x):
    kernels = model.head(x)[:4].reshape(4, 1, 3)
    return functional.conv1d(x[:, None, :], kernels)


def made_taps(model, x):
    taps = model.head(x)[:4].reshape(3, 1, 4)
    return torch.conv_tbc(x[:, :, None], taps.contiguous(), torch.zeros(4))


def made_table(model, x):
    return functional.embedding(x.argmax(dim=-1), model.head(x))


@pytest.mark.parametrize("does", [made_kernels, made_taps, made_table])
def test_weights_that_a_layer_makes_of_the_inputs_are_no_parameter_s(does):
    assert set(uses_of(does, 1)) <= {"head.weight", ""}


def test_a_table_of_whole_numbers_is_no_layer():
    codes = torch.randint(0, 8, (16, 8))

    def coded(model, ids):
        return model.head(functional.embedding(ids, codes).float())

    assert set(uses_of(coded, 1, x=IDS)) == {"head.weight"}


def test_matrices_before_the_signal_are_layers_in_a_chain():
    def chained(model, x):
        return torch.linalg.multi_dot([model.head.weight, model.own, x.T])

    assert uses_of(chained, 8, 8) == {
        "own": LayerSpec(shape=(8, 8)),
        "head.weight": LayerSpec(shape=(3, 8)),
    }


@pytest.mark.parametrize("wide", [True, False])
def test_a_choice_by_a_mask_for_whole_rows_is_no_rectifier(wide):
    def chosen(model, x):
        made = x @ model.own
        asked = made > 0 if wide else made[:, :1] > 0
        return model.head(torch.where(asked, made, 0.0))

    uses = capture.read(Calls(chosen, 8, 8), X).uses

    assert uses[0].activation == ("relu" if wide else "identity")


@pytest.mark.parametrize("function", [torch.tanh, functional.leaky_relu])
def test_a_call_that_torch_refuses_is_told_in_torch_s_words(function):
    def wrong(model, x):
        return model.head(function([x]))

    with pytest.raises(
        InvalidValueError,
        match=r"^model: failed .*: TypeError: .*\(\): argument 'input'",
    ):
        capture.read(Calls(wrong, 1), X)


def test_a_part_that_runs_in_inference_mode_is_measured_as_any_other():
    def features(model, x):
        with torch.inference_mode():
            made = torch.relu(model.layers[0](x))
        return model.head(made.clone())

    def same(model, x):
        return model.head(torch.relu(model.layers[0](x)))

    readings = []
    for does in (features, same):
        torch.manual_seed(0)
        model = Calls(does, 1)
        model.layers = nn.ModuleList([nn.Linear(8, 8)])
        readings.append(capture.read(model, X))

    first, second = (one.measures["preactivation_rms"] for one in readings)
    assert first.tolist() == second.tolist()


def test_positions_in_a_buffer_are_no_parameter_s():
    fixed = torch.randn(16, 8)

    def placed(model, ids):
        return model.head(functional.embedding(ids, fixed))

    assert uses_of(placed, 1, x=IDS) == {
        "": LayerSpec(kind="embedding", shape=(16, 8)),
        "head.weight": LayerSpec(shape=(3, 8)),
    }


@pytest.mark.parametrize("chosen", [True, False])
def test_what_is_added_to_rows_that_inputs_choose_is_no_beta(chosen):
    def shifted(model, x):
        made = model.norm(x)
        made = made[x[:, 0].argsort()] if chosen else made
        return model.head(made + model.own)

    model = Calls(shifted, 8)
    model.norm = nn.LayerNorm(8, bias=False)

    (norm,) = capture.read(model, X).norms

    assert norm.beta == (None if chosen else "own")


def test_complex_parameters_may_be_exponents():
    def decayed(model, x):
        decay = torch.exp(torch.complex(model.own, model.own))
        return model.head((x * decay).real)

    reading = capture.read(Calls(decayed, 8), X)

    assert not any(one.overflows_in for one in reading.parameters)


@pytest.mark.parametrize("by_parameter", [True, False])
def test_a_division_by_a_number_of_the_user_s_has_no_parameter(by_parameter):
    def divided(model, x):
        return model.head(x / model.own if by_parameter else x / 2.0 + 0.0 * model.own)

    model = Calls(divided, 8)
    nn.init.zeros_(model.own)

    readings = {one.name: one for one in capture.read(model, X).parameters}

    assert readings["own"].overflows_in == ("reciprocal" if by_parameter else "")
