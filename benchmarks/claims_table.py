"""The 800 trainings of the lesson's 200-seed table beside the lesson's own loop.

The promise: less than a fortieth of what the loop would need. The loop trains the four
inits once per round; its time for 200 seeds is 200 times that. Rounds are taken in
turn, so that a busy machine hits both; prints medians and spreads.
"""

import os
import statistics
import time

import numpy as np
from compare_command import lesson_run
from threadpoolctl import threadpool_limits

import initlab as il

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SEEDS = 200
STUDY = il.Study(
    inits=["he_normal", "lesson_xavier", "normal(std=1)", "normal(std=10)"],
    members=SEEDS,
    steps=15_000,
    record_every=1_000,
)
SCALES = (
    lambda fan_in: np.sqrt(2 / fan_in),
    lambda fan_in: np.sqrt(1 / fan_in),
    lambda _: 1.0,
    lambda _: 10.0,
)


def seconds(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def loop():
    with np.errstate(all="ignore"), threadpool_limits(1):
        for scale in SCALES:
            lesson_run(scale)


def main():
    il.run(STUDY.model_copy(update={"members": 1, "steps": 10}))  # kernels are there
    loops, ours = [], []
    for _ in range(ROUNDS):
        loops.append(SEEDS * seconds(loop))
        ours.append(seconds(lambda: il.run(STUDY)))
    shares = [own / each for own, each in zip(ours, loops, strict=True)]
    for name, values in (("loop, 800 trainings", loops), ("il.run", ours)):
        print(
            f"{name}: {statistics.median(values):.1f} s "
            f"[{min(values):.1f}, {max(values):.1f}]"
        )
    print(
        f"one part in {1 / statistics.median(shares):.1f} "
        f"[{1 / max(shares):.1f}, {1 / min(shares):.1f}] (promised: 40)"
    )


if __name__ == "__main__":
    main()
