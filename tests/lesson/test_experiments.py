"""The classic experiments: their data against theory, their sentences, their pictures.

Each is run once per session; a second run of the quickest ones must give its bytes.
"""

import io
import math
import re
from functools import cache

import numpy as np
import pytest
import xarray as xr
from scipy import special

from initlab import theory
from initlab.lesson.experiments import EXPERIMENTS
from initlab.lesson.experiments._experiment import mean
from initlab.lesson.experiments._scale_sweep import LIMIT, windows

# Of an estimate of known standard error: one in two million is farther off.
ERRORS = 5

every_experiment = pytest.mark.parametrize("name", EXPERIMENTS)


@cache
def data(name: str) -> xr.Dataset:
    return EXPERIMENTS[name].run()


def assert_near(values: np.ndarray, expected: float) -> None:
    """Compare a mean over independent members with what it estimates."""
    found = mean(np.asarray(values))
    assert abs(found.value - expected) < ERRORS * found.error


def test_there_are_seven_under_their_own_names():
    assert len(EXPERIMENTS) == 7
    assert all(name == each.name for name, each in EXPERIMENTS.items())
    assert all(each.question.endswith("?") for each in EXPERIMENTS.values())


@every_experiment
def test_data_is_labelled(name):
    found = data(name)

    assert found.attrs["experiment"] == name
    assert found.attrs["seed"] == 3
    assert all(variable.attrs["units"] for variable in found.data_vars.values())


@every_experiment
def test_a_sentence_is_made_of_its_numbers_and_says_what_parentheses_are(name):
    answer = EXPERIMENTS[name].answer(data(name))

    assert answer.numbers
    assert not re.search(r"nan|inf\b|[{}]|\n", answer.sentence)
    assert re.search(r"5 % to 95 %|95 % confidence|same in all", answer.sentence)


@every_experiment
def test_another_dataset_gives_another_sentence(name):
    found = data(name)
    before = EXPERIMENTS[name].answer(found).sentence
    changed = found.map(lambda values: values * 0.5, keep_attrs=True)

    assert EXPERIMENTS[name].answer(changed).sentence != before


@every_experiment
def test_a_picture_is_drawn_and_says_what_its_axes_are(name):
    figure = EXPERIMENTS[name].draw(data(name))

    figure.savefig(io.BytesIO(), format="png", dpi=40)
    panels = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    bottom = max(ax.get_subplotspec().rowspan.stop for ax in panels)
    for ax in panels:
        place = ax.get_subplotspec()
        if place.rowspan.stop == bottom:
            assert ax.get_xlabel()
        if place.colspan.start == 0:
            assert ax.get_ylabel()


@pytest.mark.parametrize("name", ["symmetry", "initial_loss"])
def test_same_seed_gives_same_bytes_and_another_seed_others(name):
    told = []
    again = EXPERIMENTS[name].run(
        progress=lambda done, total: told.append(done / total)
    )

    assert_same_bytes(again, data(name))
    assert told == sorted(told)
    assert 0 <= told[-1] <= 1
    other = EXPERIMENTS[name].run(seed=4)
    assert not other.equals(again)


def assert_same_bytes(first: xr.Dataset, second: xr.Dataset) -> None:
    assert list(first.variables) == list(second.variables)
    for name, variable in first.variables.items():
        assert variable.values.tobytes() == second[name].values.tobytes()


def test_histograms_hold_every_activation_once():
    found = data("histograms")

    np.testing.assert_allclose(found["activation_density"].sum("bin"), 1, rtol=1e-12)
    assert found.sizes["layer"] == 5
    assert found["units"].values.tolist() == [100] * 5


def test_histograms_tell_who_saturates_vanishes_and_explodes():
    said = EXPERIMENTS["histograms"].answer(data("histograms")).numbers
    kinds = {name: one["kind"] for name, one in said.items()}

    assert kinds["tanh, normal(std=1)"] == "saturate"
    assert kinds["sigmoid, normal(std=1)"] == "saturate"
    assert kinds["tanh, normal(std=0.01)"] == "vanish"
    assert kinds["relu, normal(std=0.01)"] == "vanish"
    assert kinds["relu, normal(std=1)"] == "explode"
    assert kinds["relu, he_normal"] == "keep"
    assert kinds["sigmoid, lecun_normal"] == "alike"


def test_five_layers_of_relu_shrink_by_the_closed_form():
    """Each layer multiplies the second moment by n std^2 / 2."""
    found = data("histograms").sel(activation="relu", init="lecun_normal")
    squares = found["activation_rms"].transpose("member", "layer").values ** 2

    assert_near(squares[:, -1] / squares[:, 0], 0.5**4)


def test_lengths_after_products_have_the_mean_and_scatter_of_chi_squared():
    found = data("product").isel(layer=-1)
    matrices = int(found["layer"])

    for width in found["width"].values:
        entry_variance = 1 / width
        half = width / 2
        rate = 0.5 * (math.log(2 * entry_variance) + special.digamma(half))
        values = found["log10_length"].sel(width=width, init="lecun_normal").values
        assert_near(values, matrices * rate / math.log(10))
        std = math.sqrt(matrices * special.polygamma(1, half)) / 2 / math.log(10)
        # Relative standard error of a normal sample's std.
        error = 1 / math.sqrt(2 * (len(values) - 1))
        assert values.std(ddof=1) == pytest.approx(std, rel=ERRORS * error)


def test_products_differ_by_their_scale_alone_and_orthogonal_ones_keep_the_norm():
    found = data("product")["log10_norm"]

    gap = found.sel(init="he_normal") - found.sel(init="lecun_normal")
    expected = found["layer"] * math.log10(2) / 2
    # Logarithms are kept to nine decimals.
    np.testing.assert_allclose(gap.transpose(..., "layer"), [[expected] * found.sizes[
        "member"]] * found.sizes["width"], atol=2e-9)  # fmt: skip
    assert (found.sel(init="orthogonal") == 0).all()


def test_simulation_derives_sqrt_n_and_the_factor_2():
    found = data("simulation")

    for fan_in in found["fan_in"].values:
        one = found.sel(fan_in=fan_in)
        z, relu = one["preactivation_square"], one["activation_square"]
        assert_near(z.sel(init="normal(std=1)"), fan_in)
        assert_near(relu.sel(init="normal(std=1)"), fan_in / 2)
        assert_near(z.sel(init="lecun_normal"), 1)
        assert_near(relu.sel(init="lecun_normal"), 0.5)
        assert_near(relu.sel(init="he_normal"), 1)


def test_the_window_of_relu_is_where_depth_times_ln_chi_is_within_the_limit():
    """Chi is scale^2 in each of 20 links."""
    found = windows(data("scale_sweep"), "relu")

    low, high = np.exp(np.array([-LIMIT, LIMIT]) / 40)
    assert_near(np.log(found[:, 0]), math.log(low))
    assert_near(np.log(found[:, 1]), math.log(high))


def test_tanh_has_a_window_too_and_its_upper_end_is_wider():
    low, high = np.median(windows(data("scale_sweep"), "tanh"), axis=0)
    _, of_relu = np.median(windows(data("scale_sweep"), "relu"), axis=0)

    assert low < 1 < of_relu < high


def test_copies_stay_copies_and_drawn_biases_part_them():
    units = data("symmetry")["distinct_units"]

    for init, distinct in {
        "zeros": 1,
        "ones": 1,
        "constant(value=0.5)": 1,
        "he_normal, units copied": 5,
        "he_normal": 10,
        "zeros, biases drawn": 10,
        "he_normal, units copied, biases drawn": 10,
    }.items():
        assert (units.sel(init=init) == distinct).all(), init


def test_zeros_move_no_hidden_weight():
    said = EXPERIMENTS["symmetry"].answer(data("symmetry")).numbers

    assert said["zeros"]["layers_never_moved"] == 3
    assert said["he_normal"]["layers_never_moved"] == 0


@pytest.mark.parametrize(
    ("init", "weight_variance"),
    [("torch_default", 1 / 3), ("flax_default", 1), ("he_normal", 2)],
)
def test_relu_with_framework_defaults_has_the_chi_of_theory(init, weight_variance):
    found = data("defaults").sel(activation="relu", init=init).isel(layer=slice(0, 29))
    chi = theory.mean_field("relu", weight_variance=weight_variance).chi_1

    np.testing.assert_allclose(found["predicted_chi"], chi, rtol=1e-9)
    # Products of chi over layers have the mean of a wide network, not their logarithm.
    whole = found["chi"].transpose("member", "layer").values.prod(axis=1)
    assert_near(whole / chi**29, 1)


def test_torch_default_has_chi_one_sixth():
    said = EXPERIMENTS["defaults"].answer(data("defaults"))

    assert said.numbers["relu, torch_default"]["chi"]["wide"] == pytest.approx(1 / 6)
    assert "wide network 0.167" in said.sentence


def test_zeros_start_at_ln_c():
    losses = data("initial_loss")["loss"].sel(init="zeros")

    for classes in losses["classes"].values:
        # A mean of equal numbers, to rounding.
        np.testing.assert_allclose(
            losses.sel(classes=classes), math.log(classes), rtol=1e-14
        )


def test_small_logits_lie_above_ln_c_by_half_their_variance():
    found = data("initial_loss").sel(head=0.01)

    for classes in found["classes"].values:
        one = found.sel(classes=classes, init="he_normal")
        excess = one["loss"].values - math.log(classes)
        small = float(one["predicted_logit_square"]) / 2 * (1 - 1 / classes)
        assert_near(excess / small, 1)


def test_two_classes_of_large_logits_lose_as_the_half_normal_says():
    """For two classes the excess tends to E abs(z1 - z2) / 2 = sqrt(q / pi)."""
    curve = data("initial_loss")["gaussian_excess"].sel(classes=2)
    q = float(curve["logit_variance"][-1])

    # Sampled 2000 times: the relative error of a mean of abs(z) is sqrt(pi/2 - 1).
    error = math.sqrt((math.pi / 2 - 1) / 2000)
    expected = math.sqrt(q / math.pi)
    assert float(curve[-1]) == pytest.approx(expected, rel=ERRORS * error)
