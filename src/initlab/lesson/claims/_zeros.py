"""Can a network of zeros learn?"""

import numpy as np
from matplotlib.figure import Figure

from initlab.lesson.claims._claim import (
    OF,
    STEPS,
    Answer,
    Claim,
    Results,
    study_of,
)
from initlab.spec import Problem, Study


def _two_to_one() -> Problem:
    """Circles of which every second example of one class is left out."""
    from initlab.problems import load

    data = load(Problem(name="circles", examples=400))
    labels = np.asarray(data.train_y).reshape(-1)
    second = np.flatnonzero(labels == 1)
    kept = np.sort(np.concatenate([np.flatnonzero(labels == 0), second[::2]]))
    return Problem.of_arrays(
        data.train_x[kept], labels[kept].astype(int), test_fraction=0
    )


def _studies(_: int) -> dict[str, Study]:
    # No number is drawn: every member would be the same.
    return {
        "balanced classes": study_of(1, ["zeros"]),
        "2:1 classes": study_of(1, ["zeros"], problem=_two_to_one()),
    }


def _answer(results: Results) -> Answer:
    balanced, skewed = (
        results[name].loss.values[0, 0] for name in ("balanced classes", "2:1 classes")
    )
    frequency = 1 / 3
    entropy = float(-(frequency * np.log(frequency) + (2 / 3) * np.log(2 / 3)))
    stays = abs(balanced - np.log(2)).max() < 1e-9
    moves = abs(skewed[-1] - entropy) < 1e-3 < skewed[0] - skewed[-1]
    return Answer(
        verdict="true in part" if stays and moves else "not shown",
        sentence=(
            f"{OF}, training cost: with balanced classes it stays at "
            f"{balanced[-1]:.6f} = ln 2 for all {STEPS:,} steps; with two examples of "
            f"one class to one of the other it falls to {skewed[-1]:.4f}, the entropy "
            f"of the class frequencies ({entropy:.4f}): the output bias learns how "
            "frequent the classes are, and nothing else moves. No interval: nothing is "
            "drawn, every member is the same. It is no matter of a small learning rate"
        ),
        numbers={
            "balanced_cost": float(balanced[-1]),
            "skewed_cost": float(skewed[-1]),
            "entropy": entropy,
        },
    )


def _picture(results: Results) -> Figure:
    from initlab.figures import style

    with style():
        figure = Figure(figsize=(9, 3.8), layout="constrained")
        for ax, (name, found) in zip(
            figure.subplots(1, 2, sharey=True), results.items(), strict=True
        ):
            ax.plot(found["step"], found.loss.values[0, 0])
            ax.axhline(float(found["baseline_loss"]), linestyle="--", color="#5c5c5c")
            ax.set_title(f"zeros, {name}; dashed: best constant guess")
            ax.set_xlabel("step (parameter updates done)")
        figure.axes[0].set_ylabel("training cost (nats)")
    return figure


ZEROS = Claim(
    name="zeros",
    statement="zeros cannot learn",
    studies=_studies,
    answer=_answer,
    draw=_picture,
)
