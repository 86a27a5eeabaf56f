"""The engines against the processor's own rate, and against the lesson's loop.

Prints a table for docs/performance.md. Runs alternate, so that a busy machine hits both
sides; every line is the median of ratios taken side by side, with their range.
"""

import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from compare_command import lesson_run
from multiply_adds import Peak
from threadpoolctl import threadpool_limits

import initlab as il
from initlab.engine import Examples, train_ensemble
from initlab.engine._lanes import LaneTrainer

REPEATS = 7
EXAMPLES = 300


def operations(widths: tuple[int, ...]) -> int:
    """Return those of a step: forward, weights' gradient, deltas; no activations."""
    products = [a * b for a, b in pairwise(widths)]
    return EXAMPLES * (4 * products[0] + 6 * sum(products[1:]))


def problem(widths, members, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(EXAMPLES, widths[0]))
    y = (rng.random((EXAMPLES, 1)) > 0.5) * 1.0
    data = Examples(
        train_x=x, train_y=y, test_x=x[:0], test_y=y[:0], is_classification=True
    )
    starts = [
        [
            (rng.normal(size=(b, a)) * np.sqrt(2 / a), np.zeros(b))
            for a, b in pairwise(widths)
        ]
        for _ in range(members)
    ]
    return data, starts


def study(widths, activation, precision, steps):
    return il.Study(
        network=il.MLP(widths=widths, activation=activation),
        precision=precision,
        steps=steps,
        record_every=steps,
        loss="binary_cross_entropy",
    )


def seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def shown(ratios: list[float], digits: int = 2) -> str:
    median = statistics.median(ratios)
    return f"{median:.{digits}f} ({min(ratios):.{digits}f}-{max(ratios):.{digits}f})"


def against_the_processor() -> None:
    print("| network | activation | precision | us per network and step | rate |")
    print("|---|---|---|---|---|")
    for precision in ("float64", "float32"):
        peak = Peak(precision)
        for widths, activation in (
            ((2, 10, 5, 1), "relu"),
            ((2, 16, 16, 1), "relu"),
            ((16, 16, 16, 1), "relu"),
            ((2, 16, 16, 1), "tanh"),
        ):
            steps = 2000
            spec = study(widths, activation, precision, steps)
            data, _ = problem(widths, 1)
            trainer = LaneTrainer(spec, data)
            _, starts = problem(widths, trainer.lanes)
            ratios, times = [], []
            for _ in range(REPEATS):
                rate = peak()
                took = seconds(
                    lambda: trainer.train(starts, [0.01] * len(starts))  # noqa: B023
                )
                done = operations(widths) * steps * trainer.lanes
                ratios.append(done / took / rate)
                times.append(took / steps / trainer.lanes * 1e6)
            name = "-".join(map(str, widths))
            print(
                f"| {name} | {activation} | {precision} | "
                f"{shown(times)} | {shown(ratios)} |",
                flush=True,
            )


def against_the_lesson() -> None:
    members, steps = 512, 1500

    def taken_by(precision: str, threads: int) -> float:
        spec = study((2, 10, 5, 1), "relu", precision, steps)
        return seconds(
            lambda: train_ensemble(spec, starts, data, engine="lanes", threads=threads)
        )

    data, starts = problem((2, 10, 5, 1), members)
    print("\n| 512 members of 2-10-5-1 | times as fast as the lesson's loop |")
    print("|---|---|")
    rows: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        with threadpool_limits(1), np.errstate(all="ignore"):
            loop = seconds(lambda: lesson_run(lambda n: np.sqrt(2 / n))) / 15_000
        for precision in ("float64", "float32"):
            taken = {}
            for threads in (1, 2):
                taken[threads] = taken_by(precision, threads)
                row = f"{precision}, {threads} thread{'s' * (threads > 1)}"
                rows.setdefault(row, []).append(loop * steps * members / taken[threads])
            rows.setdefault(f"{precision}, the second core", []).append(
                taken[1] / taken[2]
            )
    for row, ratios in rows.items():
        print(f"| {row} | {shown(ratios, 1 if ratios[0] > 5 else 2)} |")


if __name__ == "__main__":
    against_the_processor()
    against_the_lesson()
