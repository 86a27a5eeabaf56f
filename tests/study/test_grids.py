"""Studies with a grid: cells are plain studies, and the dataset holds them all."""

import numpy as np
import pytest

import initlab as il
from initlab.errors import InitlabError
from initlab.study import estimate


def grid(**choices):
    base = {
        "network": {"width": 4},
        "inits": ["zeros", "he_normal"],
        "members": 3,
        "steps": 20,
        "grid": {"network.depth": [1, 3], "learning_rate": [0.1, 1.0]},
    }
    return il.Study(**(base | choices))


def test_the_grids_fields_are_dimensions_and_absent_layers_are_nan():
    results = il.run(grid(), threads=1)

    assert results.loss.dims == ("depth", "learning_rate", "init", "member", "step")
    assert results.depth.values.tolist() == [1, 3]
    assert results.units[:, 0].values[1].tolist() == [4, 4, 4, 1]
    shallow = results.gradient_norm.sel(depth=1)
    assert np.isnan(shallow[..., 2:]).all()
    assert np.isfinite(shallow[..., :2]).all()


def test_a_cell_is_the_plain_study_bit_for_bit():
    results = il.run(grid(), threads=1)

    plain = il.run(
        il.Study(
            network=il.MLP(widths=(2, 4, 4, 4, 1)), inits=["zeros", "he_normal"],
            members=3, steps=20, learning_rate=1.0,
        ),
        engine=results.attrs["engine"],
    )  # fmt: skip

    cell = results.sel(depth=3, learning_rate=1.0)
    assert cell.loss.values.tobytes() == plain.loss.values.tobytes()
    assert cell.weight_norm.values.tobytes() == plain.weight_norm.values.tobytes()


def test_problems_of_two_kinds_share_a_grid():
    study = grid(
        network={}, grid={"problem": ["circles", {"name": "moons", "noise": 0.2},
                                      "diabetes"]},
    )  # fmt: skip

    results = il.run(study, threads=1)

    labels = ["circles", "moons(noise=0.2)", "diabetes"]
    assert results.problem.values.tolist() == labels
    assert np.isnan(results.train_accuracy.sel(problem="diabetes")).all()
    assert np.isfinite(results.train_r2.sel(problem="diabetes")).all()
    assert np.isnan(results.train_r2.sel(problem="circles")).all()


def test_final_weights_are_kept_when_asked_for():
    results = il.run(grid(record=["weights"]), threads=1)

    final = results.final_weights.sel(depth=1, init="zeros", learning_rate=0.1)
    assert final.shape == (3, 4 * 2 + 4 + 2 * (4 * 4 + 4) + 4 + 1)
    assert np.isnan(final[:, 4 * 2 + 4 + 4 + 1 :]).all()
    assert (final[:, :8] == 0).all()  # zeros stay zeros
    assert "train_accuracy" not in results
    assert "gradient_norm" not in results


def test_a_grid_survives_the_way_through_toml_in_both_spellings():
    text = """
    members = 2
    [grid]
    network.depth = [1, 2]
    "network.activation" = ["relu", "tanh"]
    problem = ["circles", {name = "moons", noise = 0.1}]
    """

    study = il.from_toml(text)

    assert study.dimensions == ("depth", "activation", "problem")
    assert il.from_toml(il.to_toml(study)) == study
    assert len(list(study.cells())) == 8


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"learning_rat": [1]}, "unknown field of grid 'learning_rat'. Did you mean"),
        ({"loss": ["binary_cross_entropy"]}, "unknown field of grid 'loss'"),
        ({"learning_rate": 0.1}, r"grid.learning_rate: a list of values, got 0.1"),
        ({"learning_rate": [0.1, -1]}, "grid.learning_rate: must be greater than 0"),
        ({"learning_rate": [0.1, 0.1]}, "grid.learning_rate: 0.1 is listed twice"),
        ({"learning_rate": []}, "grid.learning_rate: at least one value"),
        ({"network.activation": ["rellu"]}, "grid.network.activation: unknown acti"),
        ({"problem": ["moon"]}, "grid.problem: unknown problem 'moon'. Did you"),
        ({"network": {"depth": [0]}}, "grid.network.depth: must be greater than 0"),
        ({"network.depth": [1], "network.widths": [[2, 1]]}, "network.widths says"),
        ({"learning_rate": range(1, 1002), "batch_size": range(1, 1001)}, "1,001,000"),
        ([1], "grid: fields with lists of values"),
    ],
)
def test_what_is_no_grid_is_refused_by_its_key(values, said):
    with pytest.raises(InitlabError, match=said):
        il.Study(grid=values)


def test_a_size_that_is_said_twice_is_refused():
    with pytest.raises(InitlabError, match=r"network\.depth cannot vary"):
        il.Study(network=il.MLP(widths=(2, 3, 1)), grid={"network.depth": [1]})
    with pytest.raises(InitlabError, match="widths says all"):
        il.MLP(widths=(2, 3, 1), depth=2)


def test_a_cell_that_does_not_fit_is_named_before_any_training():
    study = grid(steps=10**9, grid={"batch_size": [10, 1000]})

    with pytest.raises(InitlabError, match="grid, batch_size=1000: batch_size: at mos"):
        il.run(study)


def test_pictures_are_of_a_study_without_a_grid():
    with pytest.raises(InitlabError, match="record: pictures"):
        grid(record=["pictures"])


def test_the_files_of_shards_are_in_the_estimate():
    few, many = (estimate(grid(shard_members=size)) for size in (3, 1))

    assert many.shards == 3 * few.shards
    # What else a study takes does not depend on its shards.
    assert many.seconds - few.seconds == pytest.approx(0.007 * (24 - 8))
