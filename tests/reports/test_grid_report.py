"""A study with a grid as a page: pictures, statements, and nothing half-done."""

import html
import re

import numpy as np
import pytest

import initlab as il
from initlab import analysis, figures
from initlab.analysis.statistics import bands
from initlab.errors import InvalidValueError
from initlab.figures._panels import place_title
from initlab.reports import write_folder


@pytest.fixture(scope="module")
def study():
    return il.Study(
        network={"width": 4},
        inits=["zeros", "he_normal", "normal(std=1)"],
        members=7,
        steps=60,
        record_every=20,
        grid={"network.depth": [1, 3], "learning_rate": [0.1, 1.0, 1e200]},
    )


@pytest.fixture(scope="module")
def results(study):
    return il.run(study, threads=1)


def tables_of(page):
    """Return the cells of every table of numbers, as text, row by row."""
    page = re.sub(r"</?span[^>]*>", "", page)
    bodies = re.findall(r'class="numeric".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    rows = [re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL) for body in bodies]
    return [
        [
            [html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t", row)]
            for row in table
        ]
        for table in rows
    ]


def page_of(results, folder, **asked):
    return il.report(results, folder / "page.html", **asked).read_text("utf-8")


def test_a_heat_map_has_a_panel_per_init_and_a_number_per_cell(results):
    axes = figures.loss_heatmaps(results)

    assert [ax.get_title(loc="left") for ax in axes] == results.init.values.tolist()
    numbers = [text.get_text() for text in axes[0].texts]
    assert len(numbers) == 6
    middle = float(np.median(results.loss.values[0, 0, 0, :, -1]))
    assert numbers[0] == f"{middle:.2g}"


def test_a_cell_in_which_half_diverged_has_no_colour(results):
    diverged = results.sel(learning_rate=[1e200], init=["normal(std=1)"])
    assert (diverged.diverged_step >= 0).mean() > 0.5

    axes = figures.loss_heatmaps(diverged)

    assert {text.get_text() for text in axes[0].texts} == {"div."}


def test_further_dimensions_are_panels():
    study = il.Study(
        inits=["zeros", "he_normal"], steps=10, members=2,
        grid={"learning_rate": [0.1, 1], "network.depth": [1, 2],
              "network.activation": ["relu", "tanh"]},
    )  # fmt: skip
    three = il.run(study, threads=1)

    titles = [ax.get_title(loc="left") for ax in figures.loss_heatmaps(three)]

    assert titles == [f"activation {a}, {i}" for a in ("relu", "tanh")
                      for i in ("zeros", "he_normal")]  # fmt: skip
    assert figures.grid_curves(three).size == 8


def test_curves_are_medians_of_every_cell(results):
    axes = figures.grid_curves(results)

    assert len(axes) == 6
    line = axes[0].lines[1].get_ydata()
    np.testing.assert_allclose(line, np.median(results.loss.values[0, 0, 1], axis=0))


def test_the_page_has_a_row_per_cell_statements_and_the_study(results, tmp_path):
    page = il.report(results, tmp_path / "page.html").read_text(encoding="utf-8")

    assert "3 inits over depth and learning_rate" in page
    cells, steps, profiles = tables_of(page)
    assert len(cells) == len(steps) == 2 * 3 * 3
    assert len(profiles) == 3
    assert "training loss at 0.1, depth 1: " in page
    assert "grid" in page
    assert "<script" not in page


def test_a_folder_has_the_pictures_and_the_numbers(results, tmp_path):
    write_folder(results, tmp_path / "out")

    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"loss_heatmaps.png", "grid_curves.svg", "results.json"} <= names


def test_networks_that_did_not_run_are_not_called_diverged(study, tmp_path):
    half = il.run(study, store=tmp_path / "s.zarr", part=(1, 2), threads=1)

    with pytest.raises(InvalidValueError, match="networks have not run yet"):
        il.report(half, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_the_tables_numbers_are_those_of_the_analysis(results, tmp_path):
    cells, steps, profiles = tables_of(page_of(results, tmp_path, target=0.5))

    ends = analysis.cell_statistics(results)
    times = analysis.target_steps(results, 0.5)
    for number, index in enumerate(np.ndindex(2, 3, 3)):
        median = ends.final_loss.values[index][0]
        low, high = ends.final_loss_interval.values[index][0]
        shown = f"{median:.3g} [{low:.3g}, {high:.3g}]".replace("inf", "not finite")
        assert cells[number][3] in (shown, "not finite [not finite, not finite]")
        low, high = 100 * ends.diverged_interval.values[index]
        share = 100 * ends.diverged.values[index]
        assert cells[number][-1] == f"{share:.0f} % [{low:.0f}, {high:.0f}]"
        count = 7 - int(times.never.values[index])
        low, high = 100 * times.reached_interval.values[index]
        assert steps[number][3] == "0.5"
        assert steps[number][5] == f"{100 * count / 7:.0f} % [{low:.0f}, {high:.0f}]"
        assert steps[number][6] == f"{7 - count} of 7"
    found = analysis.performance_profiles(results, factors=(1.0, 1.5, 2.0, 10.0))
    for row, each in zip(profiles, found, strict=True):
        assert row[0] == each.init
        assert [cell.split(" %")[0] for cell in row[1:]] == [
            f"{100 * share.value:.0f}" for share in each.within
        ]


def test_steps_that_are_not_within_the_run_say_so(results, tmp_path):
    _, steps, _ = tables_of(page_of(results, tmp_path, target=1e-12))

    assert {row[4] for row in steps} == {"> 60 [> 60, > 60]"}
    assert {row[6] for row in steps} == {"7 of 7"}


def test_the_page_says_the_target_and_who_chose_it(results, tmp_path):
    assert "half the loss of the best constant guess" in page_of(results, tmp_path)
    assert "0.125, as asked" in page_of(results, tmp_path, target=0.125)


@pytest.mark.parametrize("target", [-1.0, float("nan")])
def test_what_is_no_loss_is_refused_before_anything_is_written(
    results, target, tmp_path
):
    with pytest.raises(InvalidValueError, match="target: a finite loss"):
        il.report(results, tmp_path / "page.html", target=target)
    assert not any(tmp_path.iterdir())


def test_signals_have_no_target(tmp_path):
    signals = il.signal(il.MLP(widths=(2, 4, 1)))

    with pytest.raises(InvalidValueError, match="target: is of a trained study"):
        il.report(signals, tmp_path / "page.html", target=0.1)


def test_bands_are_named_and_are_what_they_are_named(results):
    losses = results.loss.values[0, 0]

    spread = figures.grid_curves(results)[0]
    interval = figures.grid_curves(results, band="interval")[0]

    for ax, kind in ((spread, "spread"), (interval, "interval")):
        for shaded, loss in zip(ax.collections, losses, strict=True):
            expected = getattr(bands(loss, worst=np.inf), kind)
            drawn = shaded.get_paths()[0].vertices[:, 1]
            assert drawn.min() == pytest.approx(expected.min())
            assert drawn.max() == pytest.approx(expected.max())

    def named(ax):
        return [text.get_text() for text in ax.figure.legends[0].get_texts()]

    assert named(spread)[-1] == "spread over members, 5-95 %"
    assert named(interval)[-1] == "95 % interval of the median"
    assert spread.get_ylim() == interval.get_ylim()


def test_a_single_studys_band_may_be_the_interval(short_results):
    one = short_results.isel(member=[0] * 8)

    ax = figures.loss_curves(one, band="interval")

    texts = [text.get_text() for text in ax.texts]
    assert any("Band: 95 % interval of the median." in text for text in texts)


def test_an_interval_of_five_members_cannot_be_drawn(results):
    five = results.isel(member=slice(5))

    with pytest.raises(InvalidValueError, match="band: interval needs at least 6"):
        figures.grid_curves(five, band="interval")
    with pytest.raises(InvalidValueError, match="band: spread or interval, got 'sd'"):
        figures.grid_curves(five, band="sd")


def test_one_member_that_learned_all_does_not_flatten_the_others(results):
    one = results.copy(deep=True)
    one.loss.values[0, 0, 1, 0] = 1e-60

    low, _ = figures.grid_curves(one)[0].get_ylim()

    assert low > 1e-3


def test_performance_curves_are_the_profiles(results):
    ax = figures.performance_curves(results)

    factors = tuple(ax.lines[0].get_xdata().tolist())
    found = analysis.performance_profiles(results, factors=factors)
    for line, each in zip(ax.lines, found, strict=True):
        assert line.get_label() == each.init
        assert line.get_ydata().tolist() == [share.value for share in each.within]


def test_a_page_of_one_init_has_no_profile(results, tmp_path):
    page = page_of(results.isel(init=[1]), tmp_path)

    assert len(tables_of(page)) == 2
    assert "near the best" not in page


def test_what_is_long_is_folded_and_nothing_is_lost(tmp_path):
    study = il.Study(
        network={"width": 2}, members=2, steps=1,
        inits=["zeros", "he_normal", "normal(std=1)"],
        grid={"learning_rate": [0.1, 1.0, 2.0], "network.depth": [1, 2, 3]},
    )  # fmt: skip
    page = page_of(il.run(study, threads=1), tmp_path)

    assert "<summary>27 rows</summary>" in page
    assert len(tables_of(page)[0]) == 27
    # 3 pairs at 9 points, and at the best learning rate of 3 depths, which come first.
    assert "<summary>12 more comparisons</summary>" in page
    assert page.count("each init&#39;s best learning rate") == 9
    first = page.index("training loss at 0.1")
    assert page.index("best learning rate") < first


def test_panel_titles_have_room():
    assert place_title({"init": "he_normal"}) == "he_normal"
    title = place_title({"activation": "leaky_relu", "learning_rate": 0.01, "depth": 3})
    assert max(map(len, title.splitlines())) <= 27
    assert "learning_rate 0.01" in title


def test_panels_of_the_last_dimension_stand_side_by_side(results):
    columns = figures.grid_curves(results)[0].get_subplotspec().get_gridspec().ncols

    assert columns == 3


def test_what_no_text_holds_is_not_said_to_be_repeatable(tmp_path):
    def mine(shape, rng):
        return rng.standard_normal(shape)

    rng = np.random.default_rng(0)
    study = il.Study(
        inits=["zeros", mine], steps=10, grid={"learning_rate": [0.1, 1.0]},
        problem=(rng.standard_normal((40, 2)), rng.integers(2, size=40)),
    )  # fmt: skip
    results = il.run(study, threads=1)

    page = page_of(results, tmp_path, command="initlab run study.toml")

    assert "mine is a Python function that no text holds" in page
    assert study.inits[1].digest in page
    assert study.problem.digest in page
    assert "Repeat this run" not in page
    assert "study.toml" not in page
    plain = il.run(study.model_copy(update={"grid": None}), threads=1)
    assert "mine is a Python function that no text holds" in page_of(plain, tmp_path)


def test_a_grids_curves_begin_inside_and_their_label_is_whole():
    results = il.run(
        il.Study(
            inits=["zeros", "normal(std=3)"], members=6, steps=50, problem="diabetes",
            grid={"learning_rate": [0.01]},
        ),
        threads=1,
    )  # fmt: skip

    (ax,) = results.il.plot.curves()

    figure = ax.get_figure()
    figure.canvas.draw()
    start = float(results.loss.sel(init="zeros", step=0).median())
    assert ax.get_ylim()[0] < start < ax.get_ylim()[1]
    label = figure._supylabel.get_window_extent()
    assert label.y0 >= 0
    assert label.y1 <= figure.bbox.y1
