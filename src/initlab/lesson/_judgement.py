"""Printed numbers against the lesson's: to how many digits, and why not to more.

Digits that nobody can reproduce are not asserted but measured: the lesson's network is
trained again from weights changed by one unit in the last place.
"""

import importlib.resources
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from initlab.lesson._printed import CostRun, Number, Printed
from initlab.messages import lesson as texts

PROBLEMS = ("circles", "moons")
INITS = ("zeros", "normal(std=10)", "he_normal")
# As `initialization=` is spelled in public copies.
_CALLED = {"zero": "zeros", "random": "normal(std=10)", "he": "he_normal"}

LEGACY_SEED = 3
LAYERS = (2, 10, 5, 1)
COPIES = 4
# Fewer digits than these need a reason; library versions change the last ones.
ENOUGH_DIGITS = 12
# Where a last-place change moves a cost by more than this share of it, the training
# is chaotic; the lesson's stable rows move by 3e-16.
CHAOTIC = 1e-9
# How far, in measured spreads, a number of the lesson's own may lie: the four printed
# documents are up to 6 spreads of four copies apart.
SPREADS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What one-ulp changes of the starting weights do to a training's costs.

    Attributes:
        costs: By iteration, from the lesson's own weights; true at iteration 0 too.
        widths: By iteration, the largest distance of a changed copy's cost from it.
        copies: How many changed copies were trained.
    """

    costs: Mapping[int, float]
    widths: Mapping[int, float]
    copies: int

    @property
    def relative(self) -> float:
        """The largest width as a share of its cost."""
        return max(self.widths[step] / self.costs[step] for step in self.costs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How one printed training compares with the lesson's.

    Attributes:
        cell: The code cell, from 1.
        init, problem: Which of the lesson's trainings it is; None: none of them.
        kind: `"agrees"`, `"chaotic"`, `"other code"` or `"unknown"`.
        digits: Significant digits that all compared costs share with the lesson's.
        compared: How many costs were compared.
        accuracies: Pairs of printed and expected, train then test.
        sentence: The same in words.
    """

    cell: int
    init: str | None
    problem: str | None
    kind: str
    digits: int | None = None
    compared: int = 0
    accuracies: tuple[tuple[float, float], ...] = ()
    spread: float | None = None
    sentence: str = ""
    remarks: tuple[str, ...] = field(default=())


Measure = Callable[[str, str, int], Spread]


def judge(printed: Printed, measure: Measure) -> list[Judgement]:
    """Return a judgement for every training that was printed.

    Args:
        printed: Of `printed_in`.
        measure: Gives the spread of (problem, init, last iteration); asked only where
            digits are missing.
    """
    matched = [_best_match(run) for run in printed.runs]
    known = [match[0] for match in matched if match and match[1] != "zeros"]
    problem = max(PROBLEMS, key=known.count)
    return [
        _judged(run, match, problem, measure)
        for run, match in zip(printed.runs, matched, strict=True)
    ]


def _judged(
    run: CostRun, match: tuple[str, str] | None, problem: str, measure: Measure
) -> Judgement:
    if match is None:
        init = next((full for stem, full in _CALLED.items() if _is(run, stem)), None)
        if init is None:
            return Judgement(
                cell=run.cell,
                init=None,
                problem=None,
                kind="unknown",
                sentence=texts.not_of_the_lesson(len(run.costs)),
            )
    else:
        init = match[1]
        if init != "zeros":  # whose costs are the same on both
            problem = match[0]
    reference = lesson_numbers()[problem][init]
    pairs = dict(_comparable(run, reference["costs"]))
    digits = min(digits_shared(*pair) for pair in pairs.values())
    of_all = all(
        digits_shared(*pair) >= min(_digits_of(pair[0].text), ENOUGH_DIGITS)
        for pair in pairs.values()
    )
    accuracies = tuple(
        (number.value, reference[f"{split}_accuracy"])
        for number, split in zip(run.accuracies, ("train", "test"), strict=False)
    )
    remarks = []
    spread = None
    kind = "agrees" if of_all else "other code"
    sentence = texts.agrees(digits, len(pairs))
    infinite = run.costs.get(0)
    if infinite is not None and math.isinf(infinite.value):
        spread = measure(problem, init, max(pairs))
        remarks.append(texts.round_off(spread.costs[0]))
    if not of_all:
        spread = spread or measure(problem, init, max(pairs))
        worst = max(pairs, key=lambda step: _excess(pairs[step], spread, step))
        off = abs(pairs[worst][0].value - pairs[worst][1])
        width = _width(spread, worst)
        if spread.relative > CHAOTIC and off <= SPREADS * width:
            kind = "chaotic"
            widest = max(spread.widths[step] for step in pairs)
            sentence = texts.chaotic(digits, len(pairs), widest, spread.copies)
        else:
            sentence = texts.other_code(worst, off, width, spread.copies)
    return Judgement(
        cell=run.cell,
        init=init,
        problem=problem,
        kind=kind,
        digits=digits,
        compared=len(pairs),
        accuracies=accuracies,
        spread=None if spread is None else spread.relative,
        sentence=sentence,
        remarks=tuple(remarks),
    )


def _is(run: CostRun, stem: str) -> bool:
    return run.called is not None and run.called.lower().startswith(stem)


def _excess(pair: tuple[Number, float], spread: Spread, step: int) -> float:
    return abs(pair[0].value - pair[1]) / max(_width(spread, step), 1e-300)


def _width(spread: Spread, step: int) -> float:
    """Return the widest spread up to this step: what went apart may meet again."""
    return max(width for at, width in spread.widths.items() if at <= step)


def _comparable(
    run: CostRun, reference: list[float | None]
) -> Iterable[tuple[int, tuple[Number, float]]]:
    for step, number in run.costs.items():
        index, remainder = divmod(step, 1000)
        if remainder or index >= len(reference) or not math.isfinite(number.value):
            continue
        expected = reference[index]
        if expected is not None:
            yield step, (number, expected)


def _best_match(run: CostRun) -> tuple[str, str] | None:
    """Return which training of the lesson begins like this one."""
    best: tuple[int, tuple[str, str] | None] = (0, None)
    for problem in PROBLEMS:
        for init in INITS:
            pairs = dict(_comparable(run, lesson_numbers()[problem][init]["costs"]))
            first = [digits_shared(*pairs[step]) for step in sorted(pairs)[:2]]
            # A constant cost agrees with zeros alone; others begin with two digits.
            if len(first) == 2 and min(first) >= 2 and sum(first) > best[0]:
                best = (sum(first), (problem, init))
    return best[1]


def digits_shared(printed: Number, expected: float) -> int:
    """Return how many significant digits a printed number shares with the expected.

    All that are printed count as shared where the expected number rounds to them.

    Example:
        >>> digits_shared(Number(text="0.6931"), 0.6931471805599453)
        4
        >>> digits_shared(Number(text="0.6935"), 0.6931471805599453)
        3
    """
    all_of_them = _digits_of(printed.text)
    value = printed.value
    decimals = len(printed.text.split("e")[0].partition(".")[2])
    if value == expected or (
        "e" not in printed.text.lower() and round(expected, decimals) == value
    ):
        return all_of_them
    if not math.isfinite(value):
        return 0
    off = abs(value - expected) / abs(expected)
    return max(0, min(all_of_them, math.floor(-math.log10(off))))


def _digits_of(text: str) -> int:
    mantissa = text.lower().split("e")[0].lstrip("+-").replace(".", "")
    return min(17, len(mantissa.lstrip("0")) or 1)


@cache
def lesson_numbers() -> dict[str, Any]:
    """Return every number that the lesson's documents print."""
    file = importlib.resources.files("initlab.lesson") / "printed.json"
    return json.loads(file.read_text(encoding="utf-8"))


def examples_printed(printed: Printed) -> dict[str, tuple[int, bool]]:
    """Return, per init, the cell that prints its example parameters, and if they agree.

    The lesson calls each initializer once on a small network and prints W1, b1, W2, b2.
    """
    found: dict[str, tuple[int, bool]] = {}
    for init, example in lesson_numbers()["examples"].items():
        expected = [
            np.ravel(example[name]).tolist() for name in ("W1", "b1", "W2", "b2")
        ]
        flat = [value for part in expected for value in part]
        for cell, numbers in printed.numbers.items():
            if init not in found and _contains(numbers, flat):
                found[init] = (cell, True)
    return found


def _contains(numbers: tuple[float, ...], wanted: list[float]) -> bool:
    """Say whether the numbers stand one after another, as far as they are printed."""
    span = len(wanted)
    if len(numbers) < span:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(np.array(numbers), span)
    return bool(np.isclose(windows, wanted, rtol=1e-6, atol=1e-8).all(axis=1).any())


@cache
def measured_spread(problem: str, init: str, last: int) -> Spread:
    """Train the lesson's network as it is and from one-ulp changes of its weights.

    Args:
        problem: `"circles"` or `"moons"`.
        init: As in `INITS`.
        last: The last iteration that is looked at.
    """
    from initlab.catalog import draw
    from initlab.spec import Study
    from initlab.study import run

    rng, nudges = np.random.RandomState(LEGACY_SEED), np.random.default_rng(0)
    members = []
    for shape in zip(LAYERS[1:], LAYERS[:-1], strict=True):
        weight = draw(init, shape, rng=rng)
        copies = [weight, *(_nudged(weight, nudges) for _ in range(COPIES))]
        members.append((np.stack(copies), np.zeros((len(copies), shape[0]))))
    study = Study(problem=problem, inits=[init], members=1 + COPIES, steps=max(last, 1))
    label = study.inits[0].label
    loss = run(study, weights={label: members}).loss.sel(init=label)
    steps = range(0, last + 1, 1000)
    values = loss.sel(step=list(steps)).values
    return Spread(
        costs=dict(zip(steps, values[0].tolist(), strict=True)),
        widths=dict(
            zip(steps, np.abs(values[1:] - values[0]).max(axis=0).tolist(), strict=True)
        ),
        copies=COPIES,
    )


def _nudged(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the weight with every entry moved to a neighbouring number, up or down."""
    towards = np.where(rng.random(weight.shape) < 0.5, -np.inf, np.inf)
    return np.nextafter(weight, towards)
