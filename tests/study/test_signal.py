"""`il.signal`: measured beside expected, and refused where it cannot be."""

import json

import numpy as np
import pytest

import initlab as il
from initlab import catalog
from initlab.errors import InitlabError, InvalidValueError
from initlab.spec import signal_study_from_toml, to_toml

WIDE = il.MLP(widths=(300,) * 9, activation="tanh")
COMPARED = (
    "preactivation_rms", "activation_rms", "activation_std", "delta_rms",
    "gradient_norm", "chi", "cosine",
)  # fmt: skip


@pytest.fixture(scope="module")
def signals():
    return il.signal(
        WIDE, ["lecun_normal", "he_uniform", "orthogonal", "torch_default"], members=12
    )


@pytest.mark.parametrize("name", COMPARED)
def test_wide_networks_do_what_is_expected_of_them(signals, name):
    measured = signals[name].isel(step=0)
    mean = measured.mean("member").values
    error = measured.std("member", ddof=1).values / np.sqrt(12)

    expected = signals[f"predicted_{name}"].values

    # Five standard errors, and what is left of finite width: of order depth / width.
    away = np.abs(mean - expected) - 5 * error
    assert np.nanmax(away / (np.abs(expected) + 0.05)) < 0.03
    assert np.isfinite(expected[:, :-1]).all()


def test_widths_that_change_enter_the_predictions():
    network = il.MLP(widths=(150, 400, 200, 300, 100), activation="tanh")

    one = il.signal(network, ["he_normal"], members=12).isel(init=0)

    for name in ("delta_rms", "gradient_norm", "chi"):
        measured = one[name].isel(step=0).mean("member").values
        # Widths differ by factors of two and more; finite width by a few percent.
        np.testing.assert_allclose(
            measured, one[f"predicted_{name}"].values, rtol=0.06, err_msg=name
        )


@pytest.mark.parametrize("activation", ["relu", "gelu", "sigmoid", "sin", "selu"])
def test_means_shares_and_units_are_what_is_expected(activation):
    network = il.MLP(widths=(300,) * 6, activation=activation)

    one = il.signal(network, ["he_normal"], members=12, examples=40).isel(init=0)

    for name in ("activation_mean", "centred_cosine", "saturated_share"):
        measured = one[name].isel(step=0, layer=slice(-1))
        error = measured.std("member", ddof=1) / np.sqrt(12)
        away = abs(measured.mean("member") - one[f"predicted_{name}"])
        # Five standard errors, and what is left of finite width.
        assert (away <= 5 * error + 0.01).all(), name
    if activation == "relu":
        units = one["inactive_units"].isel(step=0)
        # Of 300 units in each of 12 networks, binomial with a few shared directions.
        expected = one["predicted_inactive_units"].values
        np.testing.assert_allclose(
            units.mean("member"), expected, atol=5 * np.sqrt(300 / 12)
        )


def test_ninety_percent_of_narrow_networks_lie_in_the_band():
    network = il.MLP(widths=(40,) * 7, activation="relu")

    one = il.signal(network, ["he_normal"], members=400, examples=2).isel(init=0)

    squares = (one["delta_rms"].isel(step=0) / one["predicted_delta_rms"]) ** 2
    low, high = (one["backward_band"].sel(end=end) for end in ("low", "high"))
    inside = ((squares > low) & (squares < high)).isel(layer=0).mean("member")
    # Two examples instead of one scatter less; binomial error of 400 is 1.5 %.
    assert 0.88 < float(inside) <= 1.0


def test_a_user_s_function_is_expected_to_do_what_its_draws_say():
    def mine(shape, rng):
        return rng.normal(size=shape) * np.sqrt(2 / shape[1])

    both = il.signal(
        il.MLP(widths=(200,) * 5), {"mine": mine, "he": "he_normal"}, members=4
    )

    variances = both["weight_variance"]
    np.testing.assert_allclose(variances.sel(init="mine"), 2, rtol=0.02)
    np.testing.assert_allclose(variances.sel(init="he"), 2)
    assert np.isfinite(both["predicted_chi"].sel(init="mine")[:-1]).all()


@pytest.mark.parametrize(
    "init",
    ["zeros", "identity", "normal(mean=1)", "uniform(low=0, high=1)",
     "he_normal(bias=1)"],
)  # fmt: skip
def test_nothing_is_expected_where_the_theory_does_not_speak(init):
    one = il.signal(il.MLP(widths=(20,) * 4), [init], members=2)

    assert np.isnan(one["predicted_activation_rms"]).all()
    assert np.isfinite(one["activation_rms"]).all()


def test_what_overflows_is_not_hidden_and_nothing_is_expected():
    one = il.signal(il.MLP(widths=(20,) * 40), ["normal(std=1e12)"], members=2)

    assert not np.isfinite(one["activation_rms"].values[..., -1]).any()
    assert np.isnan(one["predicted_activation_rms"]).all()


def test_a_members_signals_do_not_depend_on_members_threads_or_other_inits():
    network = il.MLP(widths=(6, 9, 4))

    few = il.signal(network, ["he_normal"], members=2, threads=1)
    many = il.signal(network, ["zeros", "he_normal"], members=5, threads=3)

    for name in ("activation_rms", "gradient_norm", "cosine"):
        np.testing.assert_array_equal(
            few[name].sel(init="he_normal"),
            many[name].sel(init="he_normal").isel(member=slice(2)),
        )


def test_signals_start_from_the_weights_that_a_study_would_train():
    network = il.MLP(widths=(2, 10, 5, 1))
    trained = il.run(
        il.Study(network=network, inits=["torch_default"], steps=1, seeding="stream")
    )

    measured = il.signal(network, ["torch_default"], problem="circles", members=1)

    np.testing.assert_allclose(
        measured["activation_rms"].values, trained["activation_rms"].values[:, :, :1]
    )
    np.testing.assert_array_equal(
        measured["distinct_units"].values, trained["distinct_units"].values[:, :, :1]
    )
    assert measured.attrs["examples"] == 300


def test_the_dataset_says_how_it_was_made():
    signals = il.signal(il.MLP(widths=(4, 3, 2)), ["he_normal"], members=3)

    study = signal_study_from_toml(signals.attrs["spec"])
    again = il.signal(study)

    assert study.members == 3
    assert to_toml(study) == signals.attrs["spec"]
    np.testing.assert_array_equal(signals["chi"], again["chi"])
    assert json.loads(signals.attrs["versions"])["numpy"]


def test_critical_inits_are_named_for_the_activation():
    tanh = il.signal(WIDE, ["he_normal"], members=1)
    relu = il.signal(WIDE.model_copy(update={"activation": "relu"}), members=1)

    assert json.loads(tanh.attrs["critical_inits"]) == ["lecun_normal", "glorot_normal"]
    assert json.loads(relu.attrs["critical_inits"]) == ["he_normal"]
    assert tanh["chi_1"].item() == pytest.approx(1.106, abs=5e-4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"network": il.MLP()}, "widths: a signal needs"),
        ({"network": il.MLP(widths=(2, 3, 1), batch_norm=True)}, "batch_norm"),
        ({"inits": ["he_norml"]}, "Did you mean 'he_normal'"),
        ({"inits": ["zeros", "zeros"]}, "listed twice"),
        ({"examples": 1}, "examples: must be greater than or equal to 2"),
        ({"members": 0}, "members"),
        ({"precision": "float16"}, "precision"),
        ({"threads": 0}, "threads: must be at least 1"),
        ({"problem": "circles", "network": il.MLP(widths=(3, 1))}, "features, 2"),
        ({"inits": ["delta_orthogonal"]}, "conv"),
    ],
)
def test_bad_input_is_refused_in_one_line(given, message):
    arguments = {"network": il.MLP(widths=(4, 3, 2)), "inits": ["he_normal"]} | given

    with pytest.raises(InitlabError, match=message) as refused:
        il.signal(**arguments)

    assert "\n" not in str(refused.value)


def test_every_init_of_the_catalog_that_fits_has_signals():
    names = [
        name for name, entry in catalog.CATALOG.items() if "conv" not in entry.needs
    ]

    signals = il.signal(il.MLP(widths=(16, 16, 16, 4)), names, members=2)

    assert signals.sizes["init"] == len(names)
    assert np.isfinite(signals["activation_rms"]).all()


def test_explicit_weights_are_no_init_of_a_signal():
    with pytest.raises(InvalidValueError, match="explicit"):
        il.signal(il.MLP(widths=(4, 2)), [{"name": "explicit"}])


def test_weights_whose_variance_overflows_have_no_expectation():
    signals = il.signal(il.MLP(widths=(5,) * 4), ["normal(std=1e200)"], members=2)

    assert np.isinf(signals.weight_variance).all()
    assert np.isnan(signals.predicted_activation_rms).all()
