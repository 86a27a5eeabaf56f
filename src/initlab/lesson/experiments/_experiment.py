"""What an experiment is, and what several of them share."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.figure import Figure

from initlab.spec import SignalStudy, to_toml
from initlab.study import signal

Progress = Callable[[int, int], None]
Data = dict[str, tuple[tuple[str, ...], Any, str, str]]

MEMBERS = 10  # networks per init, where whole networks are measured
SPREAD = "in parentheses: 5 % to 95 % of the members"
_ENDS = (0.05, 0.95)
_SHARED = ("units", "input_rms")  # what studies of equal widths and inputs share
_NORMAL_95 = 1.959964  # of a normal distribution, 95 % lie within so many errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an experiment's data says.

    Attributes:
        sentence: With the numbers, and their spreads or intervals.
        numbers: What the sentence is made of.
    """

    sentence: str
    numbers: Mapping[str, Any]


class Run(Protocol):
    """Runs an experiment; the same seed gives the same bytes."""

    def __call__(
        self, *, seed: int = 3, progress: Progress | None = None
    ) -> xr.Dataset: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A classic experiment: run it, read its sentence, look at its picture.

    Attributes:
        name: To ask for it.
        question: What it asks.
        run: Returns its data, in seconds; the same seed gives the same bytes.
        answer: From its data alone.
        draw: Its picture, from its data alone.
    """

    name: str
    question: str
    run: Run
    answer: Callable[[xr.Dataset], Answer]
    draw: Callable[[xr.Dataset], Figure]


def dataset(
    name: str,
    seed: int,
    variables: Data,
    coordinates: Mapping[str, Any],
    **attributes: Any,
) -> xr.Dataset:
    """Return labelled data; each variable is (dims, values, units, what it is)."""
    return xr.Dataset(
        {
            variable: (dims, values, {"units": units, "long_name": about})
            for variable, (dims, values, units, about) in variables.items()
        },
        coords=dict(coordinates),
        attrs={"kind": "experiment", "experiment": name, "seed": seed, **attributes},
    )


def signals(
    name: str,
    dimension: str,
    studies: Mapping[str, SignalStudy],
    progress: Progress | None,
) -> xr.Dataset:
    """Return the studies' signals at step 0 along a new dimension.

    Args:
        name: Of the experiment.
        dimension: That tells the studies apart.
        studies: By label along it; with equal inits, widths and seed.
        progress: Told layers done and in all, over all studies.
    """
    found = []
    for number, study in enumerate(studies.values()):

        def tell(done: int, total: int, number: int = number) -> None:
            if progress is not None:
                progress(number * total + done, len(studies) * total)

        measured = signal(study, threads=1, progress=tell)
        found.append(measured.isel(step=0, stage=0, drop=True))
    together = xr.concat(
        found,
        dim=xr.Variable(dimension, list(studies)),
        data_vars=[name for name in found[0].data_vars if name not in _SHARED],
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )
    seeds = {study.seed for study in studies.values()}
    specs = json.dumps({label: to_toml(study) for label, study in studies.items()})
    attributes = {"kind": "experiment", "experiment": name, "seed": seeds.pop()}
    together.attrs = attributes | {"specs": specs}
    return together


def ends(values: Float[np.ndarray, "member *rest"]) -> Float[np.ndarray, "two *rest"]:
    """Return the spread, 5 % and 95 % quantiles: each is some member's number."""
    return np.quantile(values, _ENDS, axis=0, method="inverted_cdf")


def spread(values: Float[np.ndarray, "member"], form: str = ".2g") -> str:
    """Return the median and, in parentheses, the spread over members.

    Example:
        >>> spread(np.arange(21.0))
        '10 (1 to 19)'
    """
    low, high = ends(values)
    return f"{np.median(values):{form}} ({low:{form}} to {high:{form}})"


def numbers(values: Float[np.ndarray, "member"]) -> dict[str, Any]:
    """Return median and spread as an answer's numbers."""
    low, high = ends(values)
    return {"median": float(np.median(values)), "spread": [float(low), float(high)]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over independent members, with its standard error."""

    value: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence, by the normal distribution."""
        reach = _NORMAL_95 * self.error
        return self.value - reach, self.value + reach

    def as_numbers(self) -> dict[str, Any]:
        """Return it as an answer's numbers."""
        return {"mean": self.value, "interval": list(self.interval)}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.4g} [{low:.4g}, {high:.4g}]"


def mean(values: Float[np.ndarray, "member"]) -> Mean:
    """Return the mean over members with its standard error.

    Example:
        >>> str(mean(np.array([1.0, 2.0, 3.0])))
        '2 [0.8684, 3.132]'
    """
    error = values.std(ddof=1) / np.sqrt(len(values))
    return Mean(value=float(values.mean()), error=float(error))
