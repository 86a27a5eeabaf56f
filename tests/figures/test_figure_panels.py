import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from initlab.errors import InvalidValueError
from initlab.figures import (
    activation_histograms,
    decision_boundaries,
    layer_profiles,
    loss_curves,
)
from initlab.figures._labels import compact, log_ticks

PANELLED = [decision_boundaries, activation_histograms, layer_profiles]


def line_of(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


# Decision boundaries


def test_there_is_one_boundary_panel_per_init_with_its_name_and_score(results_of):
    axes = decision_boundaries(results_of())

    titles = [ax.get_title(loc="left") for ax in axes]
    assert titles == [
        "zeros\ntest accuracy 86 %",
        "normal(std=10)\ntest accuracy 86 %",
        "he_normal\ntest accuracy 86 %",
    ]


@pytest.mark.parametrize(("inits", "columns"), [(1, 1), (4, 4), (5, 3), (9, 3)])
def test_panels_wrap_after_four(results_of, inits, columns):
    axes = decision_boundaries(results_of([f"init_{i}" for i in range(inits)]))

    assert len(axes) == inits
    assert axes[0].get_subplotspec().get_gridspec().ncols == columns
    bottom = [ax.get_xlabel() for ax in axes[-columns:]]
    assert bottom == ["across"] * min(columns, inits)


def test_the_background_is_the_grid_and_the_line_is_one_half(results_of):
    results = results_of()

    ax = decision_boundaries(results)[2]

    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), results.grid_output.values[2])
    assert image.get_extent() == [-2, 2, -2, 2]
    assert image.origin == "lower"
    (contour,) = [c for c in ax.collections if hasattr(c, "levels")]
    assert contour.levels == [0.5]


def test_training_examples_stand_on_top_in_two_colours(results_of):
    results = results_of()

    ax = decision_boundaries(results)[0]

    (points,) = [c for c in ax.collections if not hasattr(c, "levels")]
    np.testing.assert_array_equal(points.get_offsets(), results.train_x)
    colours = [to_hex(colour) for colour in points.get_facecolors()]
    assert len({*colours[::2]}) == len({*colours[1::2]}) == 1
    assert colours[0] != colours[1]


@pytest.mark.parametrize("classes", [3, 12])
def test_several_classes_have_a_colour_each_and_a_legend(results_of, classes):
    names = [f"class {i}" for i in range(classes)]
    results = results_of(classes=names, outputs=classes, loss="softmax_cross_entropy")

    axes = decision_boundaries(results)

    (image,) = axes[0].images
    shades = {to_hex(image.cmap(image.norm(i))) for i in range(classes)}
    assert len(shades) == classes
    (legend,) = axes[0].figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    assert not [c for c in axes[0].collections if hasattr(c, "levels")]


def test_numbers_have_one_sequential_scale_for_all_panels(results_of):
    results = results_of(classes=(), loss="mean_squared_error")

    axes = decision_boundaries(results)

    assert len({(ax.images[0].norm.vmin, ax.images[0].norm.vmax) for ax in axes}) == 1
    assert axes[0].get_title(loc="left") == "zeros\ntest R² 0.86"
    assert not axes[0].figure.legends


def test_numbers_without_one_finite_prediction_have_a_scale_too(results_of):
    results = results_of(
        ("a",), classes=(), loss="mean_squared_error", diverged=[(0, 0)]
    )
    results.grid_output.values[:] = np.nan

    (ax,) = decision_boundaries(results)

    assert np.isfinite([ax.images[0].norm.vmin, ax.images[0].norm.vmax]).all()


def test_equal_predictions_everywhere_have_a_scale_too(results_of):
    results = results_of(("a",), classes=(), loss="mean_squared_error")
    results.grid_output.values[:] = 3.0

    (ax,) = decision_boundaries(results)

    assert ax.images[0].norm.vmin < ax.images[0].norm.vmax


def test_a_diverged_network_predicts_nothing(results_of):
    ax = decision_boundaries(results_of(diverged=[(2, 0)]))[2]

    assert ax.images[0].get_array().mask.all()
    assert ax.get_title(loc="left") == "he_normal\ndiverged at step 7,001"
    assert [text.get_text() for text in ax.texts] == ["no prediction"]


def test_of_several_members_it_says_which_one_is_drawn(results_of):
    results = results_of(members=2)

    own = decision_boundaries(results)[0].figure
    given = decision_boundaries(results, axes=Figure().subplots(1, 3))

    assert own.get_suptitle() == "Decision boundary, member 0"
    assert all("member 0" in ax.get_title(loc="left") for ax in given)


def test_without_test_examples_the_training_score_is_shown(results_of):
    results = results_of()
    results.test_accuracy.values[:] = np.nan

    title = decision_boundaries(results)[0].get_title(loc="left")

    assert title == "zeros\ntraining accuracy 75 %"


def test_data_that_were_not_kept_leave_the_background_alone(results_of):
    results = results_of().drop_vars(["train_x", "train_y"])

    ax = decision_boundaries(results)[0]

    assert ax.images
    assert all(hasattr(c, "levels") for c in ax.collections)


def test_results_without_a_grid_are_refused(results_of):
    with pytest.raises(InvalidValueError, match="no grid_output"):
        decision_boundaries(results_of(grid=False))


@pytest.mark.parametrize(
    ("loss", "label"),
    [
        ("binary_cross_entropy", "probability of yes"),
        ("mean_squared_error", "output for yes"),
    ],
)
def test_only_a_probability_is_called_one(results_of, loss, label):
    figure = decision_boundaries(results_of(loss=loss))[0].figure

    assert label in [ax.get_ylabel() for ax in figure.axes]


# Histograms


def test_histograms_have_a_row_per_init_and_a_column_per_layer(results_of):
    grid = activation_histograms(results_of())

    assert grid.shape == (3, 3)
    assert [row[0].get_ylabel() for row in grid] == [
        "zeros",
        "normal(std=10)",
        "he_normal",
    ]
    assert [ax.get_title() for ax in grid[0]] == [
        "layer 1\n4 units",
        "layer 2\n4 units",
        "logits\n1 unit",
    ]


def test_before_is_outlined_and_after_is_filled(results_of):
    ax = activation_histograms(results_of())[1, 1]

    drawn = {patch.get_label(): patch for patch in ax.patches}
    assert drawn.keys() == {"before", "after"}
    assert not drawn["before"].get_fill()
    assert drawn["after"].get_fill()
    np.testing.assert_allclose(
        drawn["after"].get_data().values, np.sqrt([0.25, 0.5, 0.75, 1.0])
    )
    np.testing.assert_array_equal(
        drawn["after"].get_data().edges, np.linspace(-1, 1, 5)
    )


def test_of_many_layers_first_last_and_evenly_spaced_ones_are_shown(results_of):
    grid = activation_histograms(results_of(layers=12))

    titles = [ax.get_title().splitlines()[0] for ax in grid[0]]
    assert titles[0] == "layer 1"
    assert titles[-1] == "logits"
    assert len(titles) == 6
    assert "6 of 12 layers" in grid[0, 0].figure.get_suptitle()


def test_constant_outputs_are_one_bar_at_their_value(results_of):
    results = results_of()
    results.activation_density.values[0, :, 0] = [0, 0, 1, 0]
    results.activation_edge.values[0, :, 0] = np.linspace(2.0, 3.0, 5)

    ax = activation_histograms(results)[0, 0]

    for stage in ("before", "after"):
        np.testing.assert_array_equal(line_of(ax, stage).get_xdata(), [2.5, 2.5])
    assert ax.texts[0].get_text() == "all 2.5"


def test_round_off_between_two_constants_is_no_distance(results_of):
    results = results_of()
    results.activation_density.values[0, :, 0] = [0, 0, 1, 0]
    results.activation_edge.values[0, 1, 0] = np.linspace(-1, 1, 5) + 1e-16

    ax = activation_histograms(results)[0, 0]

    assert np.ptp(ax.get_xlim()) > 0.01


def test_outputs_that_are_not_finite_are_named(results_of):
    results = results_of(diverged=[(2, 0)])
    results.activation_density.values[2, 1] = np.nan
    results.activation_edge.values[2, 1] = np.nan

    ax = activation_histograms(results)[2, 1]

    assert [patch.get_label() for patch in ax.patches] == ["before"]
    assert ax.texts[0].get_text() == "after: not finite"


def test_a_long_init_is_wrapped_before_its_parameters(results_of):
    grid = activation_histograms(results_of(("he_normal(scale=100, bias=-10)",)))

    assert grid[0, 0].get_ylabel() == "he_normal\n(scale=100,\nbias=-10)"


def test_the_histograms_of_several_members_say_whose_they_are(results_of):
    figure = activation_histograms(results_of(members=2))[0, 0].figure

    assert "member 0" in figure.get_suptitle()


# Profiles


def test_profiles_are_the_medians_before_the_first_update(results_of):
    results = results_of(members=3)

    outputs, gradients = layer_profiles(results)

    for ax, name in ((outputs, "activation_rms"), (gradients, "gradient_norm")):
        x, y = line_of(ax, "he_normal").get_data()
        expected = results[name].sel(init="he_normal", step=0).median("member")
        np.testing.assert_array_equal(x, [1, 2, 3])
        np.testing.assert_allclose(y, expected, rtol=1e-12)
        assert ax.get_yscale() == "log"


def test_exact_zeros_stand_at_the_bottom_at_a_tick_that_says_0(results_of):
    outputs, _ = layer_profiles(results_of())

    floor = set(line_of(outputs, "zeros").get_ydata())
    (height,) = floor
    bottom, _ = outputs.get_ylim()
    assert bottom < height < line_of(outputs, "he_normal").get_ydata().min()
    assert outputs.yaxis.get_major_formatter()(height) == "0"


def test_without_zeros_no_tick_says_0(results_of):
    results = results_of()
    results["activation_rms"] = results.activation_rms + 1

    outputs, _ = layer_profiles(results)

    ticks = outputs.yaxis.get_major_locator()()
    assert "0" not in [outputs.yaxis.get_major_formatter()(tick) for tick in ticks]


def test_numbers_next_to_underflow_are_drawn_as_zeros(results_of):
    results = results_of()
    results["gradient_norm"] = results.gradient_norm * 1e-300

    _, gradients = layer_profiles(results)

    assert (line_of(gradients, "he_normal").get_ydata() > 0).all()


@pytest.mark.parametrize("layers", [1, 2, 40])
def test_any_depth_has_profiles(results_of, layers):
    outputs, _ = layer_profiles(results_of(layers=layers))

    assert outputs.get_xlim()[0] < 1
    assert outputs.get_xlim()[1] > layers


# All of them


@pytest.mark.parametrize("draw", PANELLED)
def test_given_axes_are_drawn_into_and_returned(results_of, draw):
    own = draw(results_of())
    given = Figure().subplots(own.size, 1)

    drawn = draw(results_of(), axes=given)

    assert list(drawn.flat) == list(given)
    assert given[0].figure.get_suptitle() == ""


@pytest.mark.parametrize("draw", [loss_curves, *PANELLED])
def test_drawing_changes_no_global_setting(results_of, draw):
    before = dict(mpl.rcParams)

    draw(results_of())

    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("draw", [loss_curves, *PANELLED])
def test_an_init_has_the_same_colour_in_every_picture(results_of, draw, members):
    blue = "#0072b2"
    axes = np.atleast_1d(draw(results_of(members=members)))

    first = axes.flat[0]
    colours = [line.get_color() for line in first.lines]
    colours += [patch.get_facecolor() for patch in first.patches]
    colours += [spine.get_edgecolor() for spine in first.spines.values()]

    assert blue in {to_hex(colour) for colour in colours}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (15000, "15,000"),
        (0.25, "0.25"),
        (-8, "\N{MINUS SIGN}8"),
        (1e-7, "1e-7"),
        (-2.5e-11, "\N{MINUS SIGN}2.5e-11"),
        (1e6, "1e6"),
    ],
)
def test_ticks_are_short(number, text):
    assert compact(number) == text


def test_ticks_of_a_short_log_axis_include_2_and_5():
    assert log_ticks(0.9, 11) == pytest.approx([1, 2, 5, 10])
