"""The conformance suite over everything: our catalog, planted faults, frameworks.

    python benchmarks/conformance.py [--runs 200] [--processes 2]

Writes benchmarks/conformance.md and the tables in docs/conformance.md. Of a framework
that is not installed, the page says so.
"""

import os

# Before NumPy is imported: one thread for each process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import datetime
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
import correct  # noqa: E402 -- these three are found through the path
import faults  # noqa: E402
import frameworks  # noqa: E402

PAGE = ROOT / "benchmarks/conformance.md"
DOCUMENT = ROOT / "docs/conformance.md"
CHUNK = 5


def subjects():
    """What must pass: (label, init or None, whether of layers)."""
    found = [
        (init, init, False)
        for init in correct.INITS
        if correct.drawn_from_a_shape(init)
    ]
    found += [(f"{name}, of layers", name, True) for name in faults.CORRECT_LAYERS]
    if correct.catalog_takes_layers():
        preserving = (
            "he_normal",
            "he_uniform",
            "lecun_normal",
            "he_normal(mode=fan_out)",
        )
        found += [(f"{init}, of layers", init, True) for init in preserving]
    return found


def run_chunk(job):
    """False alarms, repetitions, checks and seconds of some seeded runs."""
    label, init, layers, first, count = job
    alarms, repeated, checks = [], 0, 0
    started = time.perf_counter()
    # Other numbers for every initializer, or they would fail together.
    offset = zlib.crc32(label.encode()) % 10**6 * 1000
    for seed in range(offset + first, offset + first + count):
        if init in faults.CORRECT_LAYERS:
            function, law = faults.CORRECT_LAYERS[init]
            accepts = None
        else:
            function, law = correct.of_catalog(init), init
            accepts = correct.accepts(init)
        try:
            report = check_initializer(
                function, law=law, layers=layers, rng_seed=seed, accepts=accepts
            )
        except BrokenPropertyError as error:
            alarms.append(f"seed {seed}: {error}")
        else:
            repeated += report.repeated
            checks += len(report.outcomes)
    return label, count, alarms, repeated, checks, time.perf_counter() - started


def of_catalog(runs, processes):
    """One row per correct initializer, over all its runs."""
    jobs = [
        (*subject, first, min(CHUNK, runs - first))
        for subject in subjects()
        for first in range(0, runs, CHUNK)
    ]
    rows = {label: [0, [], 0, 0, 0.0] for label, _, _ in subjects()}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        for done, (label, *numbers) in enumerate(pool.map(run_chunk, jobs), 1):
            for place, number in enumerate(numbers):
                rows[label][place] += number
            print(f"\r{done}/{len(jobs)} chunks of {CHUNK} runs", end="", flush=True)
    print()
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


def catalog_text(rows, runs):
    alarms = sum(len(row[1]) for row in rows.values())
    checks = sum(row[3] for row in rows.values())
    text = [
        f"{runs} seeded runs of each of {len(rows)} correct initializers, "
        f"{checks:,} checks: **{alarms} false alarms**.",
        table(
            ["initializer", "runs", "false alarms", "checks repeated", "seconds a run"],
            [
                (f"`{label}`", count, len(bad), again, f"{seconds / count:.2f}")
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
        ]
    )


def write_between(path, name, text):
    """Replace what stands between a page's marks of that name."""
    page = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, rest = page.split(start)
    tail = rest.split(end)[1]
    path.write_text(f"{head}{start}\n\n{text}\n\n{end}{tail}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    started = time.perf_counter()
    rows = of_catalog(arguments.runs, arguments.processes)
    found = of_faults()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's packages
        versions, judged = frameworks.judge_all()
    alarms = [line for row in rows.values() for line in row[1]]
    survivors = [name for name, (_, named) in found.items() if not named]
    ours = (
        f"initlab {initlab.__version__}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}"
    )
    text = [
        "# Conformance",
        f"`make conformance`, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: {ours}, "
        f"Python {platform.python_version()}; "
        f"{(time.perf_counter() - started) / 60:.0f} minutes with "
        f"{arguments.processes} processes.",
        "## Correct initializers",
        catalog_text(rows, arguments.runs),
        "## Planted faults",
        faults_text(found),
        "## Frameworks' own initializers",
        versions,
        table(frameworks.HEAD, judged),
    ]
    PAGE.write_text("\n\n".join(text) + "\n", encoding="utf-8")
    write_between(
        DOCUMENT, "frameworks", f"{versions}\n\n{table(frameworks.HEAD, judged)}"
    )
    for line in alarms + survivors:
        print("BROKEN", line)
    return 1 if alarms or survivors else 0


if __name__ == "__main__":
    sys.exit(main())
