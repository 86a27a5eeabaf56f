"""A cause: what happened to one network, as an id and the numbers that prove it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from initlab.analysis._run import Run
from initlab.messages import CauseId

Number = float | int
Evidence = dict[str, Number]


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened to one network; `initlab.messages` has the sentence for each id."""

    id: CauseId
    evidence: Evidence = field(default_factory=dict)


# A rule looks at one run and gives a cause, if it applies.
Rule = Callable[[Run], Cause | None]

# Inputs whose root mean square lies outside: larger ones are part of what saturates,
# dies or diverges, smaller ones only of what vanishes.
USUAL_INPUTS = (0.1, 10.0)


def large_inputs(run: Run) -> Evidence:
    """Return the size of the inputs as evidence, where they are unusually large."""
    return {"input_rms": run.input_rms} if run.input_rms > USUAL_INPUTS[1] else {}
