"""Memory without numbers, parametrized weights, ties and padding, and their rows."""

import math

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from initlab import pytorch
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.theory import gain

WORDS = 50


def bits(model):
    return {name: one.numpy().tobytes() for name, one in model.state_dict().items()}


def normed():
    return nn.Sequential(
        nn.Linear(16, 16), nn.ReLU(), nn.LayerNorm(16), nn.Linear(16, 4)
    )


@pytest.mark.parametrize("read", [False, True])
def test_where_every_weight_is_zero_none_is_so_by_design(read, vectors):
    empty, fresh = normed(), normed()
    for parameter in empty.parameters():
        nn.init.zeros_(parameter)

    report = pytorch.initialize_(empty, "he_normal", batch=vectors if read else None)
    pytorch.initialize_(fresh, "he_normal", batch=vectors if read else None)

    assert bits(empty) == bits(fresh)
    assert report.notes[0].startswith("every weight was 0")
    assert (report.of("2.weight").init, report.of("2.bias").init) == ("1", "0")


def test_one_weight_of_zeros_among_others_is_kept():
    model = normed()
    nn.init.zeros_(model[3].weight)
    nn.init.constant_(model[2].weight, 3)

    report = pytorch.initialize_(model, "he_normal")

    assert (report.of("3.weight").action, report.of("2.weight").action) == (
        "kept", "kept"
    )  # fmt: skip
    assert not report.notes
    assert not model[3].weight.any()
    assert bool((model[2].weight == 3).all())


def test_of_what_is_kept_and_not_finite_there_is_a_note():
    model = normed()
    nn.init.constant_(model[2].weight, math.nan)
    report = pytorch.initialize_(model, "he_normal")
    assert report.notes == (
        "not finite, and kept: 2.weight; call reset_parameters() of their modules if "
        "nothing was written there",
    )


@pytest.mark.parametrize(
    "parametrized",
    [
        parametrizations.weight_norm,
        parametrizations.spectral_norm,
        parametrizations.orthogonal,
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
    ],
)
@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
def test_a_parametrized_weight_is_the_same_whatever_was_there_before(parametrized):
    def build():
        return nn.Sequential(nn.Linear(4, 8), parametrized(nn.Linear(8, 6)))

    first, second = build(), build()
    before, state = bits(first), torch.get_rng_state()

    planned = pytorch.initialize_(first, "he_normal", dry_run=True)
    assert bits(first) == before
    done = pytorch.initialize_(first, "he_normal")
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)  # whatever else draws
    pytorch.initialize_(second, "he_normal")

    assert planned.rows == done.rows
    assert bits(first) == bits(second)


@pytest.mark.parametrize(
    "norm", [parametrizations.spectral_norm, nn.utils.spectral_norm]
)
def test_a_spectral_norm_knows_its_new_weights_largest_value(norm):
    layer = norm(nn.Linear(32, 32))
    pytorch.initialize_(layer, "he_normal(gain=10)")
    with torch.no_grad():
        layer.eval()(torch.zeros(1, 32))
    assert float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) == pytest.approx(
        1, 0.05
    )


@pytest.mark.parametrize(
    "norm", [parametrizations.weight_norm, parametrizations.spectral_norm]
)
def test_a_parametrized_weight_leaves_the_meta_device(norm):
    def build():
        return nn.Sequential(nn.Linear(4, 8), norm(nn.Linear(8, 6)), nn.Linear(6, 2))

    with torch.device("meta"):
        empty = build()
    real = build()

    report = pytorch.initialize_(empty, "he_normal")
    pytorch.initialize_(real, "he_normal")

    assert bits(empty) == bits(real)
    assert not any(note.startswith("still") for note in report.notes)


def test_a_dry_run_says_what_stays_on_the_meta_device():
    with torch.device("meta"):
        model = normed()
        model.register_buffer("table", torch.zeros(3))
    planned = pytorch.initialize_(model, "he_normal", dry_run=True)
    assert planned.notes == pytorch.initialize_(model, "he_normal").notes
    assert planned.notes[0] == "normalizations reset, as they had no numbers: 2"
    assert planned.notes[1].endswith(": table")


def test_planning_takes_no_step_of_a_power_iteration(vectors):
    model = nn.Sequential(parametrizations.spectral_norm(nn.Linear(16, 16)), nn.ReLU())
    before = bits(model)
    pytorch.lsuv_(model, vectors, dry_run=True)
    with pytest.raises(InvalidValueError):
        pytorch.initialize_(model, "dirac")
    assert bits(model) == before
    assert model[0].parametrizations.weight[0].training


@pytest.mark.parametrize("read", [False, True])
def test_layers_of_one_weight_have_biases_of_their_own(read, vectors):
    model = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16))
    model[2].weight = model[0].weight
    report = pytorch.initialize_(model, "he_normal", batch=vectors if read else None)
    assert (report.of("2.bias").action, report.of("2.bias").init) == ("set", "0")
    assert not model[2].bias.any()


@pytest.mark.parametrize("sizes", [{"kdim": 4}, {"vdim": 6}])
def test_biases_of_projections_that_are_kept_apart(sizes):
    model = nn.MultiheadAttention(8, 2, **sizes)
    pytorch.initialize_(model, "torch_default")
    bias = model.in_proj_bias.detach()
    assert 0 < float(bias.abs().max()) <= 8**-0.5
    assert len(bias.unique()) == 24


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(WORDS, 32, padding_idx=0)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.first, self.last = nn.Linear(32, 32), nn.Linear(32, 32)
        self.head = nn.Linear(32, WORDS, bias=False)

    def forward(self, tokens):
        x = self.table(tokens)
        x = x + self.attention(x, x, x)[0]
        return self.head(x + self.last(torch.relu(self.first(x))))


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("recipe", ["he_normal", "t_fixup"])
def test_padding_stays_zero(recipe, tied):
    model, tokens = Tokens(), torch.randint(WORDS, (8, 12))
    if tied:
        model.head.weight = model.table.weight
    if recipe == "t_fixup":
        report = pytorch.t_fixup_(model, tokens)
        assert report.of("attention.in_proj_weight").reason == (
            "values: in a branch, 1 layers; queries and keys: Glorot's"
        )
    else:
        pytorch.initialize_(model, recipe)
    assert not model.table.weight[0].any()
    assert model.table.weight[1:].any(dim=1).all()


@pytest.mark.parametrize("padding", [None, 0, 30, WORDS - 1])
@pytest.mark.parametrize("value", [0.3, 0.0])
def test_a_table_of_equal_rows_is_found_and_mended_beside_padding(padding, value):
    model = nn.Sequential(nn.Embedding(WORDS, 32, padding_idx=padding),
                          nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 5))  # fmt: skip
    with torch.no_grad():
        model[0].weight.fill_(value)
        if padding is not None:
            model[0].weight[padding] = 0

    repair = pytorch.repair_(model, torch.randint(WORDS, (16, 6)))

    assert [one.id for one in repair.before.of("warning", "error")] == [
        "WI02" if value else "WI03"
    ]
    rows = model[0].weight.detach()
    assert padding is None or not rows[padding].any()
    assert len(rows.unique(dim=0)) == WORDS


def test_a_table_of_nan_keeps_padding_of_zeros():
    model = nn.Sequential(nn.Embedding(WORDS, 32, padding_idx=0), nn.Linear(32, 5))
    nn.init.constant_(model[0].weight, math.nan)
    repair = pytorch.repair_(model, torch.randint(WORDS, (16, 6)))
    assert repair.after.sound
    assert not model[0].weight[0].any()


def test_what_was_drawn_is_said_so_that_it_can_be_drawn_again():
    model = nn.Sequential(nn.Linear(100, 100), nn.Tanh(), nn.Linear(100, 10))
    row = pytorch.initialize_(model, "he_normal(scale=0.5)").of("0.weight")
    assert row.init == "he_normal(gain=1.467, scale=0.5)"
    again = pytorch.initialize_(model, row.init).of("0.weight")
    assert again.std == pytest.approx(row.std, rel=1e-3)


def test_biases_that_an_entry_draws_have_its_deviation():
    report = pytorch.initialize_(nn.Linear(100, 3), "torch_default")
    row = report.of("bias")
    assert (row.init, row.std) == ("torch_default", pytest.approx(1 / 300**0.5))


def test_a_bias_is_kept_with_its_weight():
    model = normed()
    model[0].weight.requires_grad_(False)
    report = pytorch.initialize_(model, "he_normal")
    assert report.of("0.bias").reason == "bias of a weight that is kept"


@pytest.mark.parametrize(
    ("nonlinearity", "std"),
    [
        ("leaky_relu(0.2)", math.sqrt(2 / (1 + 0.2**2))),
        ("leaky_relu", math.sqrt(2 / (1 + 0.01**2))),
        ("relu6", math.sqrt(2)),
        ("mish", gain("gelu")),
        (None, math.sqrt(2)),
    ],
)
def test_a_nonlinearity_by_name_may_have_a_slope_or_be_akin(nonlinearity, std):
    report = pytorch.initialize_(nn.Linear(100, 8), "he_normal",
                                 nonlinearity=nonlinearity)  # fmt: skip
    assert report.of("weight").std == pytest.approx(std / 10, rel=1e-3)


@pytest.mark.parametrize(
    "nonlinearity", ["reluu", 3, "leaky_relu(x)", "tanh(0.2)", "leaky_relu(1e999)", ""]
)
def test_other_nonlinearities_are_refused_before_anything_is_drawn(nonlinearity):
    layer = nn.Linear(4, 4)
    before = bits(layer)
    with pytest.raises(UnknownNameError, match="nonlinearity") as raised:
        pytorch.initialize_(layer, "he_normal", nonlinearity=nonlinearity)
    assert raised.value.argument == "nonlinearity"
    assert bits(layer) == before


@pytest.mark.parametrize("init", ["lsuv", {"linear": "lsuv"}])
def test_what_needs_data_names_the_function_that_takes_them(init):
    with pytest.raises(InvalidValueError, match=r"^init: .*pytorch\.lsuv_\(model, ba"):
        pytorch.initialize_(nn.Linear(4, 4), init)
