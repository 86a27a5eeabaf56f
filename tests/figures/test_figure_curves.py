from itertools import pairwise

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from initlab.figures import CEILING, loss_curves


def curve(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_one_member_is_drawn_as_it_was_recorded(results_of):
    results = results_of()

    ax = loss_curves(results)

    for label in results.init.values:
        x, y = curve(ax, label).get_data()
        np.testing.assert_array_equal(x, results.step.values)
        np.testing.assert_array_equal(y, results.loss.sel(init=label, member=0))
    assert not [band for band in ax.collections if isinstance(band, PolyCollection)]


def test_several_members_are_drawn_as_their_median(results_of):
    results = results_of(members=7)

    ax = loss_curves(results)

    for label in results.init.values:
        drawn = curve(ax, label).get_ydata()
        expected = results.loss.sel(init=label).median("member")
        np.testing.assert_allclose(drawn, expected, rtol=1e-12)


def test_the_band_holds_the_5_to_95_percent_quantiles(results_of):
    results = results_of(members=7)

    ax = loss_curves(results)

    bands = [band for band in ax.collections if isinstance(band, PolyCollection)]
    assert len(bands) == 3
    for band, label in zip(bands, results.init.values, strict=True):
        x, y = band.get_paths()[0].vertices.T
        for step in results.step.values:
            losses = results.loss.sel(init=label, step=step)
            low, high = losses.quantile(
                [0.05, 0.95], "member", method="inverted_cdf"
            ).values
            assert y[x == step].min() == pytest.approx(low, rel=1e-12)
            assert y[x == step].max() == pytest.approx(high, rel=1e-12)
    assert any("spread over members, 5-95 %" in text for text in texts(ax))


def test_a_large_range_of_losses_gets_a_log_scale(results_of):
    ax = loss_curves(results_of(first_losses=[0.7, 1773.0, 0.9]))

    assert ax.get_yscale() == "log"


def test_a_small_range_of_losses_gets_a_linear_scale_from_zero(results_of):
    ax = loss_curves(results_of(labels=("zeros",), first_losses=[0.7]))

    assert ax.get_yscale() == "linear"
    assert ax.get_ylim()[0] == 0


def test_the_step_axis_is_linear_and_ends_at_the_last_step(results_of):
    ax = loss_curves(results_of())

    assert ax.get_xscale() == "linear"
    assert ax.get_xlim()[0] <= 0
    assert ax.get_xlim()[1] == 15000
    assert ax.get_xlabel().startswith("step")


@pytest.mark.parametrize("first_losses", [[0.7, 1773.0, 0.9], [0.7, 0.8, 0.9]])
def test_every_curve_is_inside_the_axes(results_of, first_losses):
    results = results_of(members=5, first_losses=first_losses)

    low, high = loss_curves(results).get_ylim()

    assert low < results.loss.min()
    assert high > results.loss.quantile(0.95, "member").max()


def test_a_dashed_line_stands_at_the_best_constant_guess(results_of):
    results = results_of()

    ax = loss_curves(results)

    line = curve(ax, "constant guess")
    assert set(line.get_ydata()) == {float(results.baseline_loss)}
    assert line.is_dashed()
    assert "constant guess" in texts(ax)


def test_labels_at_the_ends_do_not_overlap(results_of):
    labels = [f"init_{i}" for i in range(9)]
    ax = loss_curves(results_of(labels, first_losses=[0.7] * 9))
    ax.figure.draw_without_rendering()

    boxes = sorted(
        (text.get_window_extent() for text in ax.texts if text.get_text() in labels),
        key=lambda box: box.y0,
    )

    assert len(boxes) == 9
    for below, above in pairwise(boxes):
        assert above.y0 > below.y1 - 1  # a pixel of line spacing


def test_every_init_has_a_colour_and_marker_of_its_own(results_of):
    labels = [f"init_{i}" for i in range(7)]

    ax = loss_curves(results_of(labels))

    drawn = [curve(ax, label) for label in labels]
    assert len({to_hex(line.get_color()) for line in drawn}) == 7
    assert len({line.get_marker() for line in drawn}) == 7


def test_a_diverged_network_ends_with_a_cross_at_its_last_finite_loss(results_of):
    results = results_of(diverged=[(2, 0)])

    ax = loss_curves(results)

    cross = curve(ax, "_diverged")
    assert cross.get_marker() == "x"
    np.testing.assert_array_equal(cross.get_xdata(), [5000])
    np.testing.assert_array_equal(cross.get_ydata(), [results.loss.values[2, 0, 1]])
    assert "he_normal (diverged)" in texts(ax)


def test_diverged_members_count_as_infinite_in_the_median(results_of):
    results = results_of(members=5, diverged=[(2, 0), (2, 1)])

    ax = loss_curves(results)

    infinite = results.loss.sel(init="he_normal").fillna(np.inf).values
    expected = np.sort(infinite, axis=0)[2]
    np.testing.assert_allclose(curve(ax, "he_normal").get_ydata(), expected, rtol=1e-12)
    assert "he_normal (2 of 5 diverged)" in texts(ax)


def test_a_median_of_mostly_diverged_members_ends(results_of):
    results = results_of(members=3, diverged=[(2, 0), (2, 1)])

    drawn = curve(loss_curves(results), "he_normal").get_ydata()

    assert np.isfinite(drawn).tolist() == [True, True, False, False]


def test_a_network_that_was_never_finite_has_a_cross_at_the_top(results_of):
    results = results_of(diverged=[(2, 0)])
    results.loss.values[2] = np.nan

    cross = curve(loss_curves(results), "_never finite")

    assert cross.get_xdata()[0] == 0
    assert 0.8 < cross.get_ydata()[0] <= 1  # in shares of the axis


@pytest.mark.parametrize("label", ["$x_1$", "a_b^c", "<b>&", "tab\tand\x01b", "$"])
def test_a_label_is_shown_as_typed(results_of, label):
    ax = loss_curves(results_of((label, "other")))
    ax.figure.draw_without_rendering()

    (text,) = [t for t in ax.texts if "other" not in t.get_text() and
               t.get_text() not in ("", "constant guess")]  # fmt: skip
    shown, is_mathematics = text._preprocess_math(text.get_text())
    assert not is_mathematics
    assert shown == label.replace("\t", " ").replace("\x01", " ")


def test_a_very_long_label_is_shortened_in_its_middle(results_of):
    ax = loss_curves(results_of(("begin" + 100 * "x" + "end",)))

    (shown,) = [text for text in texts(ax) if text.startswith("begin")]
    assert shown.endswith("end")
    assert len(shown) == 30


def test_given_axes_are_drawn_into(results_of):
    ax = Figure().subplots()

    assert loss_curves(results_of(), ax=ax) is ax
    assert ax.lines


@pytest.mark.parametrize(
    ("loss", "unit"),
    [
        ("binary_cross_entropy", "nats"),
        ("softmax_cross_entropy", "nats"),
        ("mean_squared_error", "target units²"),
    ],
)
def test_the_loss_axis_names_its_unit(results_of, loss, unit):
    assert unit in loss_curves(results_of(loss=loss)).get_ylabel()


def test_one_exploded_network_does_not_flatten_the_others(results_of):
    results = results_of(first_losses=[0.7, 0.8, 0.9]).copy(deep=True)
    results.loss[1, :, 1:] = 1e90

    ax = loss_curves(results)

    assert 0.9 * CEILING < ax.get_ylim()[1] < 100 * 0.9 * CEILING
