"""What is recorded of a network along the way: loss, scores, layer summaries."""

import numpy as np
from jaxtyping import Float

from initlab.engine._network import Reference
from initlab.engine._scores import score_of
from initlab.engine._values import Examples, History, LayerSummaries, Weights
from initlab.spec import Study

# Under this share of its steepest slope, an activation counts as saturated ...
SATURATED_SLOPE = 0.05
# ... and a unit that stays under this one on every example as inactive.
INACTIVE_SLOPE = 1e-3
# Two units are copies where no incoming weight differs by more than this share of the
# layer's largest: far above what rounding does to exact copies in a million steps.
COPY_TOLERANCE = 1e-9

_FIELDS = tuple(LayerSummaries.__dataclass_fields__)


class SummaryRecorder:
    """Collects one record after another; what is never reached stays NaN."""

    def __init__(
        self,
        study: Study,
        network: Reference,
        data: Examples,
    ) -> None:
        self._network, self._data = network, data
        self._score = score_of(study, data)
        self._start = [weight.copy() for weight in network.parameters.weights]
        self._steps, self._limit = study.recorded_steps, study.stop_at_loss
        records = len(self._steps)
        self._next = 0
        self._loss, self._train, self._test = np.full((3, records), np.nan)
        self._layers = {
            name: np.full((records, study.network.layers), np.nan) for name in _FIELDS
        }

    def record(self) -> bool:
        """Record the network as it is; False, and nothing kept, if it is not finite."""
        network, data = self._network, self._data
        logits = network.forward(data.train_x, training=True)
        loss = network.loss.value(logits, data.train_y)
        if not np.isfinite(loss):
            return False
        network.backward(logits, data.train_y)
        now = self._next
        self._loss[now] = loss
        for name, values in self._summarize(logits).items():
            self._layers[name][now] = values
        if network.running:
            logits = network.forward(data.train_x, training=False)
        self._train[now] = self._score(logits, data.train_y)
        if len(data.test_x):
            logits = network.forward(data.test_x, training=False)
            self._test[now] = self._score(logits, data.test_y)
        self._next += 1
        return True

    @property
    def has_arrived(self) -> bool:
        """Whether the last record is at the loss where the study stops."""
        return self._limit is not None and bool(
            self._loss[self._next - 1] <= self._limit
        )

    def _summarize(self, logits: np.ndarray) -> dict[str, list[float]]:
        network = self._network
        activations = [*network.inputs[1:], logits]
        slopes = [
            np.abs(network.activation.derivative(z)) / network.activation.steepest
            for z in network.preactivations[:-1]
        ]
        weights = network.parameters.weights
        certain = network.loss.certain
        return {
            "activation_rms": [float(np.sqrt(np.mean(a**2))) for a in activations],
            "activation_spread": [
                float(np.sqrt(np.mean(a.var(axis=0)))) for a in activations
            ],
            "gradient_norm": [norm(g) for g in network.gradient.weights],
            "weight_norm": [norm(w) for w in weights],
            "weight_distance": [
                norm(now - start)
                for now, start in zip(weights, self._start, strict=True)
            ],
            "distinct_units": distinct_by_layer(
                list(zip(weights, network.parameters.biases, strict=True))
            ),
            "inactive_units": [
                *(float((s < INACTIVE_SLOPE).all(axis=0).sum()) for s in slopes),
                0.0,
            ],
            "saturated_share": [
                *(float(np.mean(s < SATURATED_SLOPE)) for s in slopes),
                float(np.mean(certain(logits))) if certain else np.nan,
            ],
        }

    def history(self, diverged_step: int) -> History:
        """Return everything recorded; a network that arrived stays as it was."""
        stopped_step = -1
        if self.has_arrived:
            last = self._next - 1
            stopped_step = self._steps[last]
            for values in (self._loss, self._train, self._test, *self._layers.values()):
                values[last:] = values[last]
        return History(
            loss=self._loss,
            train_score=self._train,
            test_score=self._test,
            layers=LayerSummaries(**self._layers),
            diverged_step=diverged_step,
            stopped_step=stopped_step,
            parameters=self._network.parameters,
            running=self._network.running,
        )


def distinct_by_layer(layers: Weights) -> list[float]:
    """Return how many units of each layer are left when copies are counted once.

    Units are copies if all is equal that they get and that they give: with other
    outgoing weights they get other gradients, and part at once.
    """
    outgoing = [*(weight.T for weight, _ in layers[1:]), None]
    return [
        float(
            len(weight)
            if not _may_have_copies(weight)
            else distinct_units(
                np.column_stack([weight, bias] if out is None else [weight, bias, out])
            )
        )
        for (weight, bias), out in zip(layers, outgoing, strict=True)
    ]


def _may_have_copies(weight: Float[np.ndarray, "unit incoming"]) -> bool:
    """Return whether two rows' sums with the same factors are as near as copies' are.

    One product instead of a comparison of all rows: rows that differ by no more than
    the tolerance have sums that differ by no more than the sum of its terms.
    """
    factors = np.cos(np.arange(1.0, weight.shape[1] + 1))
    largest = np.abs(weight).max(axis=0)
    near = 2 * COPY_TOLERANCE * float(np.abs(factors) @ largest)
    gaps = np.diff(np.sort(weight @ factors))
    return not bool((gaps > near).all())


def norm(tensor: np.ndarray) -> float:
    """Return the Frobenius norm, infinite only where an entry's square is."""
    return float(np.linalg.norm(tensor))


def distinct_units(units: Float[np.ndarray, "unit incoming"]) -> int:
    """Return how many rows are left when copies are counted once.

    Columns are measured by their own largest entries: small incoming weights beside
    large outgoing ones count as much.

    Example:
        >>> distinct_units(np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]]))
        2
    """
    if not np.isfinite(units).all():
        return len(units)
    largest = np.abs(units).max(axis=0)
    rounded = np.round(units / (np.where(largest > 0, largest, 1.0) * COPY_TOLERANCE))
    # Zeros of both signs have the same bytes when added to zero.
    return len({row.tobytes() for row in rounded + 0.0})
