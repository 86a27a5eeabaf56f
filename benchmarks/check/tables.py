"""The scores as a page of Markdown."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median as _median
from typing import Any

from check.faults import FAULTS
from check.libraries import KNOWN

Row = dict[str, Any]

CAVEAT = (
    "The faults and healthy models were in view when initlab's checks were calibrated: "
    "of them the table says that nothing was overlooked, not how well the checks do "
    "elsewhere. The held-out models (`held_out.py`) were written when the checks were "
    "done. The two naive tools are rules of thumb, written from their descriptions. "
    "Linters that pip offers are made for trainings, not for starting weights "
    "(`linters.py`): a finding of theirs counts for every check that it could be "
    "about. Where a tool raised an error, it has named nothing."
)


def page(results: dict[str, Any]) -> str:
    """The whole page."""
    text = [
        "# Which tools judge starting weights well?",
        "Made by `make bench-check`; the rows are in `results.json`.",
        f"{results['date']}, {results['versions']}.",
        results.get("note", ""),
        CAVEAT,
        _summary(results["tools"]),
    ]
    text += of_libraries(results)
    for name, scores in results["tools"].items():
        text += [f"## {name}", *_details(scores)]
    return "\n\n".join(part for part in text if part) + "\n"


def share(rows: Iterable[Row], key: str) -> str:
    """`"12 of 15 (80 %)"`."""
    values = [bool(row[key]) for row in rows]
    if not values:
        return "not measured"
    return f"{sum(values)} of {len(values)} ({sum(values) / len(values):.1%})"


def table(head: list[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows])


def _summary(tools: dict[str, dict[str, list[Row]]]) -> str:
    head = [
        *("tool", "right check", "right layer", "healthy models with an error"),
        *("with a warning", "held-out models with either", "verdicts that flip"),
        *("harmed models repaired", "of these, that train lower"),
    ]
    return table(
        head,
        (
            (
                name,
                share(scores["cases"], "check"),
                share(scores["cases"], "layer"),
                share(scores["healthy"], "errors"),
                share(scores["healthy"], "warnings"),
                share(_alarms(scores["held out"]), "alarm"),
                share(scores["flips"], "flipped"),
                share(_harmed(scores), "changed"),
                share([row for row in _harmed(scores) if row["changed"]], "lower"),
            )
            for name, scores in tools.items()
        ),
    )


def of_libraries(results: dict[str, Any]) -> Iterable[str]:
    """Models that other people wrote, at their own start, by tool and library."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for tool, scores in results["tools"].items():
        for row in scores.get("libraries", []):
            groups[tool, row["family"]].append(row)
    yield "## Models of libraries"
    if not groups:
        yield "Not measured: no such library was installed."
        return
    yield (
        "At their own start, with labels drawn uniformly and AdamW at 1e-3; "
        f"{results['libraries']}."
    )
    head = ["tool", "library", "with an error", "with a warning", "failed", "seconds"]
    yield table(
        head,
        (
            (
                *name,
                share(rows, "errors"),
                share(rows, "warnings"),
                share(rows, "failed"),
                f"{_median(row['seconds'] for row in rows):.1f}",
            )
            for name, rows in groups.items()
        ),
    )
    for tool, scores in results["tools"].items():
        loud = [
            f"{row['model']} ({', '.join(row['errors'] + row['warnings'])})"
            for row in scores.get("libraries", [])
            if row["errors"] or row["warnings"]
        ]
        if loud and tool.startswith("initlab"):
            yield f"{tool} on these: {'; '.join(loud)}."
    yield "Not sound: " + "; ".join(f"{one}: {why}" for one, why in KNOWN.items()) + "."


def _alarms(rows: list[Row]) -> list[Row]:
    return [{"alarm": row["errors"] + row["warnings"]} for row in rows]


def _harmed(scores: dict[str, list[Row]]) -> list[Row]:
    return [row for row in scores["repairs"] if row["harmed"]]


def _details(scores: dict[str, list[Row]]) -> Iterable[str]:
    grouped = defaultdict(list)
    for row in scores["cases"]:
        grouped[row["fault"]].append(row)
    yield table(
        ["fault", "checks that count", "right check", "right layer"],
        (
            (
                fault,
                ", ".join(FAULTS[fault].checks),
                share(rows, "check"),
                share(rows, "layer"),
            )
            for fault, rows in grouped.items()
        ),
    )
    alarms = [row for row in scores["healthy"] if row["errors"] or row["warnings"]]
    if alarms:
        yield "On healthy models: " + "; ".join(
            f"{row['model']} ({', '.join(row['errors'] + row['warnings'])})"
            for row in alarms
        )
    failed = [row for rows in scores.values() for row in rows if row.get("failed")]
    if failed:
        yield f"Failed on {len(failed)} models, first: {failed[0]['failed']}"
    variants = defaultdict(list)
    for row in scores["flips"]:
        variants[row["variant"]].append(row)
    if variants:
        rows = ((one, share(rows, "flipped")) for one, rows in variants.items())
        yield table(["in another guise", "verdicts that flip"], rows)
    if any(row["changed"] for row in scores["repairs"]):
        keys = ("fault", "model", "healthy", "before", "after")
        yield table(
            ["fault", "model", "loss without the fault", "as it is", "repaired"],
            ([row.get(key, "not repaired") for key in keys] for row in _harmed(scores)),
        )
