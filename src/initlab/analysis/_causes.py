"""Why a network trained or did not: a cause and its evidence, from measurements.

The rules stand in the order in which they are asked; the first that applies names the
cause. An init's name is never looked at. Where no rule applies the cause is unknown.

Thresholds were set on runs at 3 to 30 layers, all activations and losses; the tests
hold the runs that they must tell apart.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from initlab.analysis._run import Run, read_run
from initlab.spec import from_toml, to_dict

# A final loss under this share of a constant output's is training, whatever the start.
TRAINED = 0.3
# Under this one it is training too, if no fault was measured.
TRAINED_WITHOUT_FAULT = 0.5
LEARNED_IN_PART = 0.95
# Saturated from the start: this share of the outputs, and a first loss that exceeds
# that of a constant output by this much (nats).
SATURATED_OUTPUTS, SATURATED_EXCESS = 0.3, 1.0
SATURATED_UNITS = 0.5
# A hidden layer's units that are flat on every example.
MOSTLY_INACTIVE = 0.8
# Outputs this many times larger than the targets, for squared errors.
OVERSIZED = 10.0
# Gradient norm times the norm of a weight with rows of norm 1, in units of the loss:
# healthy starts have 0.1 to 10, tiny weights 1e-2 and less.
FAINT_GRADIENT, HEALTHY_GRADIENT = 0.01, 0.03
# Ratio of gradient norms at the two ends of the network.
GRADIENT_RATIO = 1e-3
# Weights that moved by less than this share of their size.
HARDLY_MOVED = 0.2
# Fall of the loss over the last tenth, as a share of the baseline.
STILL_FALLING = 0.005
# Share of records at which the loss had risen by over 2 %.
UNSTABLE_RECORDS, UNSTABLE_RISE = 0.2, 1.02

# A first step that changes a layer's weights by more than this share of their size.
LARGE_UPDATE = 0.1

Number = float | int


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened to one network, as an id and the numbers that prove it.

    `initlab.messages` has the sentence for each id.
    """

    id: str
    evidence: dict[str, Number] = field(default_factory=dict)


Rule = Callable[[Run], Cause | None]


def cause_of(run: Run) -> Cause:
    """Return the first cause whose rule applies, or the cause `unknown`."""
    for rule in RULES:
        cause = rule(run)
        if cause is not None:
            return cause
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


def causes(results: xr.Dataset) -> list[list[Cause]]:
    """Return the cause of every run: a list per init of a cause per member."""
    study = to_dict(from_toml(results.attrs["spec"]))
    return [
        [
            cause_of(read_run(results.isel(init=i, member=m), study=study))
            for m in range(results.sizes["member"])
        ]
        for i in range(results.sizes["init"])
    ]


def _diverged(run: Run) -> Cause | None:
    if run.diverged_step < 0:
        return None
    evidence: dict[str, Number] = {"step": run.diverged_step}
    if run.last < 0:
        return Cause("not_finite_at_start", evidence)
    evidence |= {"first_loss": run.first_loss, "baseline_loss": run.baseline}
    if _oversized_start(run):
        return Cause("diverged_from_oversized_outputs", evidence)
    evidence |= _largest_first_update(run)
    return Cause("diverged", evidence)


def _trained(run: Run) -> Cause | None:
    return _training(run) if run.remaining <= TRAINED else None


def _trained_without_fault(run: Run) -> Cause | None:
    return _training(run) if run.remaining <= TRAINED_WITHOUT_FAULT else None


def _training(run: Run) -> Cause:
    evidence: dict[str, Number] = {
        "final_loss": run.final_loss,
        "baseline_loss": run.baseline,
    }
    copies = _copied_layer(run)
    if copies is not None:
        evidence |= {"layer": copies + 1, "units": int(run.units[copies])}
        return Cause("trained_with_copies", evidence)
    return Cause("trained", evidence)


def _copied_layer(run: Run) -> int | None:
    """Return the first hidden layer that is one unit over and over, all through."""
    first = run.at("distinct_units", 0)
    final = run.at("distinct_units", run.last)
    for layer in run.hidden:
        if run.units[layer] > 1 and first[layer] == 1 and final[layer] == 1:
            return layer
    return None


def _all_copies(run: Run) -> Cause | None:
    layer = _copied_layer(run)
    if layer is None:
        return None
    return Cause(
        "symmetric_units",
        {
            "layer": layer + 1,
            "units": int(run.units[layer]),
            "distinct_units": 1,
            "final_loss": run.final_loss,
            "baseline_loss": run.baseline,
        },
    )


def _inactive_layer(run: Run, record: int, share: float) -> int | None:
    inactive = run.at("inactive_units", record) / run.units
    flat = [layer for layer in run.hidden if inactive[layer] >= share]
    return max(flat, key=lambda layer: inactive[layer]) if flat else None


def _inactive_from_the_start(run: Run) -> Cause | None:
    layer = _inactive_layer(run, 0, 1.0)
    if layer is None or run.at("inactive_units", run.last)[layer] < run.units[layer]:
        return None
    return _inactive("inactive_units", run, layer, 0)


def _inactive(identifier: str, run: Run, layer: int, record: int) -> Cause:
    return Cause(
        identifier,
        {
            "layer": layer + 1,
            "units": int(run.units[layer]),
            "inactive_units": int(run.at("inactive_units", record)[layer]),
            "inactive_at_start": int(run.at("inactive_units", 0)[layer]),
            "step": int(run.steps[record]),
        },
    )


def _oversized_start(run: Run) -> bool:
    if run.squared_error:
        outputs = float(run.at("activation_rms", 0)[-1])
        return bool(outputs > OVERSIZED * np.sqrt(run.baseline))
    certain = run.at("saturated_share", 0)[-1]
    excess = run.first_loss - run.baseline
    return bool(certain >= SATURATED_OUTPUTS and excess >= SATURATED_EXCESS)


def _saturated_outputs(run: Run) -> Cause | None:
    if not _oversized_start(run):
        return None
    evidence: dict[str, Number] = {
        "first_loss": run.first_loss,
        "baseline_loss": run.baseline,
        "final_loss": run.final_loss,
    }
    if run.squared_error:
        evidence["output_rms"] = float(run.at("activation_rms", 0)[-1])
        evidence["target_std"] = float(np.sqrt(run.baseline))
        return Cause("oversized_outputs", evidence)
    evidence["saturated_share"] = float(run.at("saturated_share", 0)[-1])
    return Cause("saturated_outputs", evidence)


def _saturated_units(run: Run) -> Cause | None:
    share = run.at("saturated_share", 0)
    saturated = [layer for layer in run.hidden if share[layer] >= SATURATED_UNITS]
    if not run.saturating or not saturated:
        return None
    layer = max(saturated, key=lambda layer: share[layer])
    return Cause(
        "saturated_units",
        {"layer": layer + 1, "saturated_share": float(share[layer])},
    )


def _died_in_training(run: Run) -> Cause | None:
    layer = _inactive_layer(run, run.last, 1.0)
    if layer is None:
        return None
    inactive = run.layers["inactive_units"][:, layer] == run.units[layer]
    record = int(len(inactive) - np.argmin(inactive[::-1]))  # after the last active
    cause = _inactive("died_in_training", run, layer, min(record, run.last))
    return Cause(cause.id, cause.evidence | _largest_first_update(run))


def _mostly_inactive(run: Run) -> Cause | None:
    layer = _inactive_layer(run, 0, MOSTLY_INACTIVE)
    if layer is None:
        return None
    return _inactive("mostly_inactive_units", run, layer, 0)


def _few_distinct(run: Run) -> Cause | None:
    """Half of the units or more are copies, at the start and at the end."""
    distinct = np.maximum(
        run.at("distinct_units", 0), run.at("distinct_units", run.last)
    )
    copied = [layer for layer in run.hidden if distinct[layer] <= run.units[layer] / 2]
    if not copied:
        return None
    layer = min(copied, key=lambda layer: distinct[layer] / run.units[layer])
    return Cause(
        "copied_units",
        {
            "layer": layer + 1,
            "units": int(run.units[layer]),
            "distinct_units": int(distinct[layer]),
        },
    )


def _scaled_gradient(run: Run, record: int) -> np.ndarray:
    """Return gradient norms times that of a weight with rows of norm 1, per layer.

    In units of a constant output's loss; for squared errors in those of the targets,
    to which the gradient of small outputs is proportional.
    """
    unit = np.sqrt(run.baseline) if run.squared_error else run.baseline
    return run.at("gradient_norm", record) * np.sqrt(run.units) / unit


def _faint_gradient(run: Run) -> Cause | None:
    gradient = _scaled_gradient(run, 0)
    if gradient.max() > FAINT_GRADIENT:
        return None
    return Cause(
        "vanishing_signal",
        {
            "gradient_norm": float(run.at("gradient_norm", 0).max()),
            "first_spread": float(run.at("activation_spread", 0)[0]),
            "output_spread": float(run.at("activation_spread", 0)[-1]),
            "layers": len(run.units),
        },
    )


def _uneven_gradient(run: Run) -> Cause | None:
    gradient = run.at("gradient_norm", 0)
    if len(gradient) < 3 or gradient[-1] == 0:
        return None
    ratio = float(gradient[0] / gradient[-1])
    if GRADIENT_RATIO < ratio < 1 / GRADIENT_RATIO:
        return None
    return Cause(
        "vanishing_gradient" if ratio < 1 else "exploding_gradient",
        {
            "first_layer": float(gradient[0]),
            "last_layer": float(gradient[-1]),
            "layers": len(gradient),
        },
    )


def _movement(run: Run) -> float:
    """Return how far the weights moved in all, as a share of their starting size."""
    start = float(np.linalg.norm(run.at("weight_norm", 0)))
    moved = float(np.linalg.norm(run.at("weight_distance", run.last)))
    return moved / start if start else float("inf")


def _last_tenth(run: Run) -> float:
    """Return by how much the loss fell over the last tenth of the steps."""
    earlier = int(np.searchsorted(run.steps, 0.9 * run.steps[-1]))
    return float(run.loss[min(earlier, len(run.loss) - 2)] - run.loss[-1])


def _learning_rate_too_small(run: Run) -> Cause | None:
    """The gradient is healthy to the end, and yet the weights hardly moved."""
    gradient = _scaled_gradient(run, run.last).max()
    moved = _movement(run)
    if moved > HARDLY_MOVED or gradient < HEALTHY_GRADIENT or _last_tenth(run) <= 0:
        return None
    return Cause(
        "learning_rate_too_small",
        {
            "learning_rate": run.learning_rate,
            "steps": int(run.steps[-1]),
            "weight_change": moved,
            "first_loss": run.first_loss,
            "final_loss": run.final_loss,
            "gradient_norm": float(run.at("gradient_norm", run.last).max()),
        },
    )


def _unstable(run: Run) -> Cause | None:
    rose = run.loss[1:] > UNSTABLE_RISE * run.loss[:-1]
    if rose.mean() < UNSTABLE_RECORDS:
        return None
    return Cause(
        "unstable",
        {
            "rises": int(rose.sum()),
            "records": len(rose),
            "learning_rate": run.learning_rate,
            **_largest_first_update(run),
        },
    )


def _unfinished(run: Run) -> Cause | None:
    fell = _last_tenth(run)
    if fell < STILL_FALLING * run.baseline:
        return None
    return Cause(
        "unfinished",
        {
            "final_loss": run.final_loss,
            "fall_in_last_tenth": fell,
            "steps": int(run.steps[-1]),
        },
    )


def _learned_in_part(run: Run) -> Cause | None:
    if not run.remaining <= LEARNED_IN_PART:
        return None
    return Cause(
        "learned_in_part",
        {"final_loss": run.final_loss, "baseline_loss": run.baseline},
    )


def _largest_first_update(run: Run) -> dict[str, Number]:
    """Return the layer that the first step changes most, if by a tenth or more."""
    weight, gradient = run.at("weight_norm", 0), run.at("gradient_norm", 0)
    if not run.first_update or not (weight > 0).all():
        return {}
    change = run.learning_rate * gradient / weight
    layer = int(np.argmax(change))
    if change[layer] < LARGE_UPDATE:
        return {}
    return {"update_layer": layer + 1, "first_update": float(change[layer])}


RULES: tuple[Rule, ...] = (
    _diverged,
    _trained,
    _all_copies,
    _inactive_from_the_start,
    _saturated_outputs,
    _few_distinct,
    _mostly_inactive,
    _died_in_training,
    _saturated_units,
    _faint_gradient,
    _uneven_gradient,
    _trained_without_fault,
    _unstable,
    _learning_rate_too_small,
    _unfinished,
    _learned_in_part,
)
