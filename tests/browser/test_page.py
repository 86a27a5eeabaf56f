"""The page as Python hands it out; `page/test` has the tests in a browser."""

import json
import re
import runpy
from pathlib import Path

import pytest

import initlab as il
from initlab.browser import link_of, page_html, study_of, write_page
from initlab.errors import InvalidValueError

ROOT = Path(__file__).parents[2]
OUTSIDE = re.compile(
    r"""(?:src|href)=["'](?!data:|blob:)|@import|https?://(?!www\.w3\.org)"""
)


def test_the_page_is_one_file_under_600_kb_that_loads_nothing():
    page = page_html()

    assert len(page.encode()) < 600_000
    assert not OUTSIDE.findall(page)
    assert "default-src 'none'" in page


def test_a_study_is_in_the_page_and_comes_back():
    study = il.Study(
        network=il.MLP(widths=(2, 8, 8, 3), activation="tanh", batch_norm=True),
        problem=il.Problem(name="blobs", noise=0.5, examples=120),
        inits=["he_normal(scale=2, bias=0.1)", "normal(std=0.5)"],
        members=16, optimizer="adam", learning_rate=0.002, steps=500, seed=9,
        seeding="stream", precision="float32",
    )  # fmt: skip

    link = link_of(study)

    assert study_of(link) == study
    assert f'id="study">{link}<' in page_html(study)


def test_the_lesson_is_what_the_page_shows_first():
    assert study_of("").inits == il.Study().inits
    assert study_of(link_of(il.Study())).steps == il.Study().steps


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"problem": "digits"}, "problem: the page has circles, .* got digits"),
        ({"inits": [lambda shape, rng: rng.normal(size=shape)]}, "inits: the page has"),
        ({"inits": ["sparse"]}, "inits: the page has .* got sparse"),
        ({"members": 257}, "members: the page has 1 to 256, got 257"),
        ({"batch_size": 10}, "batch_size: .* all examples at every step, got 10"),
        (
            {"loss": "mean_squared_error"},
            "loss: .* for circles, got mean_squared",
        ),
        ({"steps": 200_001}, "steps: the page has 1 to 200,000, got 200,001"),
        (
            {"network": il.MLP(widths=(2, 101, 1))},
            "network: units: the page has 1 to 100, got 101",
        ),
        ({"network": il.MLP(widths=(3, 1))}, "widths: the page has 2 inputs"),
        (
            {"problem": il.Problem(examples=3)},
            "examples: .* 6 to 2,000, got 3",
        ),
        ({"inits": ["he_normal(mode=fan_out)"]}, "he_normal: .* scale, bias, got mode"),
        ({"inits": {"a": "zeros", "b": "zeros"}}, "each init once, got zeros twice"),
        ({"grid": {"learning_rate": [0.1, 1]}}, "grid: .* got learning_rate"),
        ({"loss": "softmax_cross_entropy"}, "loss: .* for circles, got softmax"),
        ({"learning_rate": 11.0}, "learning_rate: the page has 1e-05 to 10, got 11"),
        ({"seed": 2**31 + 1}, "seed: the page has 0 to 2,147,483,648"),
        ({"network": il.MLP(depth=31)}, "network: hidden layers: .* 0 to 30, got 31"),
        (
            {"problem": il.Problem(examples=2001)},
            "examples: .* 6 to 2,000, got 2,001",
        ),
        ({"problem": il.Problem(standardize=True)}, "problem: the page has plain data"),
        (
            {"inits": [f"normal(std={n})" for n in range(1, 8)]},
            "inits: .* 1 to 6, got 7",
        ),
    ],
)
def test_what_the_page_does_not_have_is_refused(refused, message):
    with pytest.raises(ValueError, match=message):
        link_of(il.Study(**refused))


def test_depth_and_width_are_shown_as_hidden_layers():
    study = il.Study(network=il.MLP(depth=3, width=7))

    assert study_of(link_of(study)).network.widths == (2, 7, 7, 7, 1)


def test_a_label_of_ones_own_is_shown_as_the_init_it_is():
    study = il.Study(inits={"</script><b>": "he_normal"})

    assert study_of(link_of(study)).inits[0].label == "he_normal"
    assert "</script><b>" not in page_html(study)


def test_own_points_are_not_a_study_by_name():
    with pytest.raises(ValueError, match="own points"):
        study_of("problem=points&points=0,0,1")


def test_a_widget_holds_the_page_and_says_what_it_shows(short_results):
    widget = il.page(short_results, height=500)

    widget.link = "init=zeros&members=2"

    assert widget.html.startswith("<!doctype html>")
    assert widget.study.members == 2
    assert "srcdoc" in widget._esm
    assert il.page().study == study_of("")


def test_a_page_is_written_whole(tmp_path):
    target = tmp_path / "lab.html"
    target.write_text("old")

    write_page(target)

    assert target.read_text(encoding="utf-8") == page_html()
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(OSError, match="cannot write"):
        write_page(tmp_path / "missing" / "lab.html")


def test_sentences_and_thresholds_of_the_page_are_pythons():
    shared = runpy.run_path(str(ROOT / "page/shared.py"))["shared"]()

    kept = json.loads((ROOT / "page/src/shared.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(shared)), "run `make page`"


def test_what_the_page_cannot_show_is_refused_by_its_type():
    with pytest.raises(InvalidValueError, match=r"^shown: a Study.* got str"):
        il.page("zeros")
