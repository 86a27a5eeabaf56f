"""One self-contained page from plain values; it knows no dataset."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

# With more columns the last one, which is prose, goes below its row.
_MOST_COLUMNS = 6

# A table with more rows is folded: a click, or printing, opens it.
_UNFOLDED = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTable:
    """A table of numbers with its heading.

    Attributes:
        heading: A few words.
        about: What is seen in it.
        headers: One per column.
        rows: Cells as text.
        labels: How many of the first columns name the row.
    """

    heading: str
    about: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    labels: int


def render(
    *,
    title: str,
    question: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    lessons: Sequence[str],
    pairs: Sequence[str],
    pictures: Mapping[str, tuple[str, str, str]],
    notes: Sequence[str],
    facts: Mapping[str, str],
    spec: str,
    command: str,
    python: str,
    tables: Sequence[PageTable] = (),
) -> str:
    """Return the page: question, answer, pictures, and how each number was made.

    Everything but the SVG is escaped.

    Args:
        title: Of the page and its tab.
        question: One sentence, what the study asks.
        headers: Of the main table; the first column is the init as typed, the last
            says what happened. None: there is no such table.
        rows: One per init, as long as `headers`.
        lessons: Sentences that sum up; may be empty.
        pairs: Sentences that compare two inits; may be empty.
        pictures: Heading, caption and `<svg>` element of `svg_of`, by name.
        notes: Remarks on the data; may be empty.
        facts: Engine, versions, seeds and what else decides the numbers.
        spec: The study as TOML.
        command: What repeats the run in a shell; may be empty.
        python: What repeats the run in Python; may be empty.
        tables: Of numbers, after the main one.
    """
    drawn = [
        {"name": name, "heading": heading, "caption": caption, "svg": Markup(svg)}
        for name, (heading, caption, svg) in pictures.items()
    ]
    # A new environment: the template is read once per report, and nothing is global.
    environment = Environment(
        loader=PackageLoader("initlab.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("template.html.jinja").render(
        title=title,
        question=question,
        headers=headers,
        wide=len(headers) > _MOST_COLUMNS,
        rows=rows,
        lessons=lessons,
        pairs=pairs,
        pictures=drawn,
        notes=notes,
        facts=facts,
        spec=spec,
        command=command,
        python=python,
        tables=tables,
        unfolded=_UNFOLDED,
    )


# --members 20; 2-10-5-1 and .83-1; 21 % [16, 27]; 5 of 20; [0.1, not finite]
_WHOLE = re.compile(
    r"(?<!\S)--[a-z][a-z-]*(?: \d+)?"
    r"|[\d.]+(?:[-\N{EN DASH}][\d.]+)+"
    r"|\d+ %(?: \[\d+, \d+\])?"
    r"|\d[\d,]* of \d[\d,]*"
    r"|\[[^][<>]{1,40}\]"
)


def _unbroken(text: str) -> Markup:
    """Return the text, escaped: no line ends inside a number, interval or option."""
    span = r'<span class="unbroken">\g<0></span>'
    return Markup(_WHOLE.sub(span, str(escape(text))))
