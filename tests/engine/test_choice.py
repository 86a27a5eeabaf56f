import itertools

import pytest

from initlab.engine import StepCost, machine, quickest, step_cost
from initlab.engine._target import host
from initlab.spec import MLP, Init, Study


def test_small_networks_go_to_lanes_and_large_ones_to_blas():
    small, large = (
        Study(network=MLP(widths=(2, 10, 5, 1))),
        Study(network=MLP(widths=(512, 512, 1))),
    )

    assert quickest(small, 1, 300) == quickest(small, 800, 300) == "lanes"
    assert quickest(large, 1, 300) == quickest(large, 800, 300) == "wide"


def test_a_single_network_leaves_lanes_sooner_than_many_do():
    widths = [(n, n, n, 1) for n in (8, 16, 32, 64, 128, 256)]
    one, many = (
        [quickest(Study(network=MLP(widths=w)), members, 300) for w in widths]
        for members in (1, 640)
    )

    assert one.index("wide") < many.index("wide")
    for choices in (one, many):  # never back
        assert [each for each, _ in itertools.groupby(choices)] == ["lanes", "wide"]


def test_threads_do_not_crowd_the_interpreter():
    narrow, broad = (
        step_cost(MLP(widths=(n, n, n, 1)), 300, "float64") for n in (16, 256)
    )

    assert narrow.wide_threads(8) == 1
    assert broad.wide_threads(8) == 8
    assert narrow.quickest(64, 8) == "lanes"


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_costs_grow_with_examples_units_and_layers(precision):
    cost = step_cost(MLP(widths=(8, 8, 1)), 100, precision)

    for network, batch in (
        (MLP(widths=(8, 8, 1)), 200),
        (MLP(widths=(8, 32, 1)), 100),
        (MLP(widths=(8, 8, 8, 1)), 100),
    ):
        more = step_cost(network, batch, precision)
        assert more.lanes > cost.lanes
        assert more.wide > cost.wide


def test_the_machine_says_what_kernels_have_of_it():
    facts = machine()

    assert str(host().bits) in facts["vectors"]
    assert facts["numba"]
    assert Study(inits=[Init(name="zeros")]).precision == "float64"


def test_threads_of_matrix_products_wait_for_each_other():
    cost = StepCost(lanes=1.0, wide=100.0, calls=10.0, group=8)

    assert cost.wide_for(1, 2) == 100
    assert cost.wide_for(64, 1) == 6400
    # Two are 1.37 to 1.5 times as fast as one where calls are a tenth of a step.
    assert 6400 / 1.5 < cost.wide_for(64, 2) < 6400 / 1.37
    assert cost.lanes_for(17, 2) == 2


def test_the_first_layer_needs_no_gradient_of_its_inputs():
    first, second = (
        step_cost(MLP(widths=widths), 100_000, "float64").wide
        for widths in ((1024, 1024, 1), (1, 1024, 1024, 1))
    )

    assert second / first == pytest.approx(3 / 2, rel=0.05)
