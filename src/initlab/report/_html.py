"""One self-contained page from plain values; it knows no dataset."""

from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


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
        command: What repeats the run in a shell.
        python: What repeats it in Python.
    """
    drawn = [
        {"name": name, "heading": heading, "caption": caption, "svg": Markup(svg)}
        for name, (heading, caption, svg) in pictures.items()
    ]
    # A new environment: the template is read once per report, and nothing is global.
    page = Environment(
        loader=PackageLoader("initlab.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("template.html.jinja")
    return page.render(
        title=title,
        question=question,
        headers=headers,
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
