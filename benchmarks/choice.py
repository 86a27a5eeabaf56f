"""Whether `engine="auto"` chooses well: both engines timed over a grid of networks.

Times differences between a longer and a shorter training, so that starting and
recording do not count. Where the cost model says that an engine takes more than
`HOPELESS` times the other's time, neither is run. Prints the worst choices.
"""

import itertools
import sys
import time
from itertools import pairwise

import numpy as np

import initlab as il
from initlab.engine import Examples, cores, quickest, step_cost, train_ensemble

WIDTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
DEPTHS = (1, 3, 10)
MEMBERS = (1, 3, 64)
BATCHES = (32, 300)
PRECISIONS = ("float64", "float32")
SECONDS, REPEATS, HOPELESS = 0.2, 3, 2.5
ALLOWED = 1.3


def problem(width, depth, members, batch):
    rng = np.random.default_rng(0)
    widths = (*(width,) * depth, 1)
    data = Examples(
        train_x=rng.normal(size=(batch, width)),
        train_y=(rng.random((batch, 1)) > 0.5) * 1.0,
        test_x=np.empty((0, width)),
        test_y=np.empty((0, 1)),
        is_classification=True,
    )
    start = [
        (rng.normal(size=(b, a)) * np.sqrt(2 / a), np.zeros(b))
        for a, b in pairwise(widths)
    ]
    return widths, data, [start] * members


def step_seconds(engine, network, precision, data, starts, expected):
    """Return what a step of all members takes, at best."""

    def taken(steps):
        spec = il.Study(
            network=network, precision=precision, steps=steps, record_every=steps,
            loss="binary_cross_entropy", learning_rate=1e-3,
        )  # fmt: skip
        begun = time.perf_counter()
        train_ensemble(spec, starts, data, engine=engine)
        return time.perf_counter() - begun

    more = max(3, min(20_000, int(SECONDS / expected)))
    taken(1)
    return min((taken(1 + more) - taken(1)) / more for _ in range(REPEATS))


def main():
    rows, cases = [], 0
    grid = itertools.product(PRECISIONS, DEPTHS, WIDTHS, BATCHES, MEMBERS)
    for precision, depth, width, batch, members in grid:
        widths, data, starts = problem(width, depth, members, batch)
        network = il.MLP(widths=widths)
        cost = step_cost(network, batch, precision)
        expected = {
            "lanes": cost.lanes_for(members, cores()) * 1e-6,
            "wide": cost.wide_for(members, cores()) * 1e-6,
        }
        cases += 1
        if max(expected.values()) > HOPELESS * min(expected.values()):
            continue
        found = {
            engine: step_seconds(engine, network, precision, data, starts, each)
            for engine, each in expected.items()
        }
        spec = il.Study(network=network, precision=precision)
        chosen = quickest(spec, members, batch)
        slower = found[chosen] / min(found.values())
        rows.append((slower, precision, widths, batch, members, chosen, found))
        print(
            f"{slower:5.2f} {precision} {width} x {depth}, {batch} examples, "
            f"{members} members: {chosen}, "
            + ", ".join(f"{k} {v * 1e6:.0f} us" for k, v in found.items()),
            file=sys.stderr, flush=True,
        )  # fmt: skip
    over = sum(row[0] > ALLOWED for row in rows)
    print(
        f"{cases} cases, {len(rows)} of them close; there the chosen engine is at most "
        f"{max(rows, key=lambda row: row[0])[0]:.2f} times slower, more than "
        f"{ALLOWED} times in {over}"
    )
    for row in sorted(rows, key=lambda row: row[0])[: -over - 1 : -1] if over else ():
        print(f"{row[0]:.2f}: {row[1:]}")


if __name__ == "__main__":
    main()
