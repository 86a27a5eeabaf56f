from html.parser import HTMLParser

import pytest

from initlab.reports._html import PageTable, render
from initlab.reports._pictures import captions, draw_pictures, svg_of

HOSTILE = "<script>alert(1)</script>"
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """The page's elements, and its text by the element that holds it."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1], []).append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def values():
    return {
        "title": "Which start trains 2-10-5-1?",
        "question": "Zeros, large random or He?",
        "headers": ["init", "final loss", "what happened"],
        "rows": [["zeros", "0.693", "copies"], ["he_normal", "0.065", "trained"]],
        "lessons": ["Zeros never left."],
        "pairs": ["he_normal ended below zeros"],
        "pictures": {"loss_curves": ("Loss", "Dashed: a guess.", "<svg></svg>")},
        "notes": ["The classes are balanced."],
        "facts": {"engine": "reference"},
        "spec": "steps = 15000",
        "command": "initlab compare",
        "python": "il.run(study)",
    }


def test_the_page_is_well_formed_and_has_a_language_and_a_title(values):
    page = Page(render(**values))

    assert page.open == []
    assert page.all("html") == [{"lang": "en"}]
    assert page.texts["title"] == ["Which start trains 2-10-5-1?"]


def test_nothing_comes_from_outside_and_nothing_runs(results_of, values):
    results = results_of()
    values["pictures"] = {
        name: (*captions(results)[name], svg_of(figure))
        for name, figure in draw_pictures(results).items()
    }

    text = render(**values)

    page = Page(text)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed"}
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        link = attributes.get("href") or attributes.get("xlink:href") or "#"
        assert link.startswith(("#", "data:image/png;base64,"))
        assert "src" not in attributes
    assert "@import" not in text
    assert "url(http" not in text


def test_the_table_has_headers_with_scope_and_inits_as_code(values):
    page = Page(render(**values))

    scopes = [attributes["scope"] for attributes in page.all("th")]
    assert scopes == ["col"] * 3 + ["row"] * 2
    assert page.texts["th"] == values["headers"]
    assert page.texts["code"][:2] == ["zeros", "he_normal"]
    assert page.texts["td"] == ["0.693", "copies", "0.065", "trained"]


def test_of_many_columns_the_prose_goes_below_its_row(values):
    values["headers"] = ["init", *"abcdef", "what happened"]
    values["rows"] = [["zeros", *"123456", "copies"]]

    page = Page(render(**values))

    assert page.texts["th"] == values["headers"][:-1]
    assert page.texts["td"] == [*"123456", "copies"]
    assert page.all("td")[-1]["colspan"] == "7"


def test_a_picture_has_a_heading_a_caption_and_a_label_for_who_cannot_see_it(values):
    page = Page(render(**values))

    (picture,) = [a for a in page.all("div") if a.get("role") == "img"]
    assert picture["aria-label"] == "Loss. Dashed: a guess."
    assert "Loss" in page.texts["h3"]
    assert page.texts["figcaption"] == ["Dashed: a guess."]
    assert len(page.all("svg")) == 1


def test_the_question_comes_before_the_table_and_the_table_before_the_pictures(values):
    text = render(**values)

    places = [text.index(part) for part in ("large random", "<table", "<svg", "<dl")]
    assert places == sorted(places)


def test_what_repeats_the_run_is_on_the_page(values):
    page = Page(render(**values))

    shown = page.texts["code"]
    assert shown[-3:] == ["initlab compare", "il.run(study)", "steps = 15000"]
    assert len(page.all("details")) == 1


@pytest.mark.parametrize(
    ("empty", "absent"),
    [
        ({"lessons": []}, 'class="lessons"'),
        ({"pairs": []}, "member by member"),
        ({"pictures": {}}, "<h2 id=\"pictures\""),
        ({"facts": {}}, "<dl"),
        ({"command": ""}, "in a shell"),
    ],
)  # fmt: skip
def test_parts_without_contents_are_left_out(values, empty, absent):
    assert absent in render(**values)

    assert absent not in render(**(values | empty))


@pytest.mark.parametrize(
    "given",
    [
        {"title": HOSTILE},
        {"question": HOSTILE},
        {"headers": ["init", HOSTILE, "what happened"]},
        {"rows": [[HOSTILE] * 3]},
        {"lessons": [HOSTILE]},
        {"pairs": [HOSTILE]},
        {"pictures": {f'"{HOSTILE}': (HOSTILE, f'"{HOSTILE}', "<svg></svg>")}},
        {"notes": [HOSTILE]},
        {"facts": {HOSTILE: HOSTILE}},
        {"spec": HOSTILE},
        {"command": HOSTILE},
        {"python": HOSTILE},
    ],
)
def test_whatever_a_user_wrote_is_escaped(values, given):
    text = render(**(values | given))

    page = Page(text)
    assert page.open == []
    assert not page.all("script")
    assert "&lt;script&gt;" in text


def test_widths_and_intervals_do_not_break_over_lines(values):
    text = render(**values | {"lessons": ["add --members 20 to see"]})

    assert '<h1>Which start trains <span class="unbroken">2-10-5-1</span>?</h1>' in text
    assert '<li>add <span class="unbroken">--members 20</span> to see</li>' in text


def test_a_whole_page_stays_small(results_of, values):
    results = results_of(members=5)
    values["pictures"] = {
        name: (*captions(results)[name], svg_of(figure))
        for name, figure in draw_pictures(results).items()
    }

    assert len(render(**values).encode()) < 1_500_000


def test_a_table_of_numbers_is_escaped_named_and_folded_when_it_is_long(values):
    table = PageTable(
        heading=HOSTILE, about=HOSTILE, headers=[HOSTILE, "loss"],
        rows=[[HOSTILE, "0.5 [0.4, not finite]"]] * 25, labels=1,
    )  # fmt: skip

    text = render(**values, tables=[table])

    assert "<script>" not in text
    assert "<summary>25 rows</summary>" in text
    assert '0.5 <span class="unbroken">[0.4, not finite]</span>' in text
    page = Page(text)
    assert not page.open
    names = [each["aria-labelledby"] for each in page.all("table")]
    assert {"id": names[-1]}.items() <= page.all("h3")[0].items()


def test_the_page_has_a_dark_dress_and_its_pictures_stay_on_white(values):
    text = render(**values)

    assert '<meta name="color-scheme" content="light dark">' in text
    assert "prefers-color-scheme: dark" in text
    assert ".picture { overflow-x: auto; background: #fff;" in text
