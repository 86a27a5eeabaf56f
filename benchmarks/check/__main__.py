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
from check.score import score_case, score_flips, score_healthy, score_repair
from check.tables import page, share
from check.tools import Tool, installed

FOLDER = Path(__file__).parent
HEALTHY_SEEDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="check", description=__doc__)
    parser.add_argument("--manifest", action="store_true", help="print it and stop")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", default="", help="faults whose name has this")
    parser.add_argument("--tool", default="", help="tools whose name has this")
    parser.add_argument("--no-flips", action="store_true")
    parser.add_argument("--no-repairs", action="store_true")
    parser.add_argument("--no-files", action="store_true", help="print only")
    arguments = parser.parse_args()
    if arguments.manifest:
        for line in manifest(arguments.seeds):
            print(line)
        return
    torch.set_num_threads(1)
    tools = {}
    for tool in installed():
        if arguments.tool in tool.name:
            tools[f"{tool.name} {tool.version}".strip()] = scored(tool, arguments)
    results = {
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "versions": f"torch {torch.__version__}, Python {platform.python_version()}",
        "tools": tools,
    }
    if not arguments.no_files:
        _write(FOLDER / "results.json", json.dumps(results, indent=1) + "\n")
        _write(FOLDER / "results.md", page(results))


def scored(tool: Tool, arguments: argparse.Namespace) -> dict[str, Any]:
    """All rows of one tool."""
    chosen = [one for one in cases(arguments.seeds) if arguments.only in one.fault]
    firsts = [one for one in chosen if one.seed == 0]
    scores = {
        "cases": _each(tool, "faults", chosen, lambda one: score_case(tool, one)),
        "healthy": _each(
            tool,
            "healthy",
            [(s, seed) for s in HEALTHY.values() for seed in range(HEALTHY_SEEDS)],
            lambda one: score_healthy(tool, *one),
        ),
        "flips": [],
        "repairs": [],
    }
    if not arguments.no_flips:
        for rows in _each(tool, "flips", firsts, lambda one: _case_flips(tool, one)):
            scores["flips"] += rows
        found = _each(
            tool,
            "flips",
            list(HEALTHY.values()),
            lambda one: score_flips(tool, one, set(), 0),
        )
        scores["flips"] += [row for rows in found for row in rows]
    if tool.repair is not None and not arguments.no_repairs:
        harmed = [one for one in firsts if FAULTS[one.fault].harms]
        scores["repairs"] = _each(
            tool, "repairs", harmed, lambda one: score_repair(tool, one)
        )
    print(f"{tool.name}: check {share(scores['cases'], 'check')}", end=", ")
    print(f"layer {share(scores['cases'], 'layer')}", flush=True)
    return scores


def _case_flips(tool: Tool, case: Case) -> list[dict[str, Any]]:
    checks = set(FAULTS[case.fault].checks)
    return score_flips(tool, case.subject, checks, case.seed)


def _each(
    tool: Tool, what: str, items: list[Any], score: Callable[[Any], Any]
) -> list[Any]:
    label = f"{tool.name}: {what}"
    return [score(item) for item in track(items, description=label)]


def _write(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


if __name__ == "__main__":
    main()
