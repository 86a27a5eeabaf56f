"""What the conductor stores for figures, against the network itself."""

import numpy as np

import initlab as il


def first_half(shape, rng):  # noqa: ARG001
    """Weights of a network that looks at the first feature only."""
    weight = np.zeros(shape)
    weight[0, 0] = 1.0
    return weight


def test_the_grid_has_the_second_classs_probability_along_the_right_axis():
    X = np.random.default_rng(0).uniform(0, [1, 5], (40, 2))
    y = (X[:, 0] > 0.5).astype(int)
    network = il.MLP(widths=(2, 1))
    study = il.Study(
        network=network, problem=(X, y), inits=[first_half], steps=1, learning_rate=1e-9
    )

    grid = il.run(study).grid_output.isel(init=0)

    assert grid.grid_y.max() > 4 > 2 > grid.grid_x.max()
    expected = 1 / (1 + np.exp(-grid.grid_x.values))
    np.testing.assert_allclose(grid.values, np.tile(expected, (140, 1)), rtol=1e-6)


def test_histograms_before_and_after_are_of_their_own_stages():
    study = il.Study(inits=["normal(std=10)"], steps=500)

    results = il.run(study, threads=1)

    edges = results.activation_edge.isel(init=0, layer=2)
    before, after = edges.sel(stage="before"), edges.sel(stage="after")
    start = results.activation_rms.values[0, 0, 0, 2]
    assert float(before[-1]) > start > 10 * float(after[-1])
    np.testing.assert_allclose(results.activation_density.sum("bin"), 1)


def test_tensors_and_members_have_streams_of_their_own():
    seen = []

    def spy(shape, rng):
        seen.append(rng.standard_normal(shape))
        return seen[-1]

    network = il.MLP(widths=(2, 2, 2, 1))
    il.run(il.Study(network=network, inits=[spy], members=2, seeding="stream", steps=1))

    first, second = seen[:3], seen[3:6]
    assert not np.array_equal(first[0], first[1])
    for one, other in zip(first, second, strict=True):
        assert not np.array_equal(one, other)
