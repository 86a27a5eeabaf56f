"""A study with a grid as a page: pictures, statements, and nothing half-done."""

import re

import numpy as np
import pytest

import initlab as il
from initlab import figures
from initlab.errors import InvalidValueError
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
    assert len(re.findall(r"<th scope=\"row\">", page)) == 2 * 3 * 3
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
