"""How long `initlab compare` takes beside three runs of the lesson's own loop.

The promise: at most 1.3 times three bare runs plus 5 s for start-up and pictures.
Prints medians and spreads of runs taken in turn, so that a busy machine hits both.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise

import numpy as np
from sklearn.datasets import make_circles
from threadpoolctl import threadpool_limits

REPEATS = int(os.environ.get("REPEATS", "5"))
STEPS = 15_000
ALLOWED_FACTOR, ALLOWED_SECONDS = 1.3, 5.0


def lesson_run(scale):
    """Train 2-10-5-1 as the lesson's notebooks do, cost included; return the cost."""
    X, y = make_circles(n_samples=300, noise=0.05, random_state=1)
    X, Y, m = X.T, y[None, :], len(y)
    drawn, sizes = np.random.RandomState(3), (2, 10, 5, 1)
    W = [drawn.randn(o, i) * scale(i) for i, o in pairwise(sizes)]
    b = [np.zeros((len(w), 1)) for w in W]
    for _ in range(STEPS):
        a, inputs = X, []
        for layer in range(3):
            inputs.append(a)
            z = W[layer] @ a + b[layer]
            a = np.maximum(0, z) if layer < 2 else 1 / (1 + np.exp(-z))
        cost = np.nansum(-np.log(a) * Y - np.log(1 - a) * (1 - Y)) / m
        delta = (a - Y) / m
        for layer in (2, 1, 0):
            dW, db = delta @ inputs[layer].T, delta.sum(axis=1, keepdims=True)
            if layer:
                delta = (W[layer].T @ delta) * np.int64(inputs[layer] > 0)
            W[layer] = W[layer] - 0.01 * dW
            b[layer] = b[layer] - 0.01 * db
    return cost


def three_lesson_runs():
    with np.errstate(all="ignore"), threadpool_limits(1):
        for scale in (lambda _: 0.0, lambda _: 10.0, lambda n: np.sqrt(2 / n)):
            lesson_run(scale)


def command():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-c", "from initlab.cli import main; main()", "compare"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    pairs = [(seconds(three_lesson_runs), seconds(command)) for _ in range(REPEATS)]
    for name, times in zip(("three lesson runs", "compare"), zip(*pairs, strict=True)):  # noqa: B905
        print(
            f"{name:18} median {statistics.median(times):6.2f} s "
            f"({min(times):.2f} to {max(times):.2f}, {REPEATS} runs)"
        )
    used = [(ours - ALLOWED_SECONDS) / bare for bare, ours in pairs]
    print(
        f"(compare - {ALLOWED_SECONDS:g} s) / three runs: median "
        f"{statistics.median(used):.2f} ({min(used):.2f} to {max(used):.2f}), "
        f"allowed {ALLOWED_FACTOR}"
    )


if __name__ == "__main__":
    main()
