"""The conformance suite over everything: our catalog, planted faults, frameworks.

    python benchmarks/conformance.py [--runs 200] [--processes 2] [--minutes 60]
        [--only catalog faults frameworks]

Writes benchmarks/conformance.md and the tables in docs/conformance.md. Of a framework
that is not installed, the page says so. A part that is not asked for keeps what the
page says of it. Runs of the catalog add up in benchmarks/conformance.json, until any
source that decides them changes.
"""

import os

# Before NumPy is imported: one thread for each process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import datetime
import hashlib
import json
import multiprocessing
import platform
import re
import sys
import time
import warnings
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import scipy

import initlab
from initlab.testing import BrokenPropertyError, check_initializer

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests/testing"), str(Path(__file__).parent)]
import correct  # noqa: E402 -- both are found through the path
import faults  # noqa: E402

PAGE = ROOT / "benchmarks/conformance.md"
DOCUMENT = ROOT / "docs/conformance.md"
TALLY = ROOT / "benchmarks/conformance.json"
# What decides a run: the initializers, their streams, the checks, what is checked.
SOURCES = ("src/initlab/catalog", "src/initlab/rng", "src/initlab/testing")
PARTS = {
    "catalog": "Correct initializers",
    "faults": "Planted faults",
    "frameworks": "Frameworks' own initializers",
}


def subjects():
    """What must pass: (label, init or None, whether of layers)."""
    found = [(init, init, False) for init in correct.INITS]
    of_layers = (*correct.OF_LAYERS, *faults.CORRECT_LAYERS)
    return found + [(f"{init}, of layers", init, True) for init in of_layers]


def run_once(job):
    """Runs (one, or none), false alarms, repetitions, checks and seconds."""
    label, init, layers, number, deadline = job
    if time.time() >= deadline:
        return label, 0, [], 0, 0, 0.0
    # Other numbers for every initializer, or they would fail together.
    seed = zlib.crc32(label.encode()) % 10**6 * 1000 + number
    started = time.process_time()
    if init in faults.CORRECT_LAYERS:
        function, law = faults.CORRECT_LAYERS[init]
        accepts = None
    else:
        function, law = correct.of_catalog(init), init
        accepts = correct.accepts(init)
    alarms, repeated, checks = [], 0, 0
    try:
        report = check_initializer(
            function, law=law, layers=layers, rng_seed=seed, accepts=accepts
        )
    except BrokenPropertyError as error:
        alarms.append(f"seed {seed}: {error}")
    else:
        repeated, checks = report.repeated, len(report.outcomes)
    return label, 1, alarms, repeated, checks, time.process_time() - started


def sources_digest():
    """Return what the counts are worth for: they start anew when it changes."""
    paths = [ROOT / "tests/testing/correct.py", ROOT / "tests/testing/faults.py"]
    for folder in SOURCES:
        place = ROOT / folder
        paths += sorted(place.rglob("*.py")) or [place.with_suffix(".py")]
    found = hashlib.sha256(repr((np.__version__, scipy.__version__)).encode())
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()


def tallied():
    """Return the rows of earlier runs, or empty ones."""
    rows = {label: [0, [], 0, 0, 0.0] for label, _, _ in subjects()}
    if TALLY.exists():
        kept = json.loads(TALLY.read_text(encoding="utf-8"))
        if kept["sources"] == sources_digest():
            rows |= {label: row for label, row in kept["rows"].items() if label in rows}
    return rows


def tally(rows):
    kept = {"sources": sources_digest(), "rows": rows}
    partial = TALLY.with_suffix(".partial")
    partial.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    partial.replace(TALLY)


def of_catalog(runs, processes, deadline, keep):
    """One row per correct initializer, over all its runs; kept now and then."""
    rows = tallied()
    # Round by round: where time runs out, all have had about as many.
    jobs = [
        (*subject, number, deadline)
        for number in range(runs)
        for subject in subjects()
        if number >= rows[subject[0]][0]
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=os.nice, initargs=(10,)
    ) as pool:
        for done, (label, *numbers) in enumerate(pool.map(run_once, jobs), 1):
            for place, number in enumerate(numbers):
                rows[label][place] += number
            for line in numbers[1]:
                print(f"ALARM {label}, {line}", flush=True)
            if done % 100 == 0:
                keep(rows)
            if done % 20 == 0:
                print(f"{done} of {len(jobs)} runs", flush=True)
    return rows


def of_faults():
    """For every planted fault, the message that killed it, or None; well named?"""
    found = {}
    for name, fault in faults.FAULTS.items():
        try:
            check_initializer(fault.make(), law=fault.law, **fault.options)
            found[name] = (None, False)
        except BrokenPropertyError as error:
            named = re.match(fault.breaks, str(error)) is not None
            found[name] = (error.outcome.name, named)
    return found


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows])


def catalog_text(rows):
    least = min(row[0] for row in rows.values())
    total = sum(row[0] for row in rows.values())
    alarms = sum(len(row[1]) for row in rows.values())
    checks = sum(row[3] for row in rows.values())
    text = [
        f"{least} seeded runs or more of each of {len(rows)} correct initializers, "
        f"{total:,} runs of {checks:,} checks, no two with the same seed: "
        f"**{alarms} false alarms**.",
        table(
            ["initializer", "runs", "false alarms", "checks repeated", "seconds a run"],
            [
                (f"`{label}`", count, len(bad), again, f"{seconds / max(count, 1):.2f}")
                for label, (count, bad, again, _, seconds) in rows.items()
            ],
        ),
    ]
    text += [f"- `{label}`, {line}" for label, row in rows.items() for line in row[1]]
    return "\n\n".join(text)


def faults_text(found):
    killed = sum(named for _, named in found.values())
    return "\n\n".join(
        [
            f"{len(found)} faults planted, **{killed} killed and named** for what "
            "they are (`tests/testing/faults.py`).",
            table(
                ["fault", "the property that was named"],
                [
                    (name.replace("_", " "), what or "**survived**")
                    for name, (what, _) in found.items()
                ],
            ),
            "Known to stay unseen, each with its test: "
            + ", ".join(name.replace("_", " ") for name in faults.UNSEEN)
            + ".",
        ]
    )


def write_between(path, name, text):
    """Replace what stands between a page's marks of that name."""
    page = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, rest = page.split(start)
    tail = rest.split(end)[1]
    path.write_text(f"{head}{start}\n\n{text}\n\n{end}{tail}", encoding="utf-8")


def of_frameworks():
    """The versions, and the table of their own initializers."""
    import frameworks

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's packages
        versions, judged = frameworks.judge_all()
    return f"{versions}\n\n{table(frameworks.HEAD, judged)}"


def written_sections():
    """What the page says now, by the titles of its parts."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return dict(part.split("\n\n", 1) for part in page.split("\n## ")[1:])


def write_page(sections):
    text = ["# Conformance", "Made by `make conformance`, part by part."]
    text += [
        f"## {title}\n\n{sections[title].strip()}"
        for title in PARTS.values()
        if title in sections
    ]
    PAGE.write_text("\n\n".join(text) + "\n", encoding="utf-8")


def dated(text, started):
    ours = (
        f"initlab {initlab.__version__}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}"
    )
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {ours}, Python "
        f"{platform.python_version()}, {(time.time() - started) / 60:.0f} minutes."
        f"\n\n{text}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS])
    arguments = parser.parse_args()
    sections, broken = written_sections(), []
    started = time.time()
    if "catalog" in arguments.only:
        deadline = started + 60 * arguments.minutes

        def keep(rows):
            tally(rows)
            sections[PARTS["catalog"]] = dated(catalog_text(rows), started)
            write_page(sections)

        rows = of_catalog(arguments.runs, arguments.processes, deadline, keep)
        keep(rows)
        broken += [line for row in rows.values() for line in row[1]]
    started = time.time()
    if "faults" in arguments.only:
        found = of_faults()
        broken += [name for name, (_, named) in found.items() if not named]
        sections[PARTS["faults"]] = dated(faults_text(found), started)
    started = time.time()
    if "frameworks" in arguments.only:
        judged = of_frameworks()
        sections[PARTS["frameworks"]] = dated(judged, started)
        write_between(DOCUMENT, "frameworks", judged)
    write_page(sections)
    for line in broken:
        print("BROKEN", line)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
