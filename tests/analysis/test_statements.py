"""Statements say what the intervals allow, of what, and at which learning rate."""

import numpy as np
import pytest
import xarray as xr

import initlab as il
from initlab.analysis import cell_statistics, cells, orders, statements
from initlab.analysis.statistics import iqm, median, share
from initlab.messages import statement_sentence


def results_of(losses, grid=()):
    """Return a dataset with the final losses given, `(grid..., init, member)`."""
    losses = np.asarray(losses, float)
    names = [name for name, _ in grid]
    return xr.Dataset(
        {"loss": ((*names, "init", "member", "step"), losses[..., None])},
        coords=dict(grid) | {"init": list("abc")[: losses.shape[-2]]},
    )


def noise(*shape):
    return np.random.default_rng(0).lognormal(size=shape)


def test_an_order_is_stated_only_where_it_is_settled():
    first = noise(100)
    other = np.random.default_rng(1).lognormal(size=100)

    low, unsettled, high = statements(
        results_of([first, first * 2, other]), learning_rate=0.01
    )

    assert low.id == "ends_below"
    assert low.difference.below.count == 100
    assert {unsettled.id, high.id} <= {"no_order", "ends_below"}
    assert unsettled.id == "no_order"
    assert unsettled.at == {"learning_rate": 0.01}


def test_members_that_are_all_ties_are_said_to_be_alike():
    (found,) = statements(results_of(np.ones((2, 30))), learning_rate=0.1)

    assert found.id == "all_alike"


def test_one_member_or_one_init_says_nothing():
    assert statements(results_of(noise(2, 1)), learning_rate=0.1) == ()
    assert statements(results_of(noise(1, 30)), learning_rate=0.1) == ()


def test_many_comparisons_make_an_order_harder_to_state():
    # 12 of 16: p = .077; 13 of 16: p = .021, settled alone but not among 12.
    pair = np.stack([np.zeros(16), np.where(np.arange(16) < 13, 1.0, -1.0)])
    alone = results_of(pair)
    many = results_of(np.broadcast_to(pair, (12, 2, 16)), [("depth", np.arange(12))])

    assert statements(alone, learning_rate=1.0)[0].id == "ends_below"
    assert {each.id for each in statements(many, learning_rate=1.0)} == {"no_order"}


def test_inits_are_also_compared_each_at_its_best_rate():
    member = noise(50)
    losses = np.stack([[member, member * 3], [member * 9, member / 2]])
    results = results_of(losses, [("learning_rate", [0.01, 0.1])])

    found = statements(results, learning_rate=5.0)

    common = [each for each in found if not each.best_rate]
    (best,) = (each for each in found if each.best_rate)
    assert [each.at["learning_rate"] for each in common] == [0.01, 0.1]
    assert best.at["learning_rate"] == {"a": (0.01, 0.01), "b": (0.1, 0.1)}
    assert best.difference.below.count == 0  # b at .1 beats a at .01


def test_every_point_of_the_grid_is_a_cell():
    losses = noise(2, 3, 2, 20)
    grid = [("depth", [1, 5]), ("learning_rate", [0.1, 0.2, 0.3])]

    found = list(cells(results_of(losses, grid)))

    assert [tuple(cell.at.values()) for cell in found[:2]] == [(1, 0.1), (1, 0.2)]
    assert found[4].final_loss["b"].tolist() == losses[1, 1, 1].tolist()


@pytest.mark.parametrize("grid", [(), (("depth", [1, 5]),)])
def test_cell_statistics_are_those_of_each_cells_members(grid):
    losses = noise(*(len(values) for _, values in grid), 2, 20)
    losses[..., 0, :2] = np.nan
    point = {name: values[-1] for name, values in grid}

    table = cell_statistics(results_of(losses, grid)).sel(init="a", **point)

    members = losses[-1, 0] if grid else losses[0]
    assert table.final_loss.sel(estimate="iqm") == iqm(members, worst=np.inf).value
    low, high = median(members, worst=np.inf).interval
    assert table.final_loss_interval.sel(estimate="median").values.tolist() == [
        low,
        high,
    ]
    assert table.final_loss.sel(estimate="mean") == np.inf
    assert np.isnan(table.final_loss_interval.sel(estimate="mean")).all()
    assert table.diverged == 0.1
    assert tuple(table.diverged_interval.values) == share(2, 20).interval


def test_no_interval_of_a_loss_reaches_below_zero():
    losses = np.zeros((1, 20))
    losses[:, :6] = np.linspace(1, 5, 6)
    assert iqm(losses[0], worst=np.inf).interval[0] < 0

    found = cell_statistics(results_of(losses, ())).final_loss_interval

    assert found.sel(estimate="iqm", end="low") == 0
    assert found.sel(estimate="iqm", end="high") > 0


EVIDENCE = {
    "quantity": "training loss",
    "first": "he_normal",
    "second": "normal(std=1)",
    "share": 0.21,
    "low": 0.16,
    "high": 0.27,
    "members": 200,
    "ties": 0,
}


def test_a_sentence_names_the_rest_of_the_grid_after_the_rate():
    said = statement_sentence(
        "no_order", EVIDENCE | {"ties": 3}, {"depth": 5, "learning_rate": 0.1}
    )

    assert said == (
        "training loss at 0.1, depth 5: no order of he_normal and normal(std=1) is "
        "shown; the first ends below in 21 % [16, 27] of 200 members that differ "
        "(3 ties)"
    )


def test_a_sentence_names_each_inits_best_rate():
    rates = {"he_normal": (0.1, 0.1), "normal(std=1)": (0.3, 0.1)}

    said = statement_sentence("all_alike", EVIDENCE, {"learning_rate": rates})

    assert said == (
        "training loss at each init's best learning rate (he_normal 0.1; "
        "normal(std=1) 0.1 or 0.3): he_normal and normal(std=1) end alike in all "
        "members"
    )


INITS = ["zeros", "ones", "he_normal", "lecun_normal"]


@pytest.mark.parametrize("grid", [None, {"learning_rate": [0.01, 0.1]}])
def test_an_order_is_settled_exactly_where_it_is_stated(grid):
    results = il.run(
        il.Study(members=20, steps=2, grid=grid, inits=INITS),
        threads=1,
    ).load()
    rank = np.arange(20)
    # 15 of 20: p = .041, settled alone and not among three; 20 of 20 is in any case.
    final = [
        np.full(20, 2.0), np.where(rank < 15, 3, 1), np.where(rank % 10 < 7, 4, 0),
        9.0 + rank,
    ]  # fmt: skip
    results["loss"][..., -1] = final

    found = orders(results)

    stated = [
        each for each in statements(results, learning_rate=1.0) if not each.best_rate
    ]
    assert [each.order.settled for each in found] == [
        each.id == "ends_below" for each in stated
    ]
    assert [each.order.settled for each in found][:6] == [
        False, False, True, False, True, True,
    ]  # fmt: skip
