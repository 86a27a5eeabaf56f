"""Faults of the start: copies, inactive and saturated units, signals that vanish.

Thresholds were set on runs of 1 to 30 layers, all activations and losses; the tests
hold the runs that they must tell apart.
"""

import numpy as np

from initlab.analysis._cause import USUAL_INPUTS, Cause, Evidence, large_inputs
from initlab.analysis._run import Run
from initlab.messages import CauseId

# Saturated from the start: this share of the outputs, and a first loss that exceeds
# that of a constant output by this much (nats).
SATURATED_OUTPUTS, SATURATED_EXCESS = 0.3, 1.0
SATURATED_UNITS = 0.5
# A hidden layer's units that are flat on every example.
MOSTLY_INACTIVE = 0.8
# Outputs this many times larger than the targets, for squared errors.
OVERSIZED = 10.0
# `scaled_gradient` of a healthy start is 0.1 to 10; tiny weights have 1e-2 and less.
FAINT_GRADIENT = 0.01
# Ratio of gradient norms at the two ends of the hidden layers.
GRADIENT_RATIO = 1e-3


def copied_layer(run: Run) -> int | None:
    """Return the first hidden layer whose units are all copies of one, to the end."""
    first = run.at("distinct_units", 0)
    final = run.at("distinct_units", run.last)
    for layer in run.hidden:
        if run.units[layer] > 1 and first[layer] == 1 and final[layer] == 1:
            return layer
    return None


def all_copies(run: Run) -> Cause | None:
    """All units of a hidden layer have the same incoming and outgoing weights."""
    layer = copied_layer(run)
    if layer is None:
        return None
    evidence: Evidence = {
        "layer": layer + 1,
        "units": int(run.units[layer]),
        "distinct_units": 1,
        "final_loss": run.final_loss,
        "baseline_loss": run.baseline,
    }
    return Cause("symmetric_units", evidence)


def few_distinct(run: Run) -> Cause | None:
    """More than half of a layer's units are copies, at the start and at the end."""
    distinct = np.maximum(
        run.at("distinct_units", 0), run.at("distinct_units", run.last)
    )
    copied = [layer for layer in run.hidden if distinct[layer] < run.units[layer] / 2]
    if not copied:
        return None
    layer = min(copied, key=lambda layer: distinct[layer] / run.units[layer])
    evidence: Evidence = {
        "layer": layer + 1,
        "units": int(run.units[layer]),
        "distinct_units": int(distinct[layer]),
    }
    return Cause("copied_units", evidence)


def inactive_layer(run: Run, record: int, share: float) -> int | None:
    """Return the hidden layer with most inactive units, if at least that share is."""
    inactive = run.at("inactive_units", record) / run.units
    flat = [layer for layer in run.hidden if inactive[layer] >= share]
    return max(flat, key=lambda layer: inactive[layer]) if flat else None


def inactive_evidence(run: Run, layer: int, record: int) -> Evidence:
    """Return how many units are inactive at a record, and were at the start."""
    return {
        "layer": layer + 1,
        "units": int(run.units[layer]),
        "inactive_units": int(run.at("inactive_units", record)[layer]),
        "inactive_at_start": int(run.at("inactive_units", 0)[layer]),
        "step": int(run.steps[record]),
    }


def inactive_from_the_start(run: Run) -> Cause | None:
    """A whole hidden layer is flat on every example, from the start to the end."""
    layer = inactive_layer(run, 0, 1.0)
    if layer is None or run.at("inactive_units", run.last)[layer] < run.units[layer]:
        return None
    return Cause("inactive_units", inactive_evidence(run, layer, 0))


def mostly_inactive(run: Run) -> Cause | None:
    """Most of a hidden layer is flat on every example at the start."""
    layer = inactive_layer(run, 0, MOSTLY_INACTIVE)
    if layer is None:
        return None
    return Cause("mostly_inactive_units", inactive_evidence(run, layer, 0))


def oversized_start(run: Run) -> bool:
    """Whether the outputs are far too large before the first update."""
    if run.squared_error:
        outputs = float(run.at("activation_rms", 0)[-1])
        return bool(outputs > OVERSIZED * np.sqrt(run.baseline))
    certain = run.at("saturated_share", 0)[-1]
    excess = run.first_loss - run.baseline
    return bool(certain >= SATURATED_OUTPUTS and excess >= SATURATED_EXCESS)


def saturated_outputs(run: Run) -> Cause | None:
    """The network starts certain and wrong, or far off its targets."""
    if not oversized_start(run):
        return None
    evidence: Evidence = {
        "first_loss": run.first_loss,
        "baseline_loss": run.baseline,
        "final_loss": run.final_loss,
        **large_inputs(run),
    }
    if run.squared_error:
        evidence["output_rms"] = float(run.at("activation_rms", 0)[-1])
        evidence["target_std"] = float(np.sqrt(run.baseline))
        return Cause("oversized_outputs", evidence)
    evidence["saturated_share"] = float(run.at("saturated_share", 0)[-1])
    return Cause("saturated_outputs", evidence)


def saturated_units(run: Run) -> Cause | None:
    """Most activations of a layer of tanh, sigmoid or erf are on the flat ends."""
    share = run.at("saturated_share", 0)
    saturated = [layer for layer in run.hidden if share[layer] >= SATURATED_UNITS]
    if not run.saturating or not saturated:
        return None
    layer = max(saturated, key=lambda layer: share[layer])
    evidence: Evidence = {
        "layer": layer + 1,
        "saturated_share": float(share[layer]),
        **large_inputs(run),
    }
    return Cause("saturated_units", evidence)


def scaled_gradient(run: Run, record: int) -> np.ndarray:
    """Return gradient norms times that of a weight with rows of norm 1, per layer.

    In units of a constant output's loss; for squared errors in those of the targets,
    to which the gradient of small outputs is proportional.
    """
    unit = np.sqrt(run.baseline) if run.squared_error else run.baseline
    return run.at("gradient_norm", record) * np.sqrt(run.units) / unit


def faint_gradient(run: Run) -> Cause | None:
    """No layer has a gradient to speak of: the weights are too small."""
    if not run.hidden or scaled_gradient(run, 0).max() > FAINT_GRADIENT:
        return None
    evidence: Evidence = {
        "gradient_norm": float(run.at("gradient_norm", 0).max()),
        "first_spread": float(run.at("activation_spread", 0)[0]),
        "output_spread": float(run.at("activation_spread", 0)[-1]),
        "layers": len(run.units),
        **_small_inputs(run),
    }
    return Cause("vanishing_signal", evidence)


def _small_inputs(run: Run) -> Evidence:
    """Return the size of the inputs, where they are why the gradient is faint.

    The gradient is at least proportional to them: with inputs of size 1 it would not be
    faint.
    """
    if run.input_rms >= USUAL_INPUTS[0]:
        return {}
    blamed = scaled_gradient(run, 0).max() > FAINT_GRADIENT * run.input_rms
    return {"input_rms": run.input_rms} if blamed else {}


def uneven_gradient(run: Run) -> Cause | None:
    """The gradient decays or grows on its way through the hidden layers.

    The output layer is left out: a small or zero head weakens the gradient of every
    layer below it alike, recovers at once, and is often meant.
    """
    gradient = run.at("gradient_norm", 0)
    if len(run.hidden) < 2 or gradient[-2] == 0:
        return None
    ratio = float(gradient[0] / gradient[-2])
    if GRADIENT_RATIO < ratio < 1 / GRADIENT_RATIO:
        return None
    evidence: Evidence = {
        "first_layer": float(gradient[0]),
        "last_layer": float(gradient[-2]),
        "layers": len(run.hidden),
    }
    name: CauseId = "vanishing_gradient" if ratio < 1 else "exploding_gradient"
    return Cause(name, evidence)
