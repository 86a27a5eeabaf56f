"""`initialize_`: true fans, own streams, what is kept, and what others get wrong."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import catalog, pytorch, theory
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import LayerSpec

# Relative error of a sample's deviation, five standard errors at 1e4 entries or more.
FIVE_ERRORS = 5 / math.sqrt(2 * 1e4)


def chain(*modules):
    return nn.Sequential(*modules)


def bits(model):
    return {name: one.numpy().tobytes() for name, one in model.state_dict().items()}


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (nn.Linear(300, 64), 300),
        (nn.Conv2d(64, 32, 3, groups=8), 8 * 9),
        (nn.Conv2d(64, 512, 5, groups=64), 25),
        (nn.ConvTranspose2d(64, 32, 4, stride=2), 64 * 4),
        (nn.ConvTranspose2d(16, 256, 3), 16 * 9),
        (nn.Conv1d(32, 64, 9, stride=3, dilation=2), 32 * 9),
        (nn.Conv3d(8, 64, 3), 8 * 27),
    ],
    ids=lambda one: str(one)[:40],
)
def test_every_layer_is_drawn_in_its_true_fan(layer, fan_in):
    report = pytorch.initialize_(layer, "he_normal", nonlinearity=None)

    assert report.of("weight").std == pytest.approx(math.sqrt(2 / fan_in))
    assert float(layer.weight.detach().std()) == pytest.approx(
        math.sqrt(2 / fan_in), rel=FIVE_ERRORS
    )
    assert not layer.bias.any()


@pytest.mark.parametrize("name", catalog.names())
def test_every_entry_starts_a_layer_that_it_is_for(name):
    layer = nn.Conv2d(16, 32, 3) if "conv" in catalog.get(name).needs or (
        name == "dirac"
    ) else nn.Linear(64, 128)  # fmt: skip

    report = pytorch.initialize_(layer, name, seed=3)

    assert report.of("weight").action == "drawn"
    law = report.of("weight").std
    assert float(layer.weight.detach().double().pow(2).mean().sqrt()) == pytest.approx(
        law, rel=0.1, abs=1e-12
    ) or name in ("constant", "ones", "identity")


def test_an_entry_that_cannot_start_a_layer_is_refused_before_anything_is_written():
    model = chain(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    before = bits(model)

    with pytest.raises(InvalidValueError, match=r"2\.weight"):
        pytorch.initialize_(model, "dirac")

    assert bits(model) == before


def test_inits_can_differ_by_kind_and_kinds_left_out_are_kept():
    model = chain(nn.Conv2d(4, 8, 3), nn.Flatten(), nn.Linear(8, 2))
    before = model[2].weight.clone()

    report = pytorch.initialize_(model, {"conv": "delta_orthogonal"})

    assert report.drawn == ("0.weight",)
    assert torch.equal(model[2].weight, before)
    with pytest.raises(UnknownNameError, match="convolution"):
        pytorch.initialize_(model, {"convolution": "dirac"})


def test_names_of_inits_and_activations_are_checked():
    with pytest.raises(UnknownNameError, match="he_normal"):
        pytorch.initialize_(nn.Linear(2, 2), "he_norml")
    with pytest.raises(UnknownNameError, match="gelu"):
        pytorch.initialize_(nn.Linear(2, 2), "he_normal", nonlinearity="gelus")


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "silu", "selu"])
def test_variances_are_critical_for_the_activation_that_follows(activation):
    module = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU,
              "selu": nn.SELU}[activation]  # fmt: skip
    model = chain(nn.Linear(400, 300), module(), nn.Linear(300, 5))
    point = theory.critical(activation)

    pytorch.initialize_(model, "he_normal", batch=torch.randn(4, 400))

    weight, bias = model[0].weight.detach(), model[0].bias.detach()
    assert float(weight.var()) * 400 == pytest.approx(point.weight_variance, rel=0.05)
    # 300 biases: five standard errors of a variance.
    assert float(bias.var()) == pytest.approx(
        point.bias_variance, rel=5 * math.sqrt(2 / 300), abs=1e-12
    )
    assert float(model[2].weight.detach().std()) * math.sqrt(300) == pytest.approx(
        1, rel=0.2
    )


def test_a_named_activation_gives_its_second_moment_gain():
    layer = nn.Linear(400, 300)

    report = pytorch.initialize_(layer, "he_normal", nonlinearity="gelu")

    assert report.of("weight").std * 20 == pytest.approx(theory.gain("gelu"))
    assert not layer.bias.any()


def test_a_gain_that_the_init_states_is_kept():
    model = chain(nn.Linear(4, 8), nn.Tanh())

    report = pytorch.initialize_(model, "glorot_uniform(gain=3)")

    assert report.of("0.weight").std == pytest.approx(3 * math.sqrt(2 / 12))


def test_torchs_random_state_is_not_touched():
    model = chain(nn.Linear(4, 8), nn.Tanh())
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()

    pytorch.initialize_(model, "orthogonal", seed=1, batch=torch.ones(2, 4))

    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


def test_another_layer_or_order_changes_no_number():
    def build(extra):
        model = nn.Module()
        if extra:
            model.other = nn.Linear(7, 7)
        model.inner = nn.Linear(4, 8)
        return model

    models = [build(False), build(True)]
    for model in models:
        pytorch.initialize_(model, "he_normal", seed=5)

    assert torch.equal(models[0].inner.weight, models[1].inner.weight)
    pytorch.initialize_(models[1], "he_normal", seed=6)
    assert not torch.equal(models[0].inner.weight, models[1].inner.weight)


@pytest.mark.parametrize("init", ["he_normal", "glorot_uniform", "orthogonal",
                                  "truncated_normal(std=2, bound=1.5)"])  # fmt: skip
def test_a_shard_draws_what_the_whole_has_there(init):
    layer = LayerSpec(shape=(10, 7))
    draw = partial(pytorch.draw_weight, init, layer, name="w", seed=2)

    parts = [draw(index=[slice(a, a + 3), slice(2, 6)]) for a in (0, 3, 6)]

    assert np.concatenate(parts).tobytes() == draw()[:9, 2:6].copy().tobytes()


@pytest.mark.parametrize(
    ("init", "kurtosis"),
    [
        ("normal(std=2)", 0.0),
        ("uniform(low=1, high=4)", -1.2),
        ("truncated_normal(std=1)", -0.636),
        ("flax_default", -0.636),
    ],
)
def test_counted_draws_follow_the_entrys_law(init, kurtosis):
    layer = LayerSpec(shape=(400, 500))
    entry = catalog.get(init.split("(")[0])
    reference = catalog.draw(init, layer, rng=np.random.default_rng(0))

    weight = pytorch.draw_weight(init, layer, name="w")

    standard = (weight - weight.mean()) / weight.std()
    # 2e5 entries: five standard errors.
    assert weight.std() == pytest.approx(reference.std(), rel=0.01)
    assert weight.mean() == pytest.approx(reference.mean(), abs=0.012 * weight.std())
    assert (standard**4).mean() - 3 == pytest.approx(kurtosis, abs=0.06)
    assert len(np.unique(weight)) == weight.size
    assert entry.distribution in ("normal", "uniform", "truncated_normal")


def test_packed_projections_and_gates_are_drawn_one_by_one():
    attention = nn.MultiheadAttention(32, 4)
    lstm = nn.LSTM(16, 24)
    pytorch.initialize_(attention, "orthogonal")
    pytorch.initialize_(lstm, "orthogonal")

    parts = [*attention.in_proj_weight.split(32), *lstm.weight_hh_l0.split(24)]

    for part in (one.detach() for one in parts):
        error = part @ part.T - torch.eye(len(part))
        # Orthogonal to rounding of float32, PyTorch's own packed one is off by .80.
        assert float(error.abs().max()) < 1e-5
    packed = pytorch.initialize_(attention, "glorot_normal", nonlinearity=None)
    assert packed.of("in_proj_weight").std == pytest.approx(math.sqrt(1 / 32))


def test_forget_gates_start_open_and_once():
    lstm = nn.LSTM(4, 3, num_layers=2)

    pytorch.initialize_(lstm, "orthogonal", forget_bias=2.0)

    assert (lstm.bias_ih_l1 + lstm.bias_hh_l1).tolist() == [0] * 3 + [2] * 3 + [0] * 6


def test_layers_that_pytorch_copies_start_apart():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    assert torch.equal(model.layers[0].linear1.weight, model.layers[1].linear1.weight)

    pytorch.initialize_(model, "glorot_uniform")

    first, second = model.layers[0].linear1.weight, model.layers[1].linear1.weight
    assert not torch.equal(first, second)


def test_truncated_normals_in_bfloat16_pile_up_nowhere():
    layer = nn.Linear(500, 400, dtype=torch.bfloat16)

    pytorch.initialize_(layer, "truncated_normal(std=0.02)")

    largest = layer.weight.abs().max()
    at_the_bound = (layer.weight.abs() == largest).float().mean()
    # Rounding leaves .05 % of the mass there; clipping would put 4.6 % at the bound.
    assert float(at_the_bound) < 5e-3


def test_norms_frozen_and_zeros_are_kept_and_said():
    model = chain(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 8))
    model.append(nn.Linear(8, 2))
    nn.init.zeros_(model[4].weight)
    model[3].requires_grad_(False)
    before = bits(model)

    report = pytorch.initialize_(model, "he_normal", batch=torch.randn(5, 4))

    assert report.drawn == ("0.weight",)
    assert report.of("1.weight").reason == "normalization"
    assert report.of("3.weight").reason == "frozen"
    assert report.of("4.weight").reason == "0 by design: head"
    after = bits(model)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"0.weight", "0.bias"}


def test_a_zero_that_is_no_design_is_drawn_once_the_model_is_read():
    model = chain(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU())
    model.append(nn.Linear(8, 2))
    nn.init.zeros_(model[2].weight)

    blind = pytorch.initialize_(model, "he_normal", dry_run=True)
    read = pytorch.initialize_(model, "he_normal", batch=torch.randn(5, 4))

    assert "give batch=" in blind.of("2.weight").reason
    assert "2.weight" in read.drawn


def test_a_tied_weight_is_drawn_once_as_the_head_that_it_is():
    model = nn.Sequential(nn.Embedding(50, 20), nn.Linear(20, 50, bias=False))
    model[1].weight = model[0].weight

    report = pytorch.initialize_(model, "lecun_normal", batch=torch.arange(4))

    assert model[1].weight is model[0].weight
    assert report.of("1.weight").parameter == "0.weight"
    assert report.of("0.weight").std == pytest.approx(1 / math.sqrt(20))
    assert len(report.rows) == 1


def test_a_parametrized_weight_becomes_what_was_drawn():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(6, 5))

    report = pytorch.initialize_(layer, "orthogonal", nonlinearity=None)

    expected = pytorch.draw_weight("orthogonal", LayerSpec(shape=(5, 6)), name="weight")
    assert layer.weight.detach().numpy() == pytest.approx(expected, abs=1e-6)
    assert report.of("parametrizations.weight.original1").action == "drawn"


def test_weights_that_functions_use_are_found_with_a_batch():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(3, 40, 50))

        def forward(self, inputs):
            return torch.relu(torch.bmm(inputs, self.weight))

    model = Experts()
    nn.init.constant_(model.weight, 1.0)

    report = pytorch.initialize_(model, "he_normal", batch=torch.randn(3, 2, 40))

    assert report.of("weight").std == pytest.approx(math.sqrt(2 / 40))
    assert float(model.weight.detach().std()) == pytest.approx(
        math.sqrt(2 / 40), rel=0.1
    )
    assert not torch.equal(model.weight[0], model.weight[1])


def test_a_dry_run_says_the_same_and_writes_nothing():
    model = chain(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    before = bits(model)

    said = pytorch.initialize_(model, "he_uniform", dry_run=True)

    assert bits(model) == before
    assert said.rows == pytorch.initialize_(model, "he_uniform").rows
    assert str(said).startswith("dry run: nothing was written")


def test_a_model_on_the_meta_device_becomes_real_with_the_same_numbers():
    def build():
        return chain(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))

    with torch.device("meta"):
        empty = build()
        empty.register_buffer("table", torch.zeros(3))
    real = build()

    report = pytorch.initialize_(empty, "he_normal")
    pytorch.initialize_(real, "he_normal")

    for name, tensor in real.state_dict().items():
        assert torch.equal(empty.state_dict()[name], tensor)
    assert report.notes[0] == "normalizations reset, as they had no numbers: 1"
    assert report.notes[1].endswith("table")


def test_types_and_gradients_stay_what_they_were():
    layer = nn.Linear(4, 8, dtype=torch.float16)
    layer.bias.requires_grad_(False)

    pytorch.initialize_(layer, "he_normal(bias=2)")

    assert layer.weight.dtype == torch.float16
    assert layer.weight.requires_grad
    assert not (layer.bias == 2).any()


def test_a_sharded_parameter_draws_its_own_part(tmp_path):
    from torch import distributed
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    layer, whole = nn.Linear(6, 8), nn.Linear(6, 8)
    distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/ranks", rank=0, world_size=1
    )
    try:
        mesh = init_device_mesh("cpu", (1,))
        for name in ("weight", "bias"):
            spread = distribute_tensor(getattr(layer, name).detach(), mesh, [Shard(0)])
            setattr(layer, name, nn.Parameter(spread))

        pytorch.initialize_(layer, "he_normal", seed=4)
        pytorch.initialize_(whole, "he_normal", seed=4)

        assert torch.equal(layer.weight.to_local(), whole.weight)
        assert torch.equal(layer.bias.to_local(), whole.bias)
    finally:
        distributed.destroy_process_group()


def test_padding_stays_zero():
    tokens = nn.Embedding(7, 5, padding_idx=2)

    pytorch.initialize_(tokens, "normal(std=1)")

    assert not tokens.weight[2].any()
    assert tokens.weight[1].all()


def test_a_parametrization_that_changes_what_was_drawn_is_said():
    layer = nn.utils.parametrizations.spectral_norm(nn.Linear(6, 5))

    report = pytorch.initialize_(layer, "he_normal")

    assert report.notes[0].endswith("not just what was drawn: weight")


def test_weights_computed_in_a_way_of_ones_own_are_left_alone():
    class Product(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Parameter(torch.randn(4, 2))
            self.second = nn.Parameter(torch.randn(2, 6))

        def forward(self, inputs):
            return functional.linear(inputs, self.first @ self.second)

    report = pytorch.initialize_(Product(), "he_normal", batch=torch.randn(3, 6))

    assert report.drawn == ()
    assert report.rows[0].reason == "computed from several parameters: start those"


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (3, {}, "model: a torch.nn.Module, got int"),
        (nn.Linear(2, 2), {"seed": "a"}, "seed: must be a whole number"),
        (
            nn.Sequential(nn.LazyLinear(2)),
            {},
            r"0\.weight is lazy .* run the model once",
        ),
        (
            nn.Linear(2, 2, device="meta"),
            {"batch": torch.ones(1, 2)},
            "meta device cannot be run; leave batch= out",
        ),
    ],
)
def test_what_cannot_be_started_is_refused_in_a_line(model, options, message):
    with pytest.raises(InvalidValueError, match=message):
        pytorch.initialize_(model, "he_normal", **options)


@pytest.mark.parametrize("batch", [None, torch.randn(4, 64)], ids=["types", "read"])
@pytest.mark.parametrize(
    ("norm", "parameter"),
    [
        (nn.utils.weight_norm, "0.weight_v"),
        (partial(nn.utils.weight_norm, dim=None), "0.weight_v"),
        (nn.utils.parametrizations.weight_norm, "0.parametrizations.weight.original1"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_a_weight_under_its_norm_becomes_what_was_drawn(norm, parameter, batch):
    plain = chain(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
    normed = chain(norm(nn.Linear(64, 32)), nn.ReLU(), nn.Linear(32, 2))
    inputs = torch.randn(8, 64)

    pytorch.initialize_(plain, "he_normal", batch=batch)
    report = pytorch.initialize_(normed, "he_normal", batch=batch)

    torch.testing.assert_close(normed(inputs), plain(inputs))
    row = report.of("0.weight")
    assert (row.parameter, row.action) == (parameter, "drawn")
    assert {one.parameter for one in report.rows} <= dict(
        normed.named_parameters()
    ).keys()


@pytest.mark.parametrize("batch", [None, torch.randn(4, 64)], ids=["types", "read"])
@pytest.mark.parametrize(
    "norm", [nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm]
)
@pytest.mark.filterwarnings("ignore:.*spectral_norm.* is deprecated:FutureWarning")
def test_a_weight_under_a_spectral_norm_is_said_to_be_something_else(norm, batch):
    model = chain(norm(nn.Linear(64, 32)), nn.ReLU(), nn.Linear(32, 2))

    report = pytorch.initialize_(model, "he_normal", batch=batch)

    row = report.of("0.weight")
    assert row.action == "drawn"
    assert row.parameter in dict(model.named_parameters())
    assert report.notes[0].endswith("not just what was drawn: 0.weight")


class Adds(nn.Module):
    """A parametrization that cannot be turned back."""

    def __init__(self):
        super().__init__()
        self.more = nn.Parameter(torch.zeros(32, 64))

    def forward(self, weight):
        return weight + self.more


def test_a_weight_that_cannot_be_turned_back_into_parameters_is_kept_with_the_reason():
    model = chain(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
    nn.utils.parametrize.register_parametrization(model[0], "weight", Adds())
    before = model[0].weight.detach().clone()

    report = pytorch.initialize_(model, "he_normal")

    row = report.of("0.weight")
    assert (row.parameter, row.action) == (
        "0.parametrizations.weight.original",
        "kept",
    )
    assert row.reason == "parametrized by Adds, which has no right_inverse"
    assert torch.equal(model[0].weight, before)
    assert report.of("2.weight").action == "drawn"


@pytest.mark.parametrize("init", ["he_normal", "glorot_uniform"])
def test_complex_weights_have_both_parts_and_the_laws_variance(init):
    model = nn.Linear(200, 300, dtype=torch.complex64)

    report = pytorch.initialize_(model, init)

    weight = model.weight.detach()
    law = report.of("weight").std
    for part in (weight.real, weight.imag):
        assert float(part.std()) * math.sqrt(2) == pytest.approx(law, rel=FIVE_ERRORS)
    assert float(weight.abs().square().mean().sqrt()) == pytest.approx(
        law, rel=FIVE_ERRORS
    )
    # Independent parts: five standard errors of a correlation.
    pair = torch.stack([weight.real.flatten(), weight.imag.flatten()])
    assert abs(float(torch.corrcoef(pair)[0, 1])) < 5 / math.sqrt(weight.numel())
    assert "imaginary" not in report.of("weight").reason


def test_complex_weights_of_a_real_law_say_so():
    model = nn.Linear(20, 20, dtype=torch.complex64)

    row = pytorch.initialize_(model, "orthogonal").of("weight")

    assert row.reason.endswith("; the imaginary part is 0")
    assert not model.weight.imag.any()
