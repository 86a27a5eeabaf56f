"""What starting weights do to a signal: forward, back, and every layer measured.

Beside the three matrix products of a layer, everything is a sum over memory that is at
hand: moments by products with ones, cosines of all pairs through summed unit vectors.
Two copies of a layer's activations and their slopes are kept per layer, for the way
back; nothing grows with the number of networks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from queue import Empty, LifoQueue

import numpy as np
from jaxtyping import Float

from initlab.activations import ACTIVATIONS
from initlab.engine._kernels import kernels
from initlab.engine._plan import TILE
from initlab.engine._summaries import (
    INACTIVE_SLOPE,
    SATURATED_SLOPE,
    distinct_by_layer,
)
from initlab.engine._threads import in_threads
from initlab.engine._values import Progress, Tick, Weights
from initlab.spec import ACTIVATION_NAMES, MLP

PerLayer = Float[np.ndarray, "layer"]
# Values of a layer that a histogram is made of: evenly spaced among all.
SAMPLED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """A network's signal and gradient, at layers 1 to L.

    The last layer has no activation: there, activations are the outputs. A delta is
    the derivative of sum(cotangent * outputs) with respect to a pre-activation.

    Attributes:
        preactivation_mean, preactivation_std, preactivation_rms: Over units and
            examples.
        activation_mean, activation_std, activation_rms: Over units and examples.
        delta_mean, delta_std, delta_rms: Over units and examples.
        gradient_norm: Frobenius norm of the derivative with respect to the weight.
        weight_norm: Frobenius norm of the weight.
        bias_rms: Root mean square of the biases.
        chi: Factor of the squared norm of deltas, from the next layer to this one; nan
            at the last layer.
        cosine: Mean cosine between the activations of two examples.
        centred_cosine: The same, after each example's mean over units is taken off.
        distinct_units, inactive_units, saturated_share: As in `LayerSummaries`, but
            that nothing counts as saturated in the last layer.
        activations, deltas: Some values of each layer, to make histograms of.
    """

    preactivation_mean: PerLayer
    preactivation_std: PerLayer
    preactivation_rms: PerLayer
    activation_mean: PerLayer
    activation_std: PerLayer
    activation_rms: PerLayer
    delta_mean: PerLayer
    delta_std: PerLayer
    delta_rms: PerLayer
    gradient_norm: PerLayer
    weight_norm: PerLayer
    bias_rms: PerLayer
    chi: PerLayer
    cosine: PerLayer
    centred_cosine: PerLayer
    distinct_units: PerLayer
    inactive_units: PerLayer
    saturated_share: PerLayer
    activations: list[np.ndarray]
    deltas: list[np.ndarray]


MEASURED_SIGNALS = tuple(
    name
    for name in Signals.__dataclass_fields__
    if name not in ("activations", "deltas")
)


class SignalMeter:
    """Measures one network after the other on the same examples.

    Args:
        network: Widths filled in, no batch norm.
        x: Inputs `(example, feature)`.
        precision: Of the arithmetic; sums are always added up in float64.
    """

    def __init__(self, network: MLP, x: np.ndarray, precision: str) -> None:
        assert network.widths is not None
        assert not network.batch_norm
        self._widths = network.widths
        self._activation = ACTIVATIONS[network.activation]
        self._kind = ACTIVATION_NAMES.index(network.activation)
        self._kernels = kernels(precision)
        self._real = np.dtype(precision)
        self._x = np.ascontiguousarray(x, dtype=self._real)
        self._tile = self._kernels.lanes * TILE
        self._outputs = [self._room(width) for width in self._widths[1:]]
        self._slopes = [self._room(width) for width in self._widths[1:]]
        self._deltas = [self._room(max(self._widths[1:])) for _ in range(2)]
        self._scratch = self._room(max(self._widths[1:]))
        largest = max(a * b for a, b in pairwise(self._widths))
        self._gradient = np.zeros(largest, dtype=self._real)
        self._found: dict[str, np.ndarray] = {}

    def measure(
        self, weights: Weights, cotangent: np.ndarray, tick: Tick = lambda _: None
    ) -> Signals:
        """Return one network's signals.

        Args:
            weights: One `(weight, bias)` per layer.
            cotangent: What the outputs are multiplied by and summed, `(example,
                output)`: the loss's gradient, or random.
            tick: Called with the layers done, of `2 layers`; what it raises ends it.
        """
        layers = len(self._widths) - 1
        self._found = {name: np.full(layers, np.nan) for name in MEASURED_SIGNALS}
        own = [
            (weight.astype(self._real), bias.astype(self._real))
            for weight, bias in weights
        ]
        with np.errstate(all="ignore"):  # what overflows is reported as it is
            inputs = self._forward(own, tick)
            deltas = self._backward(own, inputs, cotangent.astype(self._real), tick)
        self._found["distinct_units"][:] = distinct_by_layer(weights)
        return Signals(
            **self._found,
            activations=[_some(a) for a in [*inputs[1:], self._logits]],
            deltas=deltas,
        )

    def _room(self, width: int) -> np.ndarray:
        # Kernels work on whole tiles.
        size = -(-len(self._x) * width // self._tile) * self._tile
        return np.zeros(size, dtype=self._real)

    def _forward(self, weights: Weights, tick: Tick) -> list[np.ndarray]:
        """Measure every layer on the way, and return what each was given."""
        a, inputs = self._x, []
        last = len(weights) - 1
        for layer, (weight, bias) in enumerate(weights):
            tick(layer)
            inputs.append(a)
            rms = float(np.sqrt(np.mean(np.square(bias, dtype=np.float64))))
            self._enter(layer, weight_norm=_norm(weight), bias_rms=rms)
            z = _shaped(self._slopes[layer], len(a), len(weight))
            np.matmul(a, weight.T, out=z)
            if bias.any():
                z += bias
            rows = _rows(z)
            self._enter_moments(layer, "preactivation", _moments(rows))
            if layer == last:
                a = self._logits = z
            else:
                a = _shaped(self._outputs[layer], len(z), len(weight))
                tiles = -(-z.size // self._tile)
                self._kernels.activate(self._kind, z, a, tiles)
                self._measure_slopes(layer, z)
                rows = _rows(a)
            self._enter_moments(layer, "activation", _moments(rows))
            raw, centred = _cosines(rows)
            self._enter(layer, cosine=raw, centred_cosine=centred)
        self._enter(last, inactive_units=0.0, saturated_share=0.0)
        return inputs

    def _measure_slopes(self, layer: int, slopes: np.ndarray) -> None:
        sizes = np.abs(slopes, out=_shaped(self._scratch, *slopes.shape))
        steepest = self._activation.steepest
        largest = sizes.max(axis=0)
        flat = float(np.count_nonzero(sizes < SATURATED_SLOPE * steepest))
        self._enter(
            layer,
            inactive_units=float((largest < INACTIVE_SLOPE * steepest).sum()),
            saturated_share=flat / sizes.size,
        )

    def _backward(
        self,
        weights: Weights,
        inputs: list[np.ndarray],
        delta: np.ndarray,
        tick: Tick,
    ) -> list[np.ndarray]:
        """Measure every layer on the way back, and return some deltas of each."""
        sampled: list[np.ndarray] = []
        above = np.nan
        for layer in reversed(range(len(weights))):
            tick(2 * len(weights) - layer)
            rows = _rows(delta)
            self._enter_moments(layer, "delta", _moments(rows))
            whole = float(rows.squares.sum())
            self._enter(
                layer,
                gradient_norm=self._gradient_norm(delta, inputs[layer]),
                chi=np.divide(whole, above) if above else np.nan,
            )
            above = whole
            sampled.insert(0, _some(delta))
            if layer:
                weight, _ = weights[layer]
                room = self._deltas[layer % 2]
                below = _shaped(room, len(delta), weight.shape[1])
                np.matmul(delta, weight, out=below)
                below *= _shaped(self._slopes[layer - 1], *below.shape)
                delta = below
        return sampled

    def _gradient_norm(self, delta: np.ndarray, below: np.ndarray) -> float:
        shape = (delta.shape[1], below.shape[1])
        return _norm(np.matmul(delta.T, below, out=_shaped(self._gradient, *shape)))

    def _enter_moments(
        self, layer: int, what: str, moments: tuple[float, float, float]
    ) -> None:
        for name, value in zip(("mean", "std", "rms"), moments, strict=True):
            self._found[f"{what}_{name}"][layer] = value

    def _enter(self, layer: int, **values: float) -> None:
        for name, value in values.items():
            self._found[name][layer] = value


def stream_signals(
    network: MLP,
    starts: Sequence[Weights],
    x: Float[np.ndarray, "example feature"],
    cotangent: Callable[[int], np.ndarray],
    *,
    precision: str = "float64",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Signals]]:
    """Yield the number of a network and its signals, as they end.

    Memory grows with the threads, not with the networks: `starts` is read one network
    at a time, so that it may draw weights when it is asked for them.

    Args:
        network: Widths filled in, no batch norm.
        starts: Weights, one list of layers per network.
        x: Inputs of all networks.
        cotangent: Called with a network's number; see `SignalMeter.measure`.
        precision: Of the arithmetic.
        threads: Networks measured at a time; None: one per core. Changes no number.
        progress: Told how many layers are done, of how many; must not raise.
    """
    meters: LifoQueue[SignalMeter] = LifoQueue()

    def measure(group: range, tick: Tick) -> list[Signals]:
        try:
            meter = meters.get_nowait()
        except Empty:
            meter = SignalMeter(network, x, precision)
        try:
            (number,) = group
            return [meter.measure(starts[number], cotangent(number), tick)]
        finally:
            meters.put(meter)

    groups = [range(number, number + 1) for number in range(len(starts))]
    for group, (signals,) in in_threads(
        groups, measure, steps=2 * network.layers, threads=threads, progress=progress
    ):
        yield group[0], signals


def input_cosine(x: Float[np.ndarray, "example feature"]) -> float:
    """Return the mean cosine between two inputs; nan where there are not two.

    Example:
        >>> input_cosine(np.array([[1.0, 0.0], [0.0, 2.0]]))
        0.0
    """
    return _cosines(_rows(x))[0]


@dataclass(frozen=True, slots=True)
class _Rows:
    """An array, and sums over each of its rows in float64.

    Attributes:
        array: `(row, entry)`.
        sums: Of each row.
        squares: Each row's squared length.
        centred: The same about the row's mean.
        around: The array without its rows' means, where these are nearly all of it.
        left: What rounding left of the rows' means there.
    """

    array: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    centred: np.ndarray
    around: np.ndarray | None = None
    left: np.ndarray | None = None


def _rows(array: np.ndarray) -> _Rows:
    """Return sums over rows; taken about the means where differences would cancel."""
    width, eps = array.shape[1], float(np.finfo(array.dtype).eps)
    ones = np.ones(width, dtype=array.dtype)
    sums = (array @ ones).astype(np.float64)
    squares = _row_squares(array)
    centred = squares - sums * (sums / width)
    # A second pass is as long as the first, so it is made where half the digits, less
    # one or two, would be lost.
    if not (centred < 32 * eps**0.5 * squares).any():
        return _Rows(array, sums, squares, centred)
    means = (sums / width).astype(array.dtype)
    around = array - means[:, None]
    left = (around @ ones).astype(np.float64) / width
    centred = _row_squares(around) - width * left * left
    # Less is what rounding leaves of equal entries.
    centred[centred < (512 * eps) ** 2 * squares] = 0.0
    sums = width * (means.astype(np.float64) + left)
    return _Rows(array, sums, squares, centred, around, left)


def _row_squares(array: np.ndarray) -> np.ndarray:
    return np.einsum("eu,eu->e", array, array).astype(np.float64)


def _moments(rows: _Rows) -> tuple[float, float, float]:
    """Return mean, standard deviation and root mean square."""
    count = rows.array.size
    mean, second = float(rows.sums.sum()) / count, float(rows.squares.sum()) / count
    variance = second - mean * mean
    if rows.around is not None:
        between = rows.sums / rows.array.shape[1] - mean
        variance = float(rows.centred.sum()) / count + float(np.mean(between**2))
    return mean, float(np.sqrt(max(variance, 0.0))), float(np.sqrt(second))


def _cosines(rows: _Rows) -> tuple[float, float]:
    """Return the mean cosine between two rows, as they are and centred.

    The sum over all pairs is the squared norm of the sum of unit vectors, less one for
    each vector. Rows of zeros have no direction and are left out.
    """
    array, off = rows.array, rows.sums / rows.array.shape[1]
    if rows.around is not None and rows.left is not None:
        array, off = rows.around, rows.left
    raw = _mean_cosine(rows.array, np.zeros_like(off), rows.squares)
    return raw, _mean_cosine(array, off, rows.centred)


def _mean_cosine(array: np.ndarray, off: np.ndarray, lengths: np.ndarray) -> float:
    """Return the mean cosine between two rows, each less a number.

    Args:
        array: The rows.
        off: What to take off each row's entries.
        lengths: Squared, of the rows without it.
    """
    inverse = np.zeros_like(lengths)
    np.divide(1.0, np.sqrt(lengths), out=inverse, where=lengths > 0)
    count = int(np.count_nonzero(inverse))
    total = (inverse.astype(array.dtype) @ array).astype(np.float64)
    total -= inverse @ off
    pairs = count * (count - 1)
    return (float(total @ total) - count) / pairs if pairs else np.nan


def _norm(array: np.ndarray) -> float:
    """Return the Frobenius norm, added up in float64 over rows."""
    return float(np.sqrt(np.einsum("ij,ij->i", array, array).sum(dtype=np.float64)))


def _some(array: np.ndarray) -> np.ndarray:
    flat = array.reshape(-1)
    return flat[:: max(1, flat.size // SAMPLED)].astype(np.float64)


def _shaped(room: np.ndarray, rows: int, width: int) -> np.ndarray:
    return room[: rows * width].reshape(rows, width)
