"""`results.il`: tables, pictures and tidy rows, with and without a grid."""

import subprocess
import sys

import pytest

import initlab as il
from initlab import analysis
from initlab.errors import InvalidValueError


@pytest.fixture(scope="module")
def grid():
    study = il.Study(
        inits=["zeros", "he_normal"], members=7, steps=20,
        grid={"learning_rate": [0.1, 1.0]},
    )  # fmt: skip
    return il.run(study, threads=1)


def test_a_plain_studys_table_is_the_comparison(short_results):
    assert str(short_results.il.table()) == str(il.compare(short_results))
    assert "<table" in short_results.il._repr_html_()


def test_a_grids_table_has_a_row_per_cell_and_init(grid):
    table = grid.il.table()

    assert table.columns.tolist() == [
        "learning_rate", "init", "median", "median_low", "median_high",
        "diverged", "diverged_low", "diverged_high", "members",
    ]  # fmt: skip
    assert len(table) == 4
    assert (table["median_low"] <= table["median"]).all()
    assert "<table" in grid.il._repr_html_()


def test_rows_are_tidy(grid):
    rows = grid.il.to_dataframe()

    assert len(rows) == grid.loss.size
    one = rows.query("learning_rate == 1.0 and init == 'zeros' and member == 3")
    expected = grid.loss.sel(learning_rate=1.0, init="zeros", member=3)
    assert one.loss.tolist() == expected.values.tolist()
    assert len(grid.il.to_dataframe("members")) == 28
    assert len(grid.il.to_dataframe("layers")) == grid.gradient_norm.size


def test_steps_to_a_loss_are_those_of_the_analysis(grid):
    found = analysis.target_steps(grid, 0.69)

    rows = grid.il.steps_to(0.69)

    assert rows.columns.tolist() == [
        "learning_rate", "init", "target", "steps", "steps_low", "steps_high",
        "reached", "reached_low", "reached_high", "never", "members",
    ]  # fmt: skip
    assert rows.steps.tolist() == found.steps.values.ravel().tolist()
    assert rows.never.tolist() == found.never.values.ravel().tolist()
    reached = found.reached_interval.values.reshape(-1, 2)
    assert rows[["reached_low", "reached_high"]].values.tolist() == reached.tolist()


def test_profiles_are_those_of_the_analysis(grid):
    found = analysis.performance_profiles(grid)

    rows = grid.il.profiles()

    shares = [share for each in found for share in each.within]
    assert rows.within.tolist() == [share.value for share in shares]
    assert rows.within_high.tolist() == [share.interval[1] for share in shares]
    assert set(rows.runs) == {14}


def test_pictures_are_axes(grid, short_results):
    assert grid.il.plot.curves().size == 2
    assert grid.il.plot.curves(band="interval").size == 2
    assert len(grid.il.plot.profiles().lines) == 2
    assert grid.il.plot.heatmap().size == 1
    assert short_results.il.plot.curves().lines
    with pytest.raises(InvalidValueError, match="heatmap: is of a study with a grid"):
        short_results.il.plot.heatmap()


def test_a_store_that_is_opened_has_it_too(grid, tmp_path):
    study = il.from_toml(grid.attrs["spec"])
    il.run(study, store=tmp_path / "s.zarr", threads=1).close()

    opened = il.open_store(tmp_path / "s.zarr")

    assert opened.il.to_dataframe().equals(grid.il.to_dataframe())


def test_a_study_on_its_way_says_so_in_a_notebook(tmp_path):
    study = il.Study(members=4, steps=10, shard_members=2)
    half = il.run(study, store=tmp_path / "s.zarr", part=(1, 2), threads=1)

    assert "6 of 12 networks have not run yet" in half.il._repr_html_()
    with pytest.raises(InvalidValueError, match="networks have not run yet"):
        half.il.plot.curves()


def test_dimensions_say_their_units_and_what_they_are(tmp_path):
    study = il.Study(
        inits=["zeros"], steps=10,
        grid={"network.depth": [1, 2], "learning_rate": [0.1, 1.0]},
    )  # fmt: skip
    stored = il.run(study, store=tmp_path / "s.zarr", threads=1)

    for results in (stored, il.run(study, threads=1)):
        assert results.depth.attrs["units"] == "hidden layers"
        assert all("long_name" in results[dim].attrs for dim in results.loss.dims)
        assert results.attrs["loss"] == "binary_cross_entropy"
        axes = results.il.plot.heatmap()
        assert axes[0].get_xlabel() == "depth (hidden layers)"
        (label,) = {axes[0].figure.axes[-1].get_ylabel()}
        assert label == "median final loss"


REFUSED = """
import initlab as il

results = il.run(il.Study(inits=["zeros"], steps=2), threads=1)
for wrong in ("a", [1.0], True, float("nan"), -1.0):
    try:
        results.il.steps_to(wrong)
    except il.InitlabError as error:
        print(error)
"""


def test_what_is_no_loss_is_refused_as_a_target():
    # Apart, because types are checked here before we can say anything.
    said = subprocess.run(
        [sys.executable, "-c", REFUSED], capture_output=True, text=True, check=True
    ).stdout.splitlines()

    start = "target: a finite loss of 0 or more, got "
    assert said == [start + each for each in ("'a'", "[1.0]", "True", "nan", "-1.0")]


@pytest.mark.parametrize("wrong", ["x", 3])
def test_an_unknown_table_is_refused_with_the_known(grid, wrong):
    with pytest.raises(InvalidValueError, match=r"^table: steps, layers, members, got"):
        grid.il.to_dataframe(wrong)
