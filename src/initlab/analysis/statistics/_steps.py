"""How many steps until a loss is reached."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from initlab.analysis.statistics._members import Summary, summarize
from initlab.analysis.statistics._shares import Share, share


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsTo:
    """When an init's members first record a loss at or under a target.

    Every member is watched for equally long, and one that diverged never arrives; so
    the members that did not arrive rank behind all that did, and quantiles need no
    model of what would have come. An infinite quantile reads "not within the run".

    Attributes:
        target: The loss.
        steps: Of the members' first records there; infinite: not within the run.
        reached: Members that arrived.
    """

    target: float
    steps: Summary
    reached: Share


def steps_to(
    target: float,
    loss: Float[np.ndarray, "member step"],
    recorded_steps: Int[np.ndarray, "step"],
) -> StepsTo:
    """Return when the members reach a loss.

    Args:
        target: The loss to reach.
        loss: NaN where a member diverged.
        recorded_steps: The step of each record.

    Example:
        >>> loss = np.array([[1.0, 0.4, 0.1], [1.0, 0.8, 0.4], [1.0, 1.0, 1.0]])
        >>> found = steps_to(0.5, loss, np.array([0, 100, 200]))
        >>> found.steps.median, found.reached.count
        (200.0, 2)
    """
    there = loss <= target  # NaN is not
    arrived = there.any(axis=1)
    first = np.where(arrived, recorded_steps[there.argmax(axis=1)], np.inf)
    return StepsTo(
        target=target,
        steps=summarize(first, worst=np.inf),
        reached=share(int(arrived.sum()), len(loss)),
    )
