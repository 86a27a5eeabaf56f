"""The phase diagram as a picture."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from initlab import theory
from initlab.errors import InvalidValueError
from initlab.figures import _phases, phase_diagram

GRID = {
    "weight_variances": np.linspace(0.1, 4, 40),
    "bias_variances": np.linspace(0, 0.5, 11),
}


@pytest.fixture(scope="module")
def diagrams():
    return {
        name: theory.phase_diagram(name, **GRID) for name in ("tanh", "relu", "gelu")
    }


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_initializers_are_marked_where_they_stand(diagrams):
    marks = {"he_normal": (2.0, 0.0), "critical": (2.1533, 0.151)}

    ax = phase_diagram(diagrams["tanh"], marks=marks)

    places = [
        tuple(np.ravel(line.get_data()))
        for line in ax.lines
        if line.get_label() == "_mark"
    ]
    assert places == list(marks.values())
    assert set(marks) <= set(texts(ax))


def test_initializers_at_one_place_share_a_mark(diagrams):
    marks = {"he_normal": (2.0, 0.0), "gain": (np.sqrt(2) ** 2, 0.0)}

    ax = phase_diagram(diagrams["relu"], marks=marks)

    assert "he_normal, gain" in texts(ax)
    assert len([line for line in ax.lines if line.get_label() == "_mark"]) == 1


def test_names_of_marks_do_not_overlap(diagrams):
    marks = {f"initializer_{i}": (1.9 + i / 20, 0.0) for i in range(5)}

    ax = phase_diagram(diagrams["tanh"], marks=marks)

    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text() in marks]
    assert len(boxes) == 5
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_the_critical_line_is_the_datasets(diagrams):
    ax = phase_diagram(diagrams["tanh"])

    solid, *others = [line for line in ax.lines if line.get_label() == "_critical"]
    np.testing.assert_array_equal(
        solid.get_xdata(), diagrams["tanh"].critical_weight_variance
    )
    assert not others


def test_the_part_of_the_line_that_repels_the_variance_is_dashed(diagrams):
    ax = phase_diagram(diagrams["gelu"])

    solid, dashed = [line for line in ax.lines if line.get_label() == "_critical"]
    assert dashed.is_dashed()
    assert not solid.is_dashed()
    repels = np.isfinite(dashed.get_xdata())
    np.testing.assert_array_equal(repels, diagrams["gelu"].critical_chi_par > 1 + 1e-6)
    assert any("drifts off" in text for text in legend(ax))


def test_the_legend_names_what_is_there_and_nothing_else(diagrams):
    tanh, relu = (legend(phase_diagram(diagrams[name])) for name in ("tanh", "relu"))

    assert any(text.startswith("ordered") for text in tanh)
    assert any(text.startswith("chaotic") for text in tanh)
    assert not any("without bound" in text for text in tanh)
    assert any("without bound" in text for text in relu)


def test_phases_differ_in_grey():
    light, dark = (
        float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))
        for colour in (_phases._ORDERED, _phases._CHAOTIC)
    )

    assert light - dark > 0.1


def test_it_draws_into_given_axes_with_named_quantities(diagrams):
    axes = Figure().subplots(1, 2)

    ax = phase_diagram(diagrams["relu"], ax=axes[1])

    assert ax is axes[1]
    assert "fan_in" in ax.get_xlabel()
    assert ax.get_ylabel() == "bias variance"
    assert "relu" in ax.get_title(loc="left")


@pytest.mark.parametrize("place", [(10.0, 0.0), (2.0, 0.6), (2.0, -0.1)])
def test_a_mark_outside_is_refused(diagrams, place):
    with pytest.raises(InvalidValueError, match=r"marks: give weight .* for 'far'"):
        phase_diagram(diagrams["relu"], marks={"far": place})


def test_names_are_shown_as_they_were_typed(diagrams):
    ax = phase_diagram(diagrams["tanh"], marks={"$x^2$": (2.0, 0.1)})

    assert r"\$x^2\$" in texts(ax)
