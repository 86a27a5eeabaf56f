"""What a claim is, and what the answers to all of them need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from initlab.analysis import statistics
from initlab.spec import Study

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
        """95 % confidence (Wilson 1927), as everywhere."""
        return statistics.share(self.count, self.members).interval

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.0%} [{low:.0%}, {high:.0%}]"


def share(holds: np.ndarray) -> Share:
    """Return the share of members for which it holds."""
    return Share(count=int(holds.sum()), members=holds.size)


def verdict(*parts: Share) -> str:
    """Return the verdict of a claim whose parts hold for most members, or do not."""
    votes = {
        "true" if low > 0.5 else "false" if high < 0.5 else "not shown"
        for low, high in (part.interval for part in parts)
    }
    return votes.pop() if len(votes) == 1 else "true in part"


def study_of(members: int, inits: list[Any], **choices: Any) -> Study:
    asked: dict[str, Any] = {
        "members": members,
        "inits": inits,
        "seed": 0,
        "steps": STEPS,
        "record_every": RECORDS,
        "learning_rate": LEARNING_RATE,
    }
    return Study(**(asked | choices))


def costs_of(results: xr.Dataset, init: str, step: int | None = None) -> np.ndarray:
    """Return every member's cost, the last printed one; infinite where it diverged."""
    at = LAST_PRINTED if step is None else step
    costs = results.loss.sel(init=init, step=at).values
    return np.where(np.isnan(costs), np.inf, costs)


def accuracies_of(results: xr.Dataset, init: str) -> np.ndarray:
    return results.test_accuracy.sel(init=init).isel(step=-1).values


def spread(costs: np.ndarray) -> str:
    """Return median and spread as the lesson's table has them."""
    low, high = np.quantile(costs, (0.05, 0.95))
    return f"{np.median(costs):.3g} ({low:.2g} to {high:.2g})"


OF = f"At learning rate {LEARNING_RATE} on circles, full batch"
HE, XAVIER = "he_normal", "lecun_normal"
ONE, TEN = "normal(std=1)", "normal(std=10)"
NAMES = {
    HE: "He, sqrt(2/n)",
    XAVIER: "sqrt(1/n)",
    ONE: "randn x 1",
    TEN: "randn x 10",
}


def numbers_of(counted: Share) -> dict[str, Any]:
    return {
        "share": counted.value,
        "interval": list(counted.interval),
        "count": counted.count,
        "members": counted.members,
    }


def figure_of(ax: Any) -> Figure:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure
