"""Pictures of signals: what is drawn is what the dataset says."""

import io

import numpy as np
import pytest

import initlab as il
from initlab import figures
from initlab.reports._pictures import svg_of


@pytest.fixture(scope="module")
def signals():
    return il.signal(il.MLP(widths=(30,) * 6), ["he_normal", "zeros"], members=5)


def test_lines_are_medians_and_dashes_are_expected(signals):
    axes = figures.signal_profiles(signals)

    measured, expected = axes[0].lines[:2]
    one = signals.sel(init="he_normal").isel(step=0)
    np.testing.assert_allclose(
        measured.get_ydata(), one["activation_rms"].median("member")
    )
    np.testing.assert_allclose(expected.get_ydata(), one["predicted_activation_rms"])
    assert measured.get_marker() != "None"
    assert expected.get_linestyle() == "--"


def test_the_budget_is_the_sum_of_ln_chi_from_the_last_layer_down(signals):
    ax = figures.signal_profiles(signals)[3]

    chi = signals["predicted_chi"].sel(init="he_normal").values
    expected = [np.log(chi[layer:-1]).sum() for layer in range(len(chi))]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), expected, atol=1e-12)


def test_axes_say_what_is_drawn_and_inits_differ_by_colour_and_marker(signals):
    axes = figures.signal_profiles(signals)

    assert all(
        ax.get_xlabel() and ax.get_ylabel() and ax.get_title("left") for ax in axes
    )
    drawn = [line for line in axes[0].lines if line.get_marker() != "None"]
    assert len({line.get_marker() for line in drawn}) == 2
    assert len({line.get_color() for line in drawn}) == 2


def test_four_axes_of_the_users_are_drawn_into(signals):
    with figures.style():
        from matplotlib.figure import Figure

        mine = Figure().subplots(2, 2).flatten()

    assert figures.signal_profiles(signals, axes=mine)[0] is mine[0]


def test_networks_without_any_signal_can_be_drawn():
    nothing = il.signal(il.MLP(widths=(4, 1)), ["zeros"], members=1)

    figure = figures.signal_profiles(nothing)[0].figure

    assert svg_of(figure).startswith("<svg")
    figure.savefig(io.BytesIO(), format="png")


def test_histograms_without_training_have_one_stage(signals):
    axes = figures.activation_histograms(signals)

    assert axes.shape == (2, 5)
    assert not axes[0, 0].figure.legends
