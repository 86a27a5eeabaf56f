"""The engine as plain NumPy, one network, float64: the definition of correct.

Slow and obvious on purpose; every faster engine is judged against this one.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float

from initlab.activations import ACTIVATIONS, Activation
from initlab.engine._losses import LOSSES
from initlab.engine._optimizers import OPTIMIZERS
from initlab.engine._summaries import SummaryRecorder
from initlab.engine._values import Examples, History, Parameters, Weights
from initlab.rng import stream
from initlab.spec import Study

Batch = Float[np.ndarray, "example feature"]

# Added to the variance under the root, as in Ioffe & Szegedy (2015), algorithm 1.
BATCH_NORM_EPSILON = 1e-5
# How much of the running statistics survives a step.
RUNNING_DECAY = 0.9


class Reference:
    """One network and what is needed to take its steps.

    Attributes:
        parameters: The weights, biases and batch-norm scales, updated in place.
        gradient: Filled by `backward`.
    """

    def __init__(
        self,
        study: Study,
        parameters: Parameters,
        running: list[tuple[np.ndarray, np.ndarray]] | None = None,
    ) -> None:
        assert study.loss is not None
        self.activation: Activation = ACTIVATIONS[study.network.activation]
        self.loss = LOSSES[study.loss]
        self.parameters = parameters
        self.gradient = parameters.empty_like()
        self.running = running or [
            (np.zeros(len(scale)), np.ones(len(scale))) for scale in parameters.scales
        ]

    def forward(self, x: Batch, *, training: bool) -> Batch:
        """Return the logits `(example, output)`, keeping what `backward` needs."""
        last = len(self.parameters.weights) - 1
        self.inputs: list[Batch] = []
        self.preactivations: list[Batch] = []
        self.normalized: list[tuple[Batch, np.ndarray, np.ndarray, np.ndarray]] = []
        layers = zip(self.parameters.weights, self.parameters.biases, strict=True)
        for layer, (weight, bias) in enumerate(layers):
            self.inputs.append(x)
            z = x @ weight.T
            if self.running and layer < last:
                z = self._normalize(z, layer, training=training)
            z = z + bias
            self.preactivations.append(z)
            x = z if layer == last else self.activation.f(z)
        return x

    def _normalize(self, z: Batch, layer: int, *, training: bool) -> Batch:
        mean, variance = self.running[layer]
        if training:
            mean, variance = z.mean(axis=0), z.var(axis=0)
        scale = 1 / np.sqrt(variance + BATCH_NORM_EPSILON)
        normalized = (z - mean) * scale
        self.normalized.append((normalized, scale, mean, variance))
        return normalized * self.parameters.scales[layer]

    def backward(self, logits: Batch, y: Batch) -> None:
        """Fill `gradient` with the loss's, after a training `forward`."""
        delta = self.loss.gradient(logits, y)
        for layer in reversed(range(len(self.inputs))):
            self.gradient.biases[layer][:] = delta.sum(axis=0)
            if self.running and layer < len(self.running):
                delta = self._normalize_backward(delta, layer)
            np.matmul(delta.T, self.inputs[layer], out=self.gradient.weights[layer])
            if layer:
                slope = self.activation.derivative(self.preactivations[layer - 1])
                delta = (delta @ self.parameters.weights[layer]) * slope

    def _normalize_backward(self, delta: Batch, layer: int) -> Batch:
        """Return the loss's derivative before the normalization, and fill its scale's.

        Ioffe & Szegedy (2015), the chain rule after algorithm 1.
        """
        normalized, scale, _, _ = self.normalized[layer]
        self.gradient.scales[layer][:] = (delta * normalized).sum(axis=0)
        delta = delta * self.parameters.scales[layer]
        return scale * (
            delta - delta.mean(axis=0) - normalized * (delta * normalized).mean(axis=0)
        )

    def update_running(self) -> None:
        """Move the running statistics toward those of the last training batch."""
        for layer, (_, _, mean, variance) in enumerate(self.normalized):
            old_mean, old_variance = self.running[layer]
            self.running[layer] = (
                RUNNING_DECAY * old_mean + (1 - RUNNING_DECAY) * mean,
                RUNNING_DECAY * old_variance + (1 - RUNNING_DECAY) * variance,
            )


def train(
    study: Study,
    weights: Weights,
    data: Examples,
    tick: Callable[[int], None] = lambda _: None,
) -> History:
    """Return the history of one network trained from these weights.

    Args:
        study: Widths and loss filled in; `inits` and `members` are not looked at.
        weights: One `(weight, bias)` per layer, `(fan_out, fan_in)` and `(fan_out,)`.
        data: Targets `(example, output)` as numbers.
        tick: Called with the step before each update; what it raises ends the
            training.
    """
    with np.errstate(all="ignore"):  # divergence is recorded, never a warning
        return _train(study, weights, data, tick)


def _train(
    study: Study,
    weights: Weights,
    data: Examples,
    tick: Callable[[int], None],
) -> History:
    network = Reference(
        study,
        Parameters.starting_from(weights, batch_norm=study.network.batch_norm),
    )
    flat, gradient = network.parameters.flat, network.gradient.flat
    update = OPTIMIZERS[study.optimizer](study.learning_rate, flat.size)
    recorder = SummaryRecorder(study, network, data)
    recorded = frozenset(study.recorded_steps)
    diverged_step = -1
    for step, chosen in enumerate(batches(study, len(data.train_x))):
        tick(step)
        if step in recorded and not recorder.record():
            diverged_step = step
            break
        x, y = data.train_x[chosen], data.train_y[chosen]
        network.backward(network.forward(x, training=True), y)
        network.update_running()
        update(flat, gradient)
        # A sum is finite only if all terms are, or if they overflow together.
        if not np.isfinite(flat.sum()) and not np.isfinite(flat).all():
            diverged_step = step + 1
            break
    else:
        if not recorder.record():
            diverged_step = study.steps
    return recorder.history(diverged_step)


def batches(study: Study, examples: int) -> Iterator[slice | np.ndarray]:
    """Yield the examples of each step; one order per study, shared by its members.

    Every epoch visits the examples in a new order; its last batch may be smaller.
    """
    size = study.batch_size or examples
    if size == examples:
        yield from (slice(None) for _ in range(study.steps))
        return
    step = epoch = 0
    while step < study.steps:
        order = stream(study.seed, "batches", epoch).permutation(examples)
        for start in range(0, examples, size)[: study.steps - step]:
            yield order[start : start + size]
            step += 1
        epoch += 1


def layer_outputs(
    study: Study, history: History, x: Batch, *, training: bool = False
) -> list[np.ndarray]:
    """Return what every layer of a trained network says of x: `(example, unit)`.

    The last are logits. With `training`, batch norm uses x's own statistics.
    """
    with np.errstate(all="ignore"):
        network = Reference(study, history.parameters, history.running)
        logits = network.forward(x, training=training)
    return [*network.inputs[1:], logits]


def starting_outputs(study: Study, weights: Weights, x: Batch) -> list[np.ndarray]:
    """Return what every layer says of x before training: `(example, unit)`."""
    parameters = Parameters.starting_from(weights, batch_norm=study.network.batch_norm)
    with np.errstate(all="ignore"):
        network = Reference(study, parameters)
        logits = network.forward(x, training=True)
    return [*network.inputs[1:], logits]
