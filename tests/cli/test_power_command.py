"""`initlab power`: how many members an order needs."""

import pytest

import initlab as il


@pytest.fixture
def stored(tmp_path):
    inits = ["zeros", "normal(std=1)", "he_normal"]
    study = il.Study(inits=inits, members=24, steps=100)
    il.run(study, store=tmp_path / "small.nc", threads=1)
    return "small.nc"


def test_each_pair_has_its_share_and_its_number(run, stored):
    status, out, _ = run("power", stored)

    assert status == 0
    rows = [line.split() for line in out.splitlines() if line.strip()]
    # Random weights end above ln 2, where zeros stay, in most seeds after 100 steps.
    assert rows[2][:2] == ["zeros", "normal(std=1)"]
    assert "of 24" in out
    assert "settled in 90%" in out


def test_a_share_alone_has_a_number(run):
    assert run("power", "--share", "0.79")[:2] == (0, "33\n")
    assert run("power", "--share", "0.5")[:2] == (0, "over a million\n")
    assert run("power", "--share", "0.6", "--power", "0.99")[:2] == (0, "468\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "STORE or --share: give one of the two"),
        (("--share", "79"), "--share: from 0 to 1, got 79.0"),
        (("--share", "0.7", "--power", "1"), "--power: between 0 and 1, got 1.0"),
        (("nowhere.zarr",), "no store of initlab's at nowhere.zarr"),
    ],
)
def test_what_has_no_number_is_refused_in_one_line(run, arguments, says):
    status, out, err = run("power", *arguments)

    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_one_member_has_no_order(run, tmp_path):
    il.run(il.Study(steps=10), store=tmp_path / "one.nc", threads=1)

    status, _, err = run("power", "one.nc")

    assert status == 2
    assert "members: an order needs at least 2, these results have 1" in err


def test_every_point_of_a_grid_has_a_table_that_names_its_inits(run, tmp_path):
    study = il.Study(
        inits=["torch_default", "he_normal"],
        members=10,
        steps=20,
        grid={"learning_rate": [0.01, 0.1], "network.depth": [1, 3]},
    )
    il.run(study, store=tmp_path / "grid.zarr", threads=1)

    _, out, _ = run("power", "grid.zarr")

    assert out.count("torch_default  he_normal") == 4
    assert "learning_rate 0.1, depth 3" in out
