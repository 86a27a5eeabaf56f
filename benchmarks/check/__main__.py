"""Run the benchmark: see the package's docstring."""

import argparse
import datetime
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.progress import track

from check.faults import FAULTS, SEEDS, Case, cases, manifest
from check.healthy import HEALTHY
from check.held_out import HELD_OUT
from check.libraries import LIBRARIES, versions
from check.libraries import installed as of_libraries
from check.score import score_case, score_flips, score_healthy, score_repair
from check.tables import page
from check.tools import Tool, installed

FOLDER = Path(__file__).parent
HEALTHY_SEEDS = 3
PARTS = ("cases", "healthy", "held out", "flips", "repairs", "libraries")


def main() -> None:
    parser = argparse.ArgumentParser(prog="check", description=__doc__)
    parser.add_argument("--manifest", action="store_true", help="print it and stop")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", default="", help="faults whose name has this")
    parser.add_argument("--models", nargs="+", choices=HEALTHY, default=[*HEALTHY])
    parser.add_argument("--tool", default="", help="tools whose name has this")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the results")
    arguments = parser.parse_args()
    if arguments.manifest:
        for line in manifest(arguments.seeds):
            print(line)
        return
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    rows = arguments.folder / "results.json"
    before = json.loads(rows.read_text("utf-8")) if rows.exists() else {}
    kept, libraries = before.get("tools", {}), before.get("libraries", "")
    for tool in installed():
        if arguments.tool not in tool.name:
            continue
        label = f"{tool.name} {tool.version}".strip()
        scores = {part: [] for part in PARTS} | kept.get(label, {})
        kept[label] = scores
        for part in arguments.parts:
            if part == "libraries":
                if not versions():
                    print(f"libraries: skipped, none of {', '.join(LIBRARIES)} is here")
                    continue
                libraries = with_versions()
            scores[part] = scored(tool, part, arguments)
            # Part by part, so that what was interrupted is not lost.
            results = {
                "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
                "versions": f"torch {torch.__version__}, "
                f"Python {platform.python_version()}",
                "note": before.get("note", ""),
                "libraries": libraries,
                "tools": kept,
            }
            _write(rows, as_text(results))
            _write(arguments.folder / "results.md", page(results))


def scored(tool: Tool, part: str, arguments: argparse.Namespace) -> list[Any]:
    """All rows of one part of a tool's scores."""
    chosen = [
        one
        for one in cases(arguments.seeds)
        if arguments.only in one.fault and one.host in arguments.models
    ]
    firsts = [one for one in chosen if one.seed == 0]
    if part == "cases":
        return _each(tool, part, chosen, lambda one: score_case(tool, one))
    if part == "healthy":
        every = [
            (HEALTHY[name], seed)
            for name in arguments.models
            for seed in range(HEALTHY_SEEDS)
        ]
        return _each(tool, part, every, lambda one: score_healthy(tool, *one))
    if part == "held out":
        every = [(s, seed) for s in HELD_OUT.values() for seed in range(HEALTHY_SEEDS)]
        return _each(tool, part, every, lambda one: score_healthy(tool, *one))
    if part == "libraries":
        every = [*of_libraries()]
        return _each(tool, part, every, lambda one: score_healthy(tool, one, 0))
    if part == "flips":
        found = _each(tool, part, firsts, lambda one: _case_flips(tool, one))
        found += _each(
            tool,
            part,
            [*HEALTHY.values()],
            lambda one: score_flips(tool, one, set(), 0),
        )
        return [row for rows in found for row in rows]
    if tool.repair is None:
        return []
    harmful = [one for one in firsts if FAULTS[one.fault].harms]
    return _each(tool, part, harmful, lambda one: score_repair(tool, one))


def with_versions() -> str:
    """What libraries' models were measured with, and when."""
    here = {"torch": torch.__version__} | versions()
    when = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    return ", ".join([when, *(f"{name} {one}" for name, one in here.items())])


def _case_flips(tool: Tool, case: Case) -> list[dict[str, Any]]:
    checks = set(FAULTS[case.fault].checks)
    return score_flips(tool, case.subject, checks, case.seed)


def _each(
    tool: Tool, what: str, items: list[Any], score: Callable[[Any], Any]
) -> list[Any]:
    label = f"{tool.name}: {what}"
    return [score(item) for item in track(items, description=label)]


def as_text(results: dict[str, Any]) -> str:
    """JSON with a line per row, which a reader can compare."""
    lines = []
    for label, scores in results["tools"].items():
        parts = [
            f" {json.dumps(part)}: [\n"
            + ",\n".join(f"  {json.dumps(row)}" for row in rows)
            + "\n ]"
            for part, rows in scores.items()
        ]
        lines.append(f"{json.dumps(label)}: {{\n" + ",\n".join(parts) + "\n}")
    head = {key: value for key, value in results.items() if key != "tools"}
    start = json.dumps(head)[:-1]
    return f'{start}, "tools": {{\n' + ",\n".join(lines) + "\n}}\n"


def _write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


if __name__ == "__main__":
    main()
