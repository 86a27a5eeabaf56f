"""Findings for people and machines: table, page, JSON."""

import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import escape
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from initlab.analysis.findings import CHECKS, Finding, find
from initlab.messages import (
    FROZEN,
    NOTHING,
    SEVERITIES,
    SOUND,
    SOUND_NEXT,
    not_measured,
    print_whole,
    shown_name,
)
from initlab.reports._json import finite

_HEADERS = ("check", "severity", "where", "what was found")
_SHORT = ("check", "severity")
# Nothing can be said of these where no layer was measured.
_OF_LAYERS = {
    "WI02",
    "WI03",
    "WI17",
    "WI20",
    *(f"WI{number:02}" for number in range(4, 14)),
}
# The names that a fix has for a finding's own lists.
_FINDING = re.compile(r"\bfinding\.(?=places|evidence)")
_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


@dataclass(frozen=True, slots=True)
class FindingTable:
    """Findings, to print in a terminal or a notebook.

    Attributes:
        title: The model, with its layers and parameters.
        findings: The worst first.
        notes: Remarks on how the model was read.
        verdict: One line that sums up.
    """

    title: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    verdict: str

    def __str__(self) -> str:
        """Return the table as text of 100 columns."""
        console = Console(width=100, file=io.StringIO(), record=True)
        self.print_to(console)
        return console.export_text().rstrip()

    def print_to(self, console: Console) -> None:
        """Print a line per finding, then fixes, notes, and the verdict."""
        console.print(Text(self.title))
        if self.findings:
            table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
            for header in _HEADERS:
                table.add_column(header, no_wrap=header in _SHORT)
            for one in self.findings:
                table.add_row(
                    Text(one.id), Text(one.severity, style=_COLOURS[one.severity]),
                    Text(where(one)), Text(story(one)),
                )  # fmt: skip
            print_whole(console, table)
        for one, fix in zip(self.findings, self.fixes(), strict=True):
            if one.severity != "info":
                console.print(
                    Text.assemble((f"fix {one.id} ", "bold"), f"{where(one)}: {fix}"),
                    soft_wrap=True,
                )
        for note in self.notes:
            console.print(Text(f"note: {note}"), soft_wrap=True)
        console.print(Text(self.verdict), soft_wrap=True)

    def fixes(self) -> list[str]:
        """Return each finding's fix as it is typed where only `diagnosis` is known."""
        return [
            _FINDING.sub(f"diagnosis.findings[{place}].", one.fix)
            for place, one in enumerate(self.findings)
        ]

    def html(self) -> str:
        """Return the table as HTML, everything escaped."""
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{escape(cell)}</td>"
                for cell in (one.id, one.severity, where(one), story(one), fix)
            )
            + "</tr>"
            for one, fix in zip(self.findings, self.fixes(), strict=True)
        )
        heads = "".join(f"<th>{escape(h)}</th>" for h in (*_HEADERS, "fix"))
        table = f"<table><tr>{heads}</tr>{rows}</table>" if rows else ""
        notes = "".join(f"<p>note: {escape(note)}</p>" for note in self.notes)
        title, verdict = escape(self.title), escape(self.verdict)
        return f"<p>{title}</p>{table}{notes}<p>{verdict}</p>"


def finding_table(
    dataset: xr.Dataset, findings: Sequence[Finding] | None = None
) -> FindingTable:
    """Return the findings of a checked model as a table.

    Args:
        dataset: Of kind "check".
        findings: Some of them; None: all.
    """
    found = tuple(find(dataset) if findings is None else findings)
    members = dataset.sizes.get("member", 1)
    seeds = f", {members} seeds" if members > 1 else ""
    return FindingTable(
        title=f"{dataset.attrs['model']}: {dataset.sizes.get('layer', 0)} weights in "
        f"use{seeds}",
        findings=found,
        notes=tuple(json.loads(dataset.attrs["notes"])),
        verdict=_verdict(dataset, found),
    )


def _verdict(dataset: xr.Dataset, found: Sequence[Finding]) -> str:
    counts = {
        severity: sum(one.severity == severity for one in found)
        for severity in reversed(SEVERITIES)
    }
    every = find(dataset)
    kept = {one.id for one in found}
    unseen = [o for o in every if o.severity != "info" and o.id not in kept]
    ignored = _ignored(unseen)
    if not counts["error"] and not counts["warning"]:
        if not unseen and not _has_weights(dataset):
            return NOTHING
        if not unseen and _is_frozen(dataset):
            return FROZEN
        unread = _unread(dataset)
        sound = f"{SOUND} where it was measured; {unread}" if unread else SOUND
        elsewhere = " of the rest" if unread else ""
        excluded = f"excluded{elsewhere}: {_excluded(dataset, every)}"
        return f"{sound}{ignored}; {excluded}; {SOUND_NEXT}"
    listed = ", ".join(
        f"{count} {severity}{'s' if count > 1 and severity != 'info' else ''}"
        for severity, count in counts.items() if count
    )  # fmt: skip
    return f"not sound: {listed}{ignored}"


def _ignored(unseen: Sequence[Finding]) -> str:
    """Return which checks were left out, and what was left out with their findings."""
    ids = {one.id for one in unseen}
    if not ids:
        return ""
    with_them = {name for one in unseen for name in one.consequences} - ids
    explained = (
        f" (with what that explains: {_listing(with_them)})" if with_them else ""
    )
    return f"; ignored: {_listing(ids)}{explained}"


def _listing(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids))


def _has_weights(dataset: xr.Dataset) -> bool:
    facts = json.loads(dataset.attrs["facts"])[0]
    return bool(dataset.sizes.get("layer") or facts["parameters"])


def _is_frozen(dataset: xr.Dataset) -> bool:
    members = json.loads(dataset.attrs["facts"])
    frozen = [p["frozen"] for facts in members for p in facts["parameters"]]
    return bool(frozen) and all(frozen)


def _unread(dataset: xr.Dataset) -> str:
    """Return which matrices were used and not measured, and by what; "" if none."""
    known = json.loads(dataset.attrs["facts"])[0]["parameters"]
    matrices = (one for one in known if sum(size > 1 for size in one["shape"]) > 1)
    unread = {one["name"]: one["unread_in"] for one in matrices if one["unread_in"]}
    functions = list(dict.fromkeys(unread.values()))
    return not_measured(list(unread), functions) if unread else ""


def _excluded(dataset: xr.Dataset, found: Sequence[Finding]) -> str:
    """Return what was looked at and not found, in this model's terms."""
    facts = json.loads(dataset.attrs["facts"])[0]
    unsaid = {id_ for one in found for id_ in (one.id, *one.consequences)}
    skipped = {"WI25"}
    if not facts["uses"]:
        skipped |= _OF_LAYERS
    if not facts["attentions"]:
        skipped.add("WI23")
    if not facts["optimizer"]:
        skipped.add("WI24")
    if not facts["blocks"]:
        skipped.add("WI16")
    if not any(use["role"] for use in facts["uses"]):
        skipped.add("WI19")
    if not any(use["tied"] for use in facts["uses"]):
        skipped.add("WI18")
    if facts["output"]["loss_kind"] == "":
        skipped |= {"WI15", "WI04"}
    if all(p["dtype"] == "float32" for p in facts["parameters"]):
        skipped.add("WI22")
    kept = [name for id_, name in CHECKS.items() if id_ not in skipped | unsaid]
    return ", ".join(kept)


def where(one: Finding) -> str:
    """Return the first place of a finding, and how many more there are."""
    name = shown_name(one.parameter or one.module or "the model")
    more = len(one.places) - 1
    return f"{name} (+{more})" if more > 0 else name


def story(one: Finding) -> str:
    """Return what was found, what it explains, and in how many seeds."""
    sentence = one.sentence
    if one.consequences:
        sentence += f" (explains {', '.join(sorted(set(one.consequences)))})"
    count, total = one.found_in
    return f"{sentence} [{count} of {total} seeds]" if total > 1 else sentence


def findings_as_json(
    dataset: xr.Dataset, findings: Sequence[Finding] | None = None
) -> dict[str, Any]:
    """Return findings, and what was measured layer by layer, as plain values."""
    table = finding_table(dataset, findings)
    layers = dataset.isel(init=0, step=0)
    return finite(
        {
            "model": dataset.attrs["model"],
            "sound": not any(one.severity != "info" for one in table.findings),
            "verdict": table.verdict,
            "notes": list(table.notes),
            "findings": [
                {
                    **asdict(one),
                    "name": one.name,
                    "sentence": one.sentence,
                    "formula": one.formula,
                    "fix": one.fix,
                }
                for one in table.findings
            ],
            "layers": {
                str(name): _listed(values)
                for name, values in layers.data_vars.items()
                if values.dims in (("member", "layer"), ("layer",))
            },
        }
    )


def _listed(values: xr.DataArray) -> list[Any]:
    if values.dims == ("layer",):
        return np.asarray(values.values).tolist()
    return np.asarray(values.median("member", skipna=True).values).tolist()
