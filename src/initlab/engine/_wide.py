"""The engine for wide networks: one at a time, matrix products by BLAS.

When a group's weights no longer fit the cache, a product of matrices per network is
faster than a network per lane. Products and sums are NumPy's, activations our kernels';
nothing is allocated in a step but what is as small as the outputs. What is recorded is
the reference engine's, in float64.
"""

from collections.abc import Callable, Sequence

import numpy as np

from initlab.engine._kernels import kernels
from initlab.engine._losses import LOSSES
from initlab.engine._network import (
    BATCH_NORM_EPSILON,
    RUNNING_DECAY,
    Reference,
)
from initlab.engine._optimizers import ADAM_DECAYS, ADAM_EPSILON, MOMENTUM
from initlab.engine._plan import TILE
from initlab.engine._reference import batches
from initlab.engine._summaries import SummaryRecorder
from initlab.engine._values import Examples, History, Parameters, Tick, Weights
from initlab.spec import ACTIVATION_NAMES, Study

Running = list[tuple[np.ndarray, np.ndarray]]


class Trainer:
    """Trains one network at a time on the same examples; shared by threads.

    Attributes:
        lanes: How many networks it takes at a time: one.
    """

    lanes = 1

    def __init__(self, study: Study, data: Examples) -> None:
        self._study, self._data = study, data
        self._x = np.ascontiguousarray(data.train_x, dtype=study.precision)
        self._y = np.ascontiguousarray(data.train_y, dtype=study.precision)
        kernels(study.precision)  # compiled now, if ever, not in several threads

    def train(
        self,
        starts: Sequence[Weights],
        rates: Sequence[float],
        tick: Tick = lambda _: None,
    ) -> list[History]:
        """Return the history of a network, in a list."""
        (start,), (rate,) = starts, rates
        with np.errstate(all="ignore"):  # divergence is recorded, never a warning
            return [self._train(start, rate, tick)]

    def _train(self, start: Weights, rate: float, tick: Tick) -> History:
        study, batch_norm = self._study, self._study.network.batch_norm
        # What is recorded, and handed out, in float64.
        seen = Reference(study, Parameters.starting_from(start, batch_norm=batch_norm))
        recorder = SummaryRecorder(study, seen, self._data)
        network = _Network(study, start, study.batch_size or len(self._x))
        update = _optimizer(study.optimizer, network.parameters.flat, rate)
        recorded = frozenset(study.recorded_steps)
        diverged_step = -1
        for step, chosen in enumerate(batches(study, len(self._x))):
            tick(step)
            if step in recorded:
                network.show(seen)
                if not recorder.record():
                    diverged_step = step
                    break
                if recorder.has_arrived:
                    return recorder.history(-1)
            x, y = network.gathered(self._x, self._y, chosen)
            if not network.take_gradient(x, y):
                diverged_step = step
                break
            update(network.gradient.flat)
            flat = network.parameters.flat
            # A sum is finite only if all terms are, or if they overflow together.
            if not np.isfinite(flat.sum()) and not np.isfinite(flat).all():
                diverged_step = step + 1
                break
        network.show(seen)
        if diverged_step < 0 and not recorder.record():
            diverged_step = study.steps
        return recorder.history(diverged_step)


class _Network:
    """A network's numbers in the study's precision, and room for one batch.

    Attributes:
        parameters, gradient: One flat vector each, with views.
    """

    def __init__(self, study: Study, start: Weights, batch: int) -> None:
        assert study.network.widths is not None
        assert study.loss is not None
        widths = study.network.widths
        self._loss = LOSSES[study.loss]
        self._kind = ACTIVATION_NAMES.index(study.network.activation)
        self._kernels = kernels(study.precision)
        self.parameters = Parameters.starting_from(
            start, batch_norm=study.network.batch_norm, precision=study.precision
        )
        self.gradient = self.parameters.empty_like()
        self._running: Running = [
            (np.zeros_like(scale), np.ones_like(scale))
            for scale in self.parameters.scales
        ]
        self._tile = self._kernels.lanes * TILE
        real = self.parameters.flat.dtype

        def room(width: int) -> np.ndarray:
            # Kernels work on whole tiles.
            return np.zeros(-(-batch * width // self._tile) * self._tile, dtype=real)

        self._x, self._y = room(widths[0]), room(widths[-1])
        self._outputs = [room(width) for width in widths[1:]]
        # Pre-activations, then f' of them; the last are logits.
        self._slopes = [room(width) for width in widths[1:]]
        self._deltas = [room(width) for width in widths[1:]]

    def gathered(
        self, x: np.ndarray, y: np.ndarray, chosen: slice | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a batch's rows, in this network's memory if they are chosen."""
        if isinstance(chosen, slice):
            return x, y
        return (
            np.take(x, chosen, axis=0, out=_shaped(self._x, len(chosen), x.shape[1])),
            np.take(y, chosen, axis=0, out=_shaped(self._y, len(chosen), y.shape[1])),
        )

    def take_gradient(self, x: np.ndarray, y: np.ndarray) -> bool:
        """Fill `gradient` with the batch's; False, if the loss is not finite."""
        logits, inputs, normalized = self._forward(x)
        # While the squares' sum is finite, so is every loss.
        if not np.isfinite(np.vdot(logits, logits)) and not np.isfinite(
            self._loss.value(logits, y)
        ):
            return False
        self._backward(self._loss.gradient(logits, y), inputs, normalized)
        for (mean, variance), (_, _, new_mean, new_variance) in zip(
            self._running, normalized, strict=True
        ):
            mean += (1 - RUNNING_DECAY) * (new_mean - mean)
            variance += (1 - RUNNING_DECAY) * (new_variance - variance)
        return True

    def _forward(
        self, x: np.ndarray
    ) -> tuple[np.ndarray, list[np.ndarray], list[tuple[np.ndarray, ...]]]:
        """Return logits, what each layer was given, and batch norm's values."""
        inputs, normalized = [], []
        last = len(self._outputs) - 1
        for layer, weight in enumerate(self.parameters.weights):
            inputs.append(x)
            z = _shaped(self._slopes[layer], len(x), len(weight))
            np.matmul(x, weight.T, out=z)
            if layer < last and self._running:
                normalized.append(_normalize(z, self.parameters.scales[layer]))
            z += self.parameters.biases[layer]
            if layer == last:
                return z, inputs, normalized
            x = _shaped(self._outputs[layer], len(z), len(weight))
            tiles = -(-z.size // self._tile)
            self._kernels.activate(self._kind, z, x, tiles)
        raise AssertionError("a network has layers")

    def _backward(
        self,
        delta: np.ndarray,
        inputs: list[np.ndarray],
        normalized: list[tuple[np.ndarray, ...]],
    ) -> None:
        for layer in reversed(range(len(inputs))):
            np.sum(delta, axis=0, out=self.gradient.biases[layer])
            if layer < len(normalized):
                self._normalize_backward(delta, layer, normalized[layer])
            np.matmul(delta.T, inputs[layer], out=self.gradient.weights[layer])
            if layer:
                width = self.parameters.weights[layer].shape[1]
                below = _shaped(self._deltas[layer - 1], len(delta), width)
                np.matmul(delta, self.parameters.weights[layer], out=below)
                below *= _shaped(self._slopes[layer - 1], len(delta), width)
                delta = below

    def _normalize_backward(
        self, delta: np.ndarray, layer: int, normalized: tuple[np.ndarray, ...]
    ) -> None:
        """Take delta back through batch norm, in place; see `Reference`."""
        values, inverse, _, _ = normalized
        along = np.einsum("eu,eu->u", delta, values)
        self.gradient.scales[layer][:] = along
        delta -= delta.mean(axis=0)
        delta -= values * (along / len(delta))
        delta *= self.parameters.scales[layer] * inverse

    def show(self, reference: Reference) -> None:
        """Let the reference network be this one."""
        reference.parameters.flat[:] = self.parameters.flat
        reference.running = [
            (mean.astype(np.float64), variance.astype(np.float64))
            for mean, variance in self._running
        ]


def _normalize(z: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, ...]:
    """Normalize z in place; return it before its scale, 1 / deviation and moments."""
    mean, variance = z.mean(axis=0), z.var(axis=0)
    inverse = 1 / np.sqrt(variance + z.dtype.type(BATCH_NORM_EPSILON))
    z -= mean
    z *= inverse
    values = z.copy()
    z *= scale
    return values, inverse, mean, variance


def _shaped(room: np.ndarray, rows: int, width: int) -> np.ndarray:
    return room[: rows * width].reshape(rows, width)


def _optimizer(
    name: str, parameters: np.ndarray, rate: float
) -> Callable[[np.ndarray], None]:
    """Return the optimizer of this name, in place; it may overwrite the gradient."""
    first, second = np.zeros((2, *parameters.shape), dtype=parameters.dtype)
    scratch = np.empty_like(parameters)
    steps = 0

    def descend(gradient: np.ndarray) -> None:
        np.multiply(gradient, rate, out=gradient)
        np.subtract(parameters, gradient, out=parameters)

    def with_momentum(gradient: np.ndarray) -> None:
        np.multiply(first, MOMENTUM, out=first)
        np.add(first, gradient, out=first)
        np.multiply(first, rate, out=gradient)
        np.subtract(parameters, gradient, out=parameters)

    def adam(gradient: np.ndarray) -> None:
        nonlocal steps
        steps += 1
        for moments, decay in ((first, ADAM_DECAYS[0]), (second, ADAM_DECAYS[1])):
            if moments is second:
                np.multiply(gradient, gradient, out=gradient)
            np.multiply(moments, decay, out=moments)
            np.multiply(gradient, 1 - decay, out=scratch)
            np.add(moments, scratch, out=moments)
        corrections = [1 - decay**steps for decay in ADAM_DECAYS]
        np.divide(second, corrections[1], out=scratch)
        np.sqrt(scratch, out=scratch)
        np.add(scratch, ADAM_EPSILON, out=scratch)
        np.divide(first, scratch, out=scratch)
        np.multiply(scratch, rate / corrections[0], out=scratch)
        np.subtract(parameters, scratch, out=parameters)

    steps_by_name = {
        "gradient_descent": descend, "momentum": with_momentum, "adam": adam,
    }  # fmt: skip
    return steps_by_name[name]
