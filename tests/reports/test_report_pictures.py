import re
from xml.etree import ElementTree

import pytest

from initlab.reports._pictures import captions, draw_pictures, png_of, svg_of

ALL = ["loss_curves", "decision_boundaries", "activation_histograms", "layer_profiles"]
HOSTILE = "<script>alert(1)</script>"


def ids_in(svg):
    return re.findall(r'\bid="([^"]*)"', svg)


def test_planar_results_have_four_pictures(results_of):
    assert list(draw_pictures(results_of())) == ALL


def test_results_without_a_grid_have_no_boundary(results_of):
    drawn = draw_pictures(results_of(grid=False))

    assert list(drawn) == [name for name in ALL if name != "decision_boundaries"]


def test_every_picture_has_a_caption(results_of):
    results = results_of()

    assert draw_pictures(results).keys() <= captions(results).keys()


def test_an_svg_is_one_element_without_prolog_or_styles_for_the_page(results_of):
    for figure in draw_pictures(results_of()).values():
        svg = svg_of(figure)

        assert svg.startswith("<svg")
        assert svg.rstrip().endswith("</svg>")
        assert "<!DOCTYPE" not in svg
        assert "<style" not in svg
        assert "metadata" not in svg
        assert ElementTree.fromstring(svg).get("viewBox")


def test_ids_are_unique_across_the_pictures_of_a_page(results_of):
    svgs = [svg_of(figure) for figure in draw_pictures(results_of()).values()]

    names = [name for svg in svgs for name in ids_in(svg)]
    assert names
    assert len(names) == len(set(names))


def test_every_reference_in_an_svg_is_to_an_id_of_its_own(results_of):
    for figure in draw_pictures(results_of()).values():
        svg = svg_of(figure)

        used = re.findall(r'(?:url\(#|xlink:href="#)([^)"]*)', svg)
        assert set(used) == set(ids_in(svg))


def test_the_same_results_give_the_same_bytes(results_of):
    first, second = (
        {
            name: (svg_of(figure), png_of(figure))
            for name, figure in draw_pictures(results_of(members=2)).items()
        }
        for _ in range(2)
    )

    assert first == second


def test_saving_a_figure_twice_gives_the_same_bytes(results_of):
    for figure in draw_pictures(results_of()).values():
        assert svg_of(figure) == svg_of(figure)


def test_a_png_has_150_dots_per_inch_and_no_time_stamp(results_of):
    figure = draw_pictures(results_of())["loss_curves"]

    png = png_of(figure)

    assert png.startswith(b"\x89PNG")
    width = int.from_bytes(png[16:20])
    assert width == 150 * figure.get_figwidth()
    assert b"tIME" not in png
    assert b"Software" not in png


def test_a_hostile_label_is_text_in_every_picture(results_of):
    results = results_of((HOSTILE, "$x_1$ & \x00 #"), classes=(HOSTILE, "$y$"))

    for figure in draw_pictures(results).values():
        svg = svg_of(figure)

        assert "<script" not in svg
        ElementTree.fromstring(svg)


def test_a_label_is_readable_text_in_the_svg(results_of):
    results = results_of(("$x_1$", HOSTILE))

    svg = svg_of(draw_pictures(results)["layer_profiles"])

    texts = {"".join(node.itertext()) for node in ElementTree.fromstring(svg).iter()
             if node.tag.endswith("}text")}  # fmt: skip
    assert {"$x_1$", HOSTILE} <= texts


def test_characters_that_no_font_can_measure_warn_nobody(results_of):
    results = results_of(("初始化",))

    for figure in draw_pictures(results).values():
        svg_of(figure)
        png_of(figure)


@pytest.mark.parametrize(
    ("loss", "unit"),
    [("binary_cross_entropy", "nats"), ("mean_squared_error", "unit squared")],
)
def test_the_caption_of_the_curves_names_the_unit_and_the_records(
    results_of, loss, unit
):
    _, caption = captions(results_of(loss=loss))["loss_curves"]

    assert unit in caption
    assert "every 5,000 steps of 15,000" in caption
    assert "members" not in caption


def test_captions_explain_bands_where_there_are_members(results_of):
    described = captions(results_of(members=20))

    assert "medians over 20 members" in described["loss_curves"][1]
    assert "medians over 20 members" in described["layer_profiles"][1]
    assert "Member 0" in described["decision_boundaries"][1]
    assert "member 0" in described["activation_histograms"][1]


def test_captions_explain_crosses_only_where_something_diverged(results_of):
    calm = captions(results_of())["loss_curves"][1]
    one = captions(results_of(diverged=[(1, 0)]))["loss_curves"][1]
    many = captions(results_of(members=2, diverged=[(1, 0)]))["loss_curves"][1]

    assert "cross" not in calm
    assert "cross" in one
    assert "counts as infinite" in many


def test_a_record_of_every_step_says_so(results_of):
    results = results_of().assign_coords(step=[0, 1, 2, 3])

    _, caption = captions(results)["loss_curves"]

    assert caption.startswith("Training loss before each step's update")


def test_the_boundary_caption_fits_what_is_predicted(results_of):
    classes = captions(results_of(classes=("a", "b", "c"), outputs=3))
    numbers = captions(results_of(classes=()))
    two = captions(results_of())
    squared = captions(results_of(loss="mean_squared_error"))

    assert "likeliest" in classes["decision_boundaries"][1]
    assert "value it predicts" in numbers["decision_boundaries"][1]
    assert "probability it gives to class yes" in two["decision_boundaries"][1]
    assert "probability" not in squared["decision_boundaries"][1]
