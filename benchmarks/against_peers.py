"""Our engines against other tools: same problem, precision and threads.

Every measurement is a process of its own, so that no tool has another's threads; all
train the same starting weights, and their losses after 50 steps are compared before
a time counts.
Rounds alternate over the tools; a line is the median of the rounds' ratios.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

ROUNDS = int(os.environ.get("ROUNDS", "3"))
CHECKED_STEPS = 50
# Members and steps as take each tool a second or so; its start-up is no matter then.
SIZES = {
    "ours": (512, 3000),
    "lesson_loop": (2, 3000),
    "sklearn_joblib": (8, 600),
    "sklearn_alone": (2, 600),
    "torch_eager": (2, 1000),
    "torch_vmap": (512, 60),
    "jax_scan": (16, 2000),
    "jax_vmap_scan": (512, 200),
}
WIDE = (4, 1000)
COMPARED = 4
TOLERANCE = {"float64": 1e-9, "float32": 2e-4}
SMALL = ("lesson_loop", "torch_eager", "torch_vmap", "jax_scan", "jax_vmap_scan")
CASES = {
    "lesson": SMALL,
    "tanh": ("jax_scan", "jax_vmap_scan", "torch_vmap", "sklearn_joblib"),
    "digits": ("torch_eager", "sklearn_alone"),
}
RUNS = (
    ("lesson", "float64", 1),
    ("lesson", "float32", 1),
    ("tanh", "float64", 2),
    ("digits", "float32", 1),
    ("digits", "float32", 2),
)


def task_of(case: str, precision: str, threads: int):
    from peers import Task
    from sklearn.datasets import load_digits, make_circles

    choices = {"dtype": getattr(np, precision), "threads": threads}
    if case == "digits":
        digits = load_digits()
        x, y = digits.data / 16, np.eye(10)[digits.target]
        rows = np.random.default_rng(0).permutation(len(x))
        batches = rows[: 14 * 128].reshape(14, 128)
        return Task(
            (64, 300, 100, 10), "relu", "softmax_cross_entropy", x, y, 0.1,
            batches=batches, **choices,
        )  # fmt: skip
    x, y = make_circles(n_samples=300, noise=0.05, random_state=1)
    widths, activation = (2, 10, 5, 1), "relu"
    if case == "tanh":
        widths, activation = (16, 16, 1), "tanh"
        x, y = np.random.default_rng(1).normal(size=(272, 16)), y[:272]
    return Task(
        widths, activation, "binary_cross_entropy", x, y[:, None] * 1.0, 0.01, **choices
    )


def starts_of(task, members: int):
    rng = np.random.default_rng(7)
    return [
        [
            (
                (rng.normal(size=(b, a)) * np.sqrt(2 / a)).astype(task.dtype),
                np.zeros(b, dtype=task.dtype),
            )
            for a, b in pairwise(task.widths)
        ]
        for _ in range(members)
    ]


def ours(task, starts, steps):
    """Return a run of ours: the engine that auto chooses."""
    import initlab as il
    from initlab.engine import Examples, _lanes, _wide, quickest, train_ensemble

    spec = il.Study(
        network=il.MLP(widths=task.widths, activation=task.activation),
        loss=task.loss,
        learning_rate=task.learning_rate,
        precision=np.dtype(task.dtype).name,
        steps=steps,
        record_every=steps,
        batch_size=None if task.batches is None else task.batches.shape[1],
    )
    if task.batches is not None:  # the tools' batches instead of a study's own

        def given(*_):
            return iter(task.batches[np.arange(steps) % len(task.batches)])

        _lanes.batches = _wide.batches = given
    data = Examples(
        train_x=task.x.astype(float),
        train_y=task.y,
        test_x=task.x[:0].astype(float),
        test_y=task.y[:0],
        is_classification=True,
    )
    engine = quickest(spec, len(starts), len(task.x))

    def run():
        histories = train_ensemble(
            spec, starts, data, engine=engine, threads=task.threads
        )
        return np.array([history.loss[-1] for history in histories])

    return run


def measure(tool: str, case: str, precision: str, threads: int) -> None:
    """Print one tool's microseconds per member and step, and its first losses."""
    import peers

    task = task_of(case, precision, threads)
    members, steps = WIDE if case == "digits" else SIZES[tool]
    with peers.pinned(threads):
        make = ours if tool == "ours" else getattr(peers, tool)
        losses = make(task, starts_of(task, COMPARED), CHECKED_STEPS)()
        run = make(task, starts_of(task, members), steps)
        begun = time.perf_counter()
        run()
        took = time.perf_counter() - begun
    print(
        json.dumps(
            {
                "us": took / members / getattr(run, "steps", steps) * 1e6,
                "losses": losses.tolist(),
                "comparable": getattr(run, "comparable", True),
                "chunk": getattr(run, "chunk", None),
            }
        )
    )


def measured(*arguments: object) -> dict:
    out = subprocess.run(
        [sys.executable, Path(__file__).name, *map(str, arguments)],
        cwd=Path(__file__).parent,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(out.splitlines()[-1])


def main() -> None:
    print("| network | precision | threads | tool | us | ours, us | times as fast |")
    print("|---|---|---|---|---|---|---|")
    for case, precision, threads in RUNS:
        ratios: dict[str, list[float]] = {tool: [] for tool in CASES[case]}
        times: dict[str, list[float]] = {tool: [] for tool in (*CASES[case], "ours")}
        for _ in range(ROUNDS):
            mine = measured("ours", case, precision, threads)
            times["ours"].append(mine["us"])
            for tool in CASES[case]:
                its = measured(tool, case, precision, threads)
                if its["comparable"]:
                    np.testing.assert_allclose(
                        its["losses"], mine["losses"], rtol=TOLERANCE[precision]
                    )
                times[tool].append(its["us"])
                ratios[tool].append(its["us"] / mine["us"])
        for tool, found in ratios.items():
            print(
                f"| {case} | {precision} | {threads} | {tool} | "
                f"{statistics.median(times[tool]):.1f} | "
                f"{statistics.median(times['ours']):.2f} | "
                f"{statistics.median(found):.1f} ({min(found):.1f}-{max(found):.1f}) |",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tool, case, precision, threads = sys.argv[1:]
        measure(tool, case, precision, int(threads))
    else:
        main()
