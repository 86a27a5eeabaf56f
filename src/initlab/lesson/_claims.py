"""The lesson's claims, each with what was measured to answer it.

A claim names studies; its answer is computed from their datasets, says of which
quantity and at which learning rate it speaks, and gives an interval over members.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy import stats

from initlab import figures
from initlab.spec import MLP, Problem, Study

LEARNING_RATE = 0.01
MEMBERS = 200
# The last cost that the lesson prints, of its 15,000 iterations.
LAST_PRINTED, STEPS = 14_000, 15_000
RECORDS = 1_000
GOOD, POOR = 0.95, 0.70  # test accuracies

Results = Mapping[str, xr.Dataset]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a claim.

    Attributes:
        verdict: `"true"`, `"false"`, `"true in part"`, or `"not shown"` where the
            intervals allow both: of exactly what the sentence says.
        sentence: The answer, with quantity, learning rate and intervals.
        numbers: What the sentence is made of.
    """

    verdict: str
    sentence: str
    numbers: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something that documents of the lesson say.

    Attributes:
        name: To ask for it.
        statement: As it is said.
        studies: The studies that answer it, for so many members.
        answer: From their results.
        draw: Its picture.
    """

    name: str
    statement: str
    studies: Callable[[int], dict[str, Study]]
    answer: Callable[[Results], Answer]
    draw: Callable[[Results], Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many members something holds for, and what that says of all members."""

    count: int
    members: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.members

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence (Clopper & Pearson 1934)."""
        bounds = stats.binomtest(self.count, self.members).proportion_ci(0.95)
        return float(bounds.low), float(bounds.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.0%} [{low:.0%}, {high:.0%}]"


def share(holds: np.ndarray) -> Share:
    """Return the share of members for which it holds."""
    return Share(count=int(holds.sum()), members=holds.size)


def _verdict(*parts: Share) -> str:
    """Return the verdict of a claim whose parts hold for most members, or do not."""
    votes = {
        "true" if low > 0.5 else "false" if high < 0.5 else "not shown"
        for low, high in (part.interval for part in parts)
    }
    return votes.pop() if len(votes) == 1 else "true in part"


def _study(members: int, inits: list[Any], **choices: Any) -> Study:
    asked: dict[str, Any] = {
        "members": members,
        "inits": inits,
        "seed": 0,
        "steps": STEPS,
        "record_every": RECORDS,
        "learning_rate": LEARNING_RATE,
    }
    return Study(**(asked | choices))


def _costs(results: xr.Dataset, init: str, step: int | None = None) -> np.ndarray:
    """Return every member's cost, the last printed one; infinite where it diverged."""
    at = LAST_PRINTED if step is None else step
    costs = results.loss.sel(init=init, step=at).values
    return np.where(np.isnan(costs), np.inf, costs)


def _accuracies(results: xr.Dataset, init: str) -> np.ndarray:
    return results.test_accuracy.sel(init=init).isel(step=-1).values


def _spread(costs: np.ndarray) -> str:
    """Return median and spread as the lesson's table has them."""
    low, high = np.quantile(costs, (0.05, 0.95))
    return f"{np.median(costs):.3g} ({low:.2g} to {high:.2g})"


_OF = f"At learning rate {LEARNING_RATE} on circles, full batch"
_HE, _XAVIER = "he_normal", "lecun_normal"
_ONE, _TEN = "normal(std=1)", "normal(std=10)"
_NAMES = {
    _HE: "He, sqrt(2/n)",
    _XAVIER: "sqrt(1/n)",
    _ONE: "randn x 1",
    _TEN: "randn x 10",
}


def _best_answer(results: Results) -> Answer:
    found = results["circles"]
    costs = {init: _costs(found, init) for init in _NAMES}
    accurate = {init: share(_accuracies(found, init) >= GOOD) for init in _NAMES}
    poor = {init: share(_accuracies(found, init) <= POOR) for init in _NAMES}
    below = share(costs[_ONE] < costs[_HE])
    against_large = share(costs[_HE] < costs[_TEN])
    return Answer(
        verdict=_verdict(against_large, share(costs[_HE] < costs[_ONE])),
        sentence=(
            f"{_OF}, training cost at step {LAST_PRINTED:,}: He ends below randn x 10 "
            f"in {against_large} of {below.members} members, but randn x 1 ends below "
            f"He in {below}. Median cost (5 % to 95 % of members): He "
            f"{_spread(costs[_HE])}, sqrt(1/n) {_spread(costs[_XAVIER])}, x 1 "
            f"{_spread(costs[_ONE])}, x 10 {_spread(costs[_TEN])}. Test "
            f"accuracy of at least {GOOD}: He in {accurate[_HE]}, x 1 in "
            f"{accurate[_ONE]}. Brackets: 95 % confidence"
        ),
        numbers={
            "x1_below_he": _numbers(below),
            "he_below_x10": _numbers(against_large),
            "inits": {
                init: {
                    "median_cost": float(np.median(costs[init])),
                    "spread": np.quantile(costs[init], (0.05, 0.95)).tolist(),
                    "median_test_accuracy": float(np.median(_accuracies(found, init))),
                    "accurate": _numbers(accurate[init]),
                    "poor": _numbers(poor[init]),
                }
                for init in _NAMES
            },
        },
    )


def _numbers(counted: Share) -> dict[str, Any]:
    return {
        "share": counted.value,
        "interval": list(counted.interval),
        "count": counted.count,
        "members": counted.members,
    }


def _best_picture(results: Results) -> Figure:
    found = results["circles"]
    return _figure(
        figures.distributions(
            {name: _costs(found, init) for init, name in _NAMES.items()},
            quantity=f"training cost at step {LAST_PRINTED:,} (nats)",
            logarithmic=True,
        )
    )


def _figure(ax: Any) -> Figure:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


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


def _zeros_studies(_: int) -> dict[str, Study]:
    # No number is drawn: every member would be the same.
    return {
        "balanced classes": _study(1, ["zeros"]),
        "2:1 classes": _study(1, ["zeros"], problem=_two_to_one()),
    }


def _zeros_answer(results: Results) -> Answer:
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
            f"{_OF}, training cost: with balanced classes it stays at "
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


def _zeros_picture(results: Results) -> Figure:
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


_RANDN = _TEN
_POSITIVE = "uniform(low=0, high=10)"
_MATCHED = f"uniform(low={-10 * 3**0.5:.6f}, high={10 * 3**0.5:.6f})"


def _rand_answer(results: Results) -> Answer:
    found = results["circles"]
    labels = [str(label) for label in found["init"].values]
    randn, positive, matched = (_costs(found, label) for label in labels)
    loses = share(randn < positive)
    extremes = share(matched < randn)
    return Answer(
        # What it says of extremes: that randn ends below the same std without them.
        verdict=_verdict(share(randn < matched)),
        sentence=(
            f"{_OF}, training cost at step {LAST_PRINTED:,}: randn x 10 ends below "
            f"rand x 10 in {loses} of {loses.members} members. The reason given would "
            "need uniform weights around 0 of the same std, which have no extremes at "
            f"all, to do worse than randn too; they end below randn in {extremes}. Of "
            f"rand, all weights are positive. Medians: randn {_spread(randn)}, rand "
            f"{_spread(positive)}, uniform around 0 {_spread(matched)}"
        ),
        numbers={
            "randn_below_rand": _numbers(loses),
            "matched_uniform_below_randn": _numbers(extremes),
            "median_cost": {
                "randn": float(np.median(randn)),
                "rand": float(np.median(positive)),
                "uniform_around_0": float(np.median(matched)),
            },
        },
    )


def _rand_picture(results: Results) -> Figure:
    found = results["circles"]
    names = ("randn x 10", "rand x 10, in [0, 10)", "uniform around 0, std 10")
    return _figure(
        figures.distributions(
            {
                name: _costs(found, str(label))
                for name, label in zip(names, found["init"].values, strict=True)
            },
            quantity=f"training cost at step {LAST_PRINTED:,} (nats)",
            logarithmic=True,
        )
    )


_LONGER = 4 * STEPS


def _longer_answer(results: Results) -> Answer:
    found = results["circles"]
    early, late = _costs(found, _TEN, STEPS), _costs(found, _TEN, _LONGER)
    improved = share(late < early)
    test = found.test_accuracy.sel(init=_TEN)
    before, after = (test.sel(step=step).values for step in (STEPS, _LONGER))
    better, worse = share(after > before), share(after < before)
    he = float(np.median(_costs(results["he"], _HE, STEPS)))
    reached = share(late <= he)
    return Answer(
        verdict=_verdict(improved, better),
        sentence=(
            f"{_OF}: from step {STEPS:,} to {_LONGER:,} the training cost of randn x "
            f"10 falls in {improved} of {improved.members} members, in the median from "
            f"{np.median(early):.3g} to {np.median(late):.3g}; {reached} reach He's "
            f"median cost after {STEPS:,} steps, {he:.3g}. Test accuracy rises in "
            f"{better} and falls in {worse}, in the median from "
            f"{np.median(before):.2f} to {np.median(after):.2f}. (These trainings are "
            "chaotic: single members mean nothing)"
        ),
        numbers={
            "cost_falls": _numbers(improved),
            "reaches_he": _numbers(reached),
            "test_accuracy_rises": _numbers(better),
            "test_accuracy_falls": _numbers(worse),
            "median_cost": [float(np.median(early)), float(np.median(late))],
        },
    )


def _longer_picture(results: Results) -> Figure:
    found = results["circles"]
    curves = {
        f"randn x 10, step {step:,}": _costs(found, _TEN, step)
        for step in (STEPS, 2 * STEPS, _LONGER)
    }
    curves[f"He, step {STEPS:,}"] = _costs(results["he"], _HE, STEPS)
    return _figure(
        figures.distributions(curves, quantity="training cost (nats)", logarithmic=True)
    )


DEPTHS = (2, 4, 8, 16)  # hidden layers of 10 units
_DEPTH_STEPS = 5_000
_DEPTH_INITS = (_HE, _XAVIER, _ONE)


def _depth_studies(members: int) -> dict[str, Study]:
    # Deep networks cost more: a quarter of the members, a third of the steps.
    return {
        str(depth): _study(
            max(members // 4, 1),
            list(_DEPTH_INITS),
            network=MLP(widths=(2, *[10] * depth, 1)),
            steps=_DEPTH_STEPS,
        )
        for depth in DEPTHS
    }


def _depth_costs(results: Results, init: str) -> np.ndarray:
    return np.stack(
        [_costs(results[str(depth)], init, _DEPTH_STEPS) for depth in DEPTHS]
    )


def _depth_answer(results: Results) -> Answer:
    costs = {init: _depth_costs(results, init) for init in _DEPTH_INITS}
    wins = {
        depth: {
            init: share(costs[_HE][row] < costs[init][row]) for init in (_XAVIER, _ONE)
        }
        for row, depth in enumerate(DEPTHS)
    }
    first, last = DEPTHS[0], DEPTHS[-1]
    return Answer(
        verdict=_verdict(*wins[last].values()),
        sentence=(
            f"{_OF}, training cost at step {_DEPTH_STEPS:,}, layers of 10 units: with "
            f"{first} hidden layers He ends below sqrt(1/n) in {wins[first][_XAVIER]} "
            f"and below randn x 1 in {wins[first][_ONE]} of "
            f"{wins[first][_ONE].members} members; with {last}, below sqrt(1/n) in "
            f"{wins[last][_XAVIER]} and below randn x 1 in {wins[last][_ONE]} (a "
            "diverged member counts as the highest cost). Medians with "
            f"{last}: He {np.median(costs[_HE][-1]):.3g}, sqrt(1/n) "
            f"{np.median(costs[_XAVIER][-1]):.3g}, x 1 {np.median(costs[_ONE][-1]):.3g}"
        ),
        numbers={
            str(depth): {
                "he_below_sqrt_1_n": _numbers(wins[depth][_XAVIER]),
                "he_below_x1": _numbers(wins[depth][_ONE]),
                "median_cost": {
                    init: float(np.median(costs[init][row])) for init in _DEPTH_INITS
                },
            }
            for row, depth in enumerate(DEPTHS)
        },
    )


def _depth_picture(results: Results) -> Figure:
    ax = figures.along(
        DEPTHS,
        {_NAMES[init]: _depth_costs(results, init) for init in _DEPTH_INITS},
        axis_name="hidden layers of 10 units",
        quantity=f"training cost at step {_DEPTH_STEPS:,} (nats)",
    )
    ax.set_ylim(0, 1.2)  # above: exploded
    return _figure(ax)


CLAIMS: Mapping[str, Claim] = {
    claim.name: claim
    for claim in (
        Claim(
            name="best",
            statement="He is the best of the three",
            studies=lambda members: {"circles": _study(members, list(_NAMES))},
            answer=_best_answer,
            draw=_best_picture,
        ),
        Claim(
            name="zeros",
            statement="zeros cannot learn",
            studies=_zeros_studies,
            answer=_zeros_answer,
            draw=_zeros_picture,
        ),
        Claim(
            name="extremes",
            statement="randn is better than rand because it avoids the extremes",
            studies=lambda members: {
                "circles": _study(members, [_RANDN, _POSITIVE, _MATCHED])
            },
            answer=_rand_answer,
            draw=_rand_picture,
        ),
        Claim(
            name="longer",
            statement="train the large random network longer and it improves",
            studies=lambda members: {
                "circles": _study(members, [_TEN], steps=_LONGER),
                "he": _study(members, [_HE]),
            },
            answer=_longer_answer,
            draw=_longer_picture,
        ),
        Claim(
            name="depth",
            statement="He wins with depth",
            studies=_depth_studies,
            answer=_depth_answer,
            draw=_depth_picture,
        ),
    )
}
