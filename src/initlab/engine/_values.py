"""What goes into an engine and what comes out, as arrays with named axes.

Axes, everywhere in the engine:
    record   steps at which something is recorded
    layer    layers with weights, first to last
    example  rows of the data
    fan_in, fan_out  units of the layer below and of this layer
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# One (weight, bias) pair per layer; a weight is (fan_out, fan_in).
Weights = list[tuple[np.ndarray, np.ndarray]]
# Called with (steps done, steps in all) about ten times a second.
Progress = Callable[[int, int], None]
# Called with a network's step now and then; what it raises ends the training.
Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Inputs, and targets as numbers that the loss can be computed with."""

    train_x: Float[np.ndarray, "train feature"]
    train_y: Float[np.ndarray, "train output"]
    test_x: Float[np.ndarray, "test feature"]
    test_y: Float[np.ndarray, "test output"]
    is_classification: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummaries:
    """What the layers look like at each record, over all training examples.

    Attributes:
        activation_rms: Root mean square of the outputs; the last layer's are logits.
        activation_spread: Root mean square of their deviations from the unit's mean
            over examples: what of the signal depends on the input.
        gradient_norm: Frobenius norm of the loss gradient with respect to the weight.
        weight_norm: Frobenius norm of the weight.
        weight_distance: Frobenius norm of the weight's change since step 0.
        distinct_units: Units that are left when copies, with equal incoming and
            outgoing weights and bias, are counted once.
        inactive_units: Units with |f'| under 1e-3 of its maximum on every example;
            0 in the output layer.
        saturated_share: Share of entries with |f'| under 5 % of its maximum; in the
            output layer of a cross entropy, of outputs within 1e-6 of 0 or 1.
    """

    activation_rms: Float[np.ndarray, "record layer"]
    activation_spread: Float[np.ndarray, "record layer"]
    gradient_norm: Float[np.ndarray, "record layer"]
    weight_norm: Float[np.ndarray, "record layer"]
    weight_distance: Float[np.ndarray, "record layer"]
    distinct_units: Float[np.ndarray, "record layer"]
    inactive_units: Float[np.ndarray, "record layer"]
    saturated_share: Float[np.ndarray, "record layer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One network's training.

    Attributes:
        loss: Training loss at the recorded steps, each before its update; NaN from
            the divergence on.
        train_score: Accuracy, or the coefficient of determination in regression.
        test_score: The same on the test examples; NaN where there are none.
        layers: Summaries per record and layer.
        diverged_step: The first step whose loss or weights are not finite; -1: none.
        stopped_step: The recorded step at which the study's `stop_at_loss` was reached,
            which later records repeat; -1: never.
        parameters: What the network ended with.
        running: Batch norm's running mean and variance per hidden layer, or empty.
    """

    loss: Float[np.ndarray, "record"]
    train_score: Float[np.ndarray, "record"]
    test_score: Float[np.ndarray, "record"]
    layers: LayerSummaries
    diverged_step: int
    stopped_step: int
    parameters: "Parameters"
    running: list[tuple[np.ndarray, np.ndarray]]


class Parameters:
    """A network's parameters: one flat vector, and a named view of it per tensor.

    Optimizers update the vector as a whole; the mathematics reads the views.

    Attributes:
        flat: Every number, layer after layer.
        weights, biases: Per layer, `(fan_out, fan_in)` and `(fan_out,)`.
        scales: Batch norm's factors per hidden layer, or empty.
    """

    __slots__ = ("biases", "flat", "scales", "weights")

    def __init__(
        self, widths: tuple[int, ...], *, batch_norm: bool, precision: str = "float64"
    ) -> None:
        hidden = widths[1:-1] if batch_norm else ()
        pairs = list(zip(widths[1:], widths[:-1], strict=True))
        size = sum(rows * columns + rows for rows, columns in pairs) + sum(hidden)
        self.flat = np.zeros(size, dtype=precision)
        self.weights: list[np.ndarray] = []
        self.biases: list[np.ndarray] = []
        start = 0
        for rows, columns in pairs:
            stop = start + rows * columns
            self.weights.append(self.flat[start:stop].reshape(rows, columns))
            self.biases.append(self.flat[stop : stop + rows])
            start = stop + rows
        self.scales: list[np.ndarray] = []
        for rows in hidden:
            self.scales.append(self.flat[start : start + rows])
            start += rows

    def __reduce__(self) -> tuple[object, ...]:
        # Pickling views would cut them loose from the vector.
        widths = (self.weights[0].shape[1], *(len(bias) for bias in self.biases))
        return _restored, (widths, bool(self.scales), self.flat)

    @classmethod
    def starting_from(
        cls, weights: Weights, *, batch_norm: bool, precision: str = "float64"
    ) -> "Parameters":
        """Return parameters with these weights and biases, and scales of 1."""
        widths = (weights[0][0].shape[1], *(len(bias) for _, bias in weights))
        parameters = cls(widths, batch_norm=batch_norm, precision=precision)
        for layer, (weight, bias) in enumerate(weights):
            parameters.weights[layer][:] = weight
            parameters.biases[layer][:] = bias
        for scale in parameters.scales:
            scale[:] = 1.0
        return parameters

    def empty_like(self) -> "Parameters":
        """Return parameters of the same shape, all zero: a place for gradients."""
        widths = (self.weights[0].shape[1], *(len(bias) for bias in self.biases))
        return Parameters(
            widths, batch_norm=bool(self.scales), precision=self.flat.dtype.name
        )


def _restored(
    widths: tuple[int, ...], batch_norm: bool, flat: np.ndarray
) -> Parameters:
    parameters = Parameters(widths, batch_norm=batch_norm, precision=flat.dtype.name)
    parameters.flat[:] = flat
    return parameters
