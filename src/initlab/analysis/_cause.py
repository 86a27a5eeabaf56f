"""A cause: what happened to one network, as an id and the numbers that prove it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from initlab.analysis._run import Run

Number = float | int
Evidence = dict[str, Number]


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened to one network; `initlab.messages` has the sentence for each id."""

    id: str
    evidence: Evidence = field(default_factory=dict)


# A rule looks at one run and gives a cause, if it applies.
Rule = Callable[[Run], Cause | None]

# Inputs whose root mean square lies outside are part of what saturates or vanishes.
USUAL_INPUTS = (0.1, 10.0)


def inputs(run: Run) -> Evidence:
    """Return the size of the inputs as evidence, where it is unusual."""
    low, high = USUAL_INPUTS
    return {} if low <= run.input_rms <= high else {"input_rms": run.input_rms}
