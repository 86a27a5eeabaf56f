"""One self-contained page from plain values; it knows no dataset."""

import re
from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

# With more columns the last one, which is prose, goes below its row.
_MOST_COLUMNS = 6


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
) -> str:
    """Return the page: question, answer, pictures, and how each number was made.

    Everything but the SVG is escaped.

    Args:
        title: Of the page and its tab.
        question: One sentence, what the study asks.
        headers: Of the main table; the first column is the init as typed, the last
            says what happened.
        rows: One per init, as long as `headers`.
        lessons: Sentences that sum up; may be empty.
        pairs: Sentences that compare two inits; may be empty.
        pictures: Heading, caption and `<svg>` element of `svg_of`, by name.
        notes: Remarks on the data; may be empty.
        facts: Engine, versions, seeds and what else decides the numbers.
        spec: The study as TOML.
        command: What repeats the run in a shell; may be empty.
        python: What repeats the run in Python.
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
    )


def _unbroken(text: str) -> Markup:
    """Return the text, escaped, in which no line ends inside 2-10-5-1 or .83-1."""
    span = r'<span class="unbroken">\g<0></span>'
    return Markup(re.sub(r"[\d.]+([-\N{EN DASH}][\d.]+)+", span, str(escape(text))))
