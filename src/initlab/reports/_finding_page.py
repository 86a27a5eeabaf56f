"""The page of a checked model: findings, what was measured, what a repair changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from initlab import figures
from initlab.analysis.findings import Finding, find
from initlab.reports._findings import finding_table, story, where
from initlab.reports._html import PageTable, render
from initlab.reports._pictures import laid_out, quiet, svg_of
from initlab.results import PAGES, as_path, moved_into_place, refuse_unwritable

FINDING_PICTURES = ("layers",)
_QUESTION = "Is this model's initialization sound? If not: what is wrong, and where?"
_REPEAT = """\
from initlab import pytorch

diagnosis = pytorch.check(model, batch)
diagnosis.report("check.html")
"""
_REPEAT_REPAIR = """\
from initlab import pytorch

repair = pytorch.repair_(model, batch)
repair.report("check.html")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A checked model after its repair, to stand beside what it was.

    Attributes:
        dataset: Of kind "check", measured again.
        findings: What is found now.
        changes: Check, parameter, kind of change and amount, as text.
        left: Check, place and reason of every finding that was not repaired.
    """

    dataset: xr.Dataset
    findings: Sequence[Finding]
    changes: Sequence[tuple[str, str, str, str]]
    left: Sequence[tuple[str, str, str]]


def finding_report(
    path: str | Path,
    dataset: xr.Dataset,
    findings: Sequence[Finding],
    *,
    repaired: Repaired | None = None,
    command: str | None = None,
) -> Path:
    """Write the page of a checked model, and return its path.

    Args:
        path: The page, ending in .html; an existing file is replaced when the new one
            is whole.
        dataset: Of kind "check".
        findings: Those to show.
        repaired: The model after its repair, if there was one.
        command: What was typed, if it was.

    Raises:
        InvalidValueError: If the path ends in something else.
        OutputError: If the page cannot be written.
    """
    path = as_path(path, "path")
    refuse_unwritable(path, "path", ends=PAGES)
    pictures = _draw(dataset, findings, repaired)
    html = _page(dataset, pictures, command, findings, repaired)
    with moved_into_place(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def draw_findings(dataset: xr.Dataset) -> dict[str, Figure]:
    """Return the pictures of a checked model, by name; none if it has no weights."""
    return _draw(dataset, find(dataset), None)


def finding_page(
    dataset: xr.Dataset, pictures: dict[str, Figure], command: str | None
) -> str:
    """Return the page of a checked model, with all that is found."""
    return _page(dataset, pictures, command, find(dataset), None)


def _draw(
    dataset: xr.Dataset, findings: Sequence[Finding], repaired: Repaired | None
) -> dict[str, Figure]:
    if not dataset.sizes.get("layer"):
        return {}
    marked = {
        place for one in findings if one.severity != "info" for place in one.places
    }
    with figures.style(), quiet():
        axes = figures.checked_layers(
            dataset, repaired=repaired.dataset if repaired else None, marked=marked
        )
        return {"layers": laid_out(axes[0])}


def _page(
    dataset: xr.Dataset,
    pictures: dict[str, Figure],
    command: str | None,
    findings: Sequence[Finding],
    repaired: Repaired | None,
) -> str:
    table = finding_table(dataset, findings)
    lessons = [table.verdict]
    if repaired is not None:
        again = finding_table(repaired.dataset, repaired.findings)
        lessons = [f"as built: {table.verdict}", f"repaired: {again.verdict}"]
    model = str(dataset.attrs["model"])
    return render(
        title=f"Starting weights of {model}",
        question=_QUESTION,
        headers=("where", "check", "severity", "fix", "what was found")
        if table.findings
        else (),
        rows=[
            (where(one), f"{one.id} {one.name}", one.severity, fix, story(one))
            for one, fix in zip(table.findings, table.fixes(), strict=True)
        ],
        lessons=lessons,
        pairs=[],
        pictures={
            name: ("Weight by weight", _about(repaired), svg_of(figure))
            for name, figure in pictures.items()
        },
        notes=json.loads(dataset.attrs["notes"]),
        facts={"Model": model, "Seed": str(dataset.attrs["seed"])},
        spec="",
        command=command or "",
        python=_REPEAT if repaired is None else _REPEAT_REPAIR,
        tables=[] if repaired is None else _tables(repaired),
    )


def _about(repaired: Repaired | None) -> str:
    said = (
        "Before any training, over the batch. A level line passes signal or gradient "
        "on; a slope means that it vanishes or explodes with depth. Gradients are "
        "those of random cotangents at the outputs, so no loss is in them. A cosine "
        "of 1 means that the layer cannot tell two inputs apart. Shaded: the weights "
        "that a warning or an error names."
    )
    return said if repaired is None else f"{said} Dashed: after the repair."


def _tables(repaired: Repaired) -> list[PageTable]:
    found = [
        PageTable(
            heading="What the repair changed",
            about="Each change answers one finding; all other weights keep every bit.",
            headers=("check", "parameter", "change", "how much"),
            rows=repaired.changes,
            labels=2,
        ),
        PageTable(
            heading="What the repair left",
            about="Findings that no change answered.",
            headers=("check", "where", "why"),
            rows=repaired.left,
            labels=2,
        ),
    ]
    return [table for table in found if table.rows]
