"""One network's history as plain arrays: what the rules for causes read."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from initlab.activations import ACTIVATIONS
from initlab.spec import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was measured of one network; its init's name is not among it.

    Attributes:
        steps: Recorded steps.
        loss: Training loss at each record; NaN from a divergence on.
        baseline: The least loss of a constant output.
        diverged_step: First step that is not finite; -1: none.
        learning_rate: Of the optimizer.
        plain_first_step: Whether the first step is learning_rate times the recorded
            gradient: no Adam, no mini-batch.
        input_rms: Root mean square of the training inputs.
        squared_error: Whether the loss is the mean squared error.
        saturating: Whether the activation levels off on both sides.
        units: Units per layer.
        layers: Summaries by their names, `(record, layer)`.
    """

    steps: np.ndarray
    loss: Float[np.ndarray, "record"]
    baseline: float
    diverged_step: int
    learning_rate: float
    plain_first_step: bool
    input_rms: float
    squared_error: bool
    saturating: bool
    units: np.ndarray
    layers: dict[str, Float[np.ndarray, "record layer"]]

    @property
    def last(self) -> int:
        """The last record that was reached; -1 if the start was not finite."""
        return int(np.isfinite(self.loss).sum()) - 1

    @property
    def first_loss(self) -> float:
        """The loss before the first update."""
        return float(self.loss[0])

    @property
    def final_loss(self) -> float:
        """The loss at the end; NaN if it diverged."""
        return float(self.loss[-1])

    @property
    def remaining(self) -> float:
        """The final loss as a share of the best constant output's; NaN: diverged."""
        return self.final_loss / self.baseline if self.baseline else float("nan")

    @property
    def hidden(self) -> range:
        """Indices of the hidden layers."""
        return range(len(self.units) - 1)

    def at(self, name: str, record: int) -> Float[np.ndarray, "layer"]:
        """Return one summary of every layer at a record."""
        return self.layers[name][record]


SUMMARIES = (
    "activation_rms",
    "activation_spread",
    "gradient_norm",
    "weight_norm",
    "weight_distance",
    "distinct_units",
    "inactive_units",
    "saturated_share",
)


def read_run(member: xr.Dataset, *, study: Study) -> Run:
    """Return the arrays of one member of one init.

    Args:
        member: Dataset without `init` and `member` dimensions.
        study: The spec, with widths and loss filled in.
    """
    stopped_step = int(member.get("stopped_step", -1))
    if stopped_step >= 0:
        member = member.sel(step=slice(stopped_step))
    return Run(
        steps=member["step"].values,
        loss=member["loss"].values,
        baseline=float(member["baseline_loss"]),
        diverged_step=int(member["diverged_step"]),
        learning_rate=study.learning_rate,
        plain_first_step=study.optimizer != "adam" and study.batch_size is None,
        input_rms=float(member["input_rms"]),
        squared_error=study.loss == "mean_squared_error",
        saturating=ACTIVATIONS[study.network.activation].saturates,
        units=member["units"].values,
        layers={name: member[name].values for name in SUMMARIES},
    )
