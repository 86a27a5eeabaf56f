"""Studies whose members stop at a loss: stored, resumed, compared and reported."""

import numpy as np
import pytest

import initlab as il
from initlab import analysis, reports
from initlab.browser import link_of
from initlab.errors import InvalidValueError

LIMIT = 0.3


def study(**choices):
    asked = {
        "problem": "moons",
        "inits": ["zeros", "he_normal", "lecun_normal"],
        "members": 12,
        "steps": 300,
        "record_every": 20,
        "learning_rate": 0.5,
        "stop_at_loss": LIMIT,
        "shard_members": 4,
    }
    return il.Study(**(asked | choices))


@pytest.fixture(scope="module")
def results():
    return il.run(study(), threads=1)


def test_the_dataset_says_who_stopped_and_when(results):
    stopped = results.stopped_step
    assert stopped.sel(init="zeros").values.tolist() == [-1] * 12
    there = stopped.sel(init="he_normal").values
    assert (there > 0).all()
    assert len(set(there)) > 1
    assert stopped.attrs["units"] == "step"
    for loss, step in zip(
        results.loss.sel(init="he_normal").values, there, strict=True
    ):
        first = list(results.step.values).index(step)
        assert (loss[:first] > LIMIT).all()
        assert loss[first] <= LIMIT
        assert (loss[first:] == loss[first]).all()
    assert "stopped_step" not in il.run(study(stop_at_loss=None, steps=20))


def test_a_store_has_the_same_bytes_and_grows(results, tmp_path):
    il.run(study(members=6), store=tmp_path / "s.zarr")
    grown = il.run(study(), store=tmp_path / "s.zarr", extend=True)

    for name in ("loss", "stopped_step", "weight_norm"):
        assert grown[name].values.tobytes() == results[name].values.tobytes()
    with pytest.raises(
        il.InitlabError, match=r"stop_at_loss: 0\.3 there, nothing here"
    ):
        il.run(study(stop_at_loss=None), store=tmp_path / "s.zarr")


def test_those_that_stopped_end_alike(results):
    final = analysis.final_losses(results)
    assert (final.sel(init="he_normal") == LIMIT).all()
    assert (final.sel(init="zeros") > LIMIT).all()

    said = {
        (each.first, each.second): each.id
        for each in analysis.statements(results, learning_rate=0.5)
    }
    assert said["he_normal", "lecun_normal"] == "all_alike"
    assert said["zeros", "he_normal"] == "ends_below"
    frame = results.il.steps_to()
    assert frame.target.unique().tolist() == [pytest.approx(results.baseline_loss / 2)]


def test_what_a_study_that_stopped_cannot_know_is_not_answered(results):
    with pytest.raises(InvalidValueError, match=r"target: members .* stop at a loss"):
        analysis.target_steps(results, LIMIT / 2)

    early = il.run(study(stop_at_loss=0.5))
    assert analysis.target_losses(early).item() == 0.5
    assert (analysis.target_steps(early).never.sel(init="he_normal") == 0).all()


def test_a_curve_that_stopped_is_no_plateau(results):
    found = analysis.causes(results)
    assert {cause.id for cause in found[1]} == {"trained"}
    loss = results.loss.sel(init="he_normal").values[0]
    run = analysis.read_run(
        results.sel(init="he_normal").isel(member=0),
        study=il.from_toml(results.attrs["spec"]),
    )
    assert len(run.loss) < len(loss)
    assert run.final_loss == loss[-1]


def test_the_report_says_so(tmp_path):
    gridded = il.run(study(grid={"network.depth": [1, 2]}, members=6, steps=100))
    reports.report(gridded, tmp_path / "report.html")

    page = (tmp_path / "report.html").read_text()
    assert "Members stop at a loss of 0.3, and those that do end alike" in page
    assert "(or 0.3, where members stop, if more)" in page


def test_the_page_does_not_have_it():
    with pytest.raises(InvalidValueError, match="stop_at_loss: the page has all steps"):
        link_of(il.Study(stop_at_loss=0.1))


@pytest.mark.parametrize("wrong", [0, -1.0, "low", float("nan")])
def test_what_is_no_loss_is_refused(wrong):
    with pytest.raises(InvalidValueError, match="stop_at_loss"):
        il.Study(stop_at_loss=wrong)


def test_whether_networks_stopped_is_part_of_the_tidy_table(results):
    members = results.il.to_dataframe("members")
    assert np.array_equal(
        members.stopped_step.to_numpy(), results.stopped_step.values.ravel()
    )
