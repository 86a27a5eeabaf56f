"""How training went: whether it ended well, died, diverged, or was too short."""

import numpy as np

from initlab.analysis._cause import Cause, Evidence, large_inputs
from initlab.analysis._run import Run
from initlab.analysis._start_rules import (
    copied_layer,
    few_distinct,
    inactive_evidence,
    inactive_layer,
    mostly_inactive,
    oversized_start,
    scaled_gradient,
)

# A final loss under this share of a constant output's is training, whatever the start.
TRAINED = 0.3
# Under this one it is training too, if no fault was measured.
TRAINED_WITHOUT_FAULT = 0.5
LEARNED_IN_PART = 0.95
# A healthy `scaled_gradient` at the end, and weights that moved by less than this
# share of their size: the training was short, whatever the start is like.
HEALTHY_GRADIENT, HARDLY_MOVED = 0.03, 0.2
# A gradient that kept this share of its norm: the loss fell along one slope.
ONE_SLOPE = 0.25
# Fall of the loss over the last tenth, as a share of the baseline.
STILL_FALLING = 0.005
# How many records, and which share of them, had a loss over 2 % above the last one's.
UNSTABLE_RECORDS, UNSTABLE_SHARE, UNSTABLE_RISE = 5, 0.2, 1.02
# A loss that is still rising at the end, so many times that of the start or of a
# constant output, whichever is larger.
RISEN = 2.0
# A first step that changes a layer's weights by more than this share of their size.
LARGE_UPDATE = 0.1


def diverged(run: Run) -> Cause | None:
    """A loss or weight was not finite."""
    if run.diverged_step < 0:
        return None
    evidence: Evidence = {"step": run.diverged_step}
    if run.last < 0:
        return Cause("not_finite_at_start", evidence)
    evidence |= {"first_loss": run.first_loss, "baseline_loss": run.baseline}
    evidence |= large_inputs(run)
    if oversized_start(run):
        return Cause("diverged_from_oversized_outputs", evidence)
    return Cause("diverged", evidence | _large_first_update(run))


def trained(run: Run) -> Cause | None:
    """The final loss is far below a constant output's."""
    return _training(run) if run.remaining <= TRAINED else None


def trained_without_fault(run: Run) -> Cause | None:
    """The final loss is well below a constant output's, and no fault was found."""
    return _training(run) if run.remaining <= TRAINED_WITHOUT_FAULT else None


def _training(run: Run) -> Cause:
    evidence: Evidence = {"final_loss": run.final_loss, "baseline_loss": run.baseline}
    copies = copied_layer(run)
    if copies is None:
        return Cause("trained", evidence)
    evidence |= {"layer": copies + 1, "units": int(run.units[copies])}
    return Cause("trained_with_copies", evidence)


def rising(run: Run) -> Cause | None:
    """The loss rises to the end: on its way to a divergence, only not there yet."""
    risen = run.final_loss > RISEN * max(run.first_loss, run.baseline)
    if not risen or _last_tenth(run) >= 0:
        return None
    evidence: Evidence = {
        "learning_rate": run.learning_rate,
        "steps": int(run.steps[-1]),
        "first_loss": run.first_loss,
        "final_loss": run.final_loss,
    }
    return Cause("rising_loss", evidence | large_inputs(run) | _large_first_update(run))


def died_in_training(run: Run) -> Cause | None:
    """A whole layer is flat on every example at the end, and was not at the start."""
    layer = inactive_layer(run, run.last, 1.0)
    if layer is None:
        return None
    inactive = run.layers["inactive_units"][:, layer] == run.units[layer]
    record = min(len(inactive) - int(np.argmin(inactive[::-1])), run.last)
    evidence = inactive_evidence(run, layer, record) | large_inputs(run)
    peak = float(np.nanmax(run.loss))
    if peak > max(run.first_loss, run.baseline) * UNSTABLE_RISE:
        evidence["peak_loss"] = peak
    return Cause("died_in_training", evidence | _large_first_update(run))


def too_little_training(run: Run) -> Cause | None:
    """The gradient is healthy to the end, and yet the weights hardly moved.

    The learning rate is to blame where the gradient kept its norm, so that more of the
    same steps would have gone on along the same slope, and no units are missing.
    """
    gradient = run.layers["gradient_norm"]
    moved = _movement(run)
    healthy = scaled_gradient(run, run.last).max() >= HEALTHY_GRADIENT
    if moved > HARDLY_MOVED or not healthy or _last_tenth(run) <= 0:
        return None
    evidence: Evidence = {
        "learning_rate": run.learning_rate,
        "steps": int(run.steps[-1]),
        "weight_change": moved,
        "first_loss": run.first_loss,
        "final_loss": run.final_loss,
        "gradient_norm": float(gradient[run.last].max()),
    }
    kept = gradient[run.last].max() >= ONE_SLOPE * gradient[0].max()
    if kept and few_distinct(run) is None and mostly_inactive(run) is None:
        return Cause("learning_rate_too_small", evidence)
    return Cause("too_little_training", evidence)


def unstable(run: Run) -> Cause | None:
    """The loss went up and down."""
    rose = run.loss[1:] > UNSTABLE_RISE * run.loss[:-1]
    if rose.sum() < UNSTABLE_RECORDS or rose.mean() < UNSTABLE_SHARE:
        return None
    evidence: Evidence = {
        "rises": int(rose.sum()),
        "records": len(rose),
        "learning_rate": run.learning_rate,
    }
    return Cause("unstable", evidence | _large_first_update(run))


def unfinished(run: Run) -> Cause | None:
    """The loss was still falling when training stopped."""
    fell = _last_tenth(run)
    if fell < STILL_FALLING * run.baseline:
        return None
    evidence: Evidence = {
        "final_loss": run.final_loss,
        "fall_in_last_tenth": fell,
        "steps": int(run.steps[-1]),
    }
    return Cause("unfinished", evidence)


def learned_in_part(run: Run) -> Cause | None:
    """The loss settled under a constant output's, and not far under."""
    if not run.remaining <= LEARNED_IN_PART:
        return None
    return Cause(
        "learned_in_part",
        {"final_loss": run.final_loss, "baseline_loss": run.baseline},
    )


def unknown(run: Run) -> Cause:
    """No rule applied: the numbers that one would look at first."""
    gradient = np.linalg.norm(run.layers["gradient_norm"], axis=1)
    return Cause(
        "unknown",
        {
            "final_loss": run.final_loss,
            "baseline_loss": run.baseline,
            "first_gradient_norm": float(gradient[0]),
            "final_gradient_norm": float(gradient[-1]),
        },
    )


def _movement(run: Run) -> float:
    """Return how far the weights moved in all, as a share of their starting size.

    Where they started smaller than weights with rows of norm 1, as a share of those.
    """
    start = float(np.linalg.norm(run.at("weight_norm", 0)))
    moved = float(np.linalg.norm(run.at("weight_distance", run.last)))
    return moved / max(start, float(np.sqrt(run.units.sum())))


def _last_tenth(run: Run) -> float:
    """Return by how much the loss fell over the last tenth of the steps."""
    earlier = int(np.searchsorted(run.steps, 0.9 * run.steps[-1]))
    return float(run.loss[min(earlier, len(run.loss) - 2)] - run.loss[-1])


def _large_first_update(run: Run) -> Evidence:
    """Return the layer that the first step changes most, if by a tenth or more."""
    weight, gradient = run.at("weight_norm", 0), run.at("gradient_norm", 0)
    if not run.plain_first_step or not (weight > 0).all():
        return {}
    change = run.learning_rate * gradient / weight
    layer = int(np.argmax(change))
    if change[layer] < LARGE_UPDATE:
        return {}
    return {"update_layer": layer + 1, "first_update": float(change[layer])}
