"""One network in plain NumPy: forward, backward, batch norm. Nothing is hidden.

Axes: `example` rows of the data, `fan_in` and `fan_out` units below and of a layer.
"""

import numpy as np
from jaxtyping import Float

from initlab.activations import ACTIVATIONS, Activation
from initlab.engine._losses import LOSSES
from initlab.engine._values import Parameters
from initlab.spec import Study

Batch = Float[np.ndarray, "example _unit"]

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
