"""A checked model weight by weight: what is drawn, and what is shaded."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from initlab import figures

DIMENSIONS = ("init", "member", "step", "layer")


def checked(rms, members=1):
    layers = len(rms)
    one = np.broadcast_to(np.array(rms, dtype=float), (1, members, 1, layers))
    return xr.Dataset(
        {
            "preactivation_rms": (DIMENSIONS, one),
            "delta_rms": (DIMENSIONS, one / 2),
            "cosine": (DIMENSIONS, np.full_like(one, 0.4)),
            "parameter": ("layer", [f"{i}.weight" for i in range(layers)]),
        },
        coords={"layer": range(1, layers + 1)},
    )


def test_lines_are_the_numbers_and_zeros_are_gaps():
    axes = figures.checked_layers(checked([1.0, 0.0, 400.0]))

    drawn = [ax.lines[0].get_ydata() for ax in axes]
    np.testing.assert_array_equal(drawn[0], [1, np.nan, 400])
    np.testing.assert_array_equal(drawn[1], [0.5, np.nan, 200])
    np.testing.assert_array_equal(drawn[2], [0.4, 0.4, 0.4])
    names = [label.get_text() for label in axes[2].get_xticklabels()]
    assert names == ["0.weight", "1.weight", "2.weight"]
    low, high = axes[0].get_ylim()
    assert low < 1 < 400 < high  # no line runs along the edge


def test_a_repair_is_drawn_beside_and_named_places_are_shaded():
    axes = figures.checked_layers(
        checked([1, 0.1]), repaired=checked([1, 1]), marked=["1.weight"]
    )

    first, second = axes[0].lines
    assert to_hex(first.get_color()) != to_hex(second.get_color())
    assert first.get_linestyle() != second.get_linestyle()
    (shade,) = axes[0].patches
    assert (shade.get_x(), shade.get_width()) == (1.5, 1)
    said = [text.get_text() for text in axes[0].figure.legends[0].get_texts()]
    assert said[:3] == ["as built", "repaired", "named by a finding"]


@pytest.mark.parametrize(("layers", "is_named"), [(26, True), (27, False)])
def test_many_weights_are_numbered(layers, is_named):
    axes = figures.checked_layers(checked([1.0] * layers, members=3))

    assert axes[0].collections  # the spread over members
    axes[2].figure.draw_without_rendering()
    labels = [label.get_text() for label in axes[2].get_xticklabels()]
    assert ("3.weight" in labels) == is_named
