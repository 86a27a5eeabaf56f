"""Ordinary selections of results: what they are of is shown, or refused by name."""

import pytest
import xarray as xr

import initlab as il
from initlab import analysis
from initlab.errors import InvalidValueError, OutputError
from initlab.reports import as_json


@pytest.fixture(scope="module")
def grid():
    return il.run(
        il.Study(
            inits=["zeros", "he_normal"],
            members=2,
            steps=20,
            network=il.MLP(depth=1),
            grid={"learning_rate": [0.1, 1.0], "network.width": [2, 3]},
        ),
        threads=1,
    )


@pytest.fixture(scope="module")
def signals():
    return il.signal(il.MLP(widths=(5, 5, 5)), ["zeros", "he_normal"], members=2)


ROWS = [
    ({"init": "zeros"}, ["zeros"], 2),
    ({"member": 1}, ["zeros", "normal(std=10)", "he_normal"], 1),
    ({"init": "he_normal", "member": 0}, ["he_normal"], 1),
    ({"step": [0, 100]}, ["zeros", "normal(std=10)", "he_normal"], 2),
]


@pytest.mark.parametrize(("chosen", "inits", "members"), ROWS)
def test_a_selection_is_compared_and_reported_as_what_it_is(
    short_results, tmp_path, chosen, inits, members
):
    part = short_results.sel(chosen)

    table = il.compare(part)
    page = il.report(part, tmp_path / "x.html").read_text()

    assert [row[0] for row in table.rows] == inits
    assert table.comparison.members == members
    whole = {row.init: row for row in il.compare(short_results).comparison.rows}
    for row in table.comparison.rows:
        assert row.first_loss.median in {
            whole[row.init].first_loss.median,
            *short_results.loss.sel(init=row.init, step=0).values.tolist(),
        }
    assert f"<dd>{members}</dd>" in page
    assert ("he_normal" in page.split("<pre")[0]) == ("he_normal" in inits)


def test_members_keep_their_numbers_and_pictures_of_member_0_are_its_own(
    short_results, tmp_path
):
    both = short_results.isel(member=[1, 1]).assign_coords(member=[1, 7])

    assert "such as member 1:" in il.compare(both).rows[0][-1]
    page = il.report(both, tmp_path / "x.html").read_text()
    assert "What the networks say" not in page
    assert "What each layer gives out" not in page
    whole = il.report(short_results, tmp_path / "y.html").read_text()
    assert "What the networks say" in whole


def test_the_numbers_of_a_selection_are_under_its_own_members_and_steps():
    study = il.Study(inits=["zeros", "he_normal"], members=4, steps=2100)
    results = il.run(study, threads=1, engine="lanes")

    (entry,) = as_json(results.isel(member=slice(2, 4)).sel(init="he_normal"))[
        "results"
    ]
    (alone,) = as_json(results.sel(init="he_normal", member=3, step=[0, 2000]))[
        "results"
    ]

    assert [each["member"] for each in entry["members"]] == [2, 3]
    for each in entry["members"]:
        losses = results.loss.sel(init="he_normal", member=each["member"])
        assert each["losses"] == losses.sel(step=entry["steps"]).values.tolist()
    assert (alone["init"], alone["steps"]) == ("he_normal", [0, 2000])


def test_the_order_of_dimensions_does_not_matter(short_results):
    turned = short_results.transpose(*reversed(list(short_results.sizes)))

    assert str(il.compare(turned)) == str(il.compare(short_results))


def test_restored_results_are_the_selection_of_length_one(short_results):
    one = analysis.selected(short_results.sel(init="zeros", member=1, drop=False))

    expected = short_results.sel(init=["zeros"], member=[1])
    for name in ("loss", "diverged_step", "activation_rms", "baseline_loss"):
        xr.testing.assert_equal(one[name].variable, expected[name].variable)
    assert one["init"].values.tolist() == ["zeros"]


@pytest.mark.parametrize(
    "chosen",
    [
        {"learning_rate": 0, "width": 0},
        {"init": 0},
        {"member": 0, "width": 1},
        {"init": 0, "member": 0, "learning_rate": 0, "width": 0},
    ],
)
def test_a_part_of_a_grid_is_reported(grid, tmp_path, chosen):
    part = grid.isel(chosen)

    page = il.report(part, tmp_path / "x.html").read_text()

    cells = (2 - ("learning_rate" in chosen)) * (2 - ("width" in chosen))
    assert len(part.il.table()) == cells * (2 - ("init" in chosen))
    assert "Grid, learning_rate" in page


def test_a_grid_is_no_comparison_and_has_a_table(grid):
    with pytest.raises(InvalidValueError, match=r"learning_rate, width.*il\.table\(\)"):
        il.compare(grid)

    assert len(grid.il.table()) == 8


@pytest.mark.parametrize("problem", ["circles", "wine", "diabetes"])
def test_a_single_cell_of_a_grid_is_compared_as_the_study_that_ran_there(problem):
    asked = {"inits": ["zeros", "he_normal"], "members": 6, "steps": 20}
    grid = il.Study(
        problem=problem,
        grid={"network.depth": [1, 2], "learning_rate": [0.01, 0.1]},
        **asked,
    )
    alone = il.Study(
        problem=problem, network=il.MLP(depth=1, width=10), learning_rate=0.1, **asked
    )
    ran = il.run(grid, engine="reference")

    found = il.compare(ran.sel(depth=1, learning_rate=0.1))

    assert str(found) == str(il.compare(il.run(alone, engine="reference")))
    assert str(found) == str(il.compare(ran.isel(depth=[0], learning_rate=[1])))


@pytest.mark.parametrize("chosen", [{"init": 0}, {"member": 1}])
def test_a_selection_of_signals_is_reported_and_not_compared(signals, tmp_path, chosen):
    assert il.report(signals.isel(chosen), tmp_path / "x.html").exists()

    with pytest.raises(InvalidValueError, match=r"initlab\.signal"):
        il.compare(signals.isel(chosen))


REFUSED = {
    "member is missing, as after a mean": lambda r: r.mean("member"),
    "init is missing": lambda r: r.isel(init=0, drop=True),
    "no member is left": lambda r: r.isel(member=[]),
    "step must begin with 0.* got 100, 150": lambda r: r.sel(step=slice(100, None)),
    "later record, got 0$": lambda r: r.isel(step=0),
    "diverged_step is missing": lambda r: r[["loss"]],
    "all 3 layers are needed, got 1": lambda r: r.isel(layer=0),
    "train_accuracy, or train_r2": lambda r: r.drop_vars("train_accuracy"),
    "attributes of initlab's": lambda r: r.drop_attrs(),
    "got int": lambda _: 5,
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_used_is_refused_by_name(short_results, tmp_path, said):
    part = REFUSED[said](short_results)

    with pytest.raises(InvalidValueError, match=f"^results: .*{said}"):
        il.compare(part)
    with pytest.raises(InvalidValueError, match=f"^results: .*{said}"):
        il.report(part, tmp_path / "x.html")
    assert list(tmp_path.iterdir()) == []


def test_a_study_without_layers_says_what_to_record():
    results = il.run(il.Study(inits=["zeros"], steps=10, record=["scores"]), threads=1)

    with pytest.raises(InvalidValueError, match="that records scores and layers"):
        il.compare(results)


def test_a_page_in_no_folder_is_refused_before_it_is_drawn(
    short_results, tmp_path, monkeypatch
):
    monkeypatch.setattr("initlab.figures.loss_curves", pytest.fail)

    with pytest.raises(OutputError, match=r"^path: cannot write"):
        il.report(short_results, tmp_path / "none" / "x.html")
    with pytest.raises(OutputError, match=r"^path: .* is a folder"):
        il.report(short_results, tmp_path)
    with pytest.raises(InvalidValueError, match=r"^path: must end in .html .*x.pdf'"):
        il.report(short_results, tmp_path / "x.pdf")
