"""The engine as plain NumPy, one network, float64: the definition of correct.

Slow and obvious on purpose; every faster engine is judged against this one.
"""

from collections.abc import Callable, Iterator

import numpy as np

from initlab.engine._network import Batch, Reference
from initlab.engine._optimizers import OPTIMIZERS
from initlab.engine._summaries import SummaryRecorder
from initlab.engine._values import Examples, History, Parameters, Weights
from initlab.rng import stream
from initlab.spec import Study


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
    update = OPTIMIZERS[study.optimizer](flat, study.learning_rate)
    recorder = SummaryRecorder(study, network, data)
    recorded = frozenset(study.recorded_steps)
    diverged_step = -1
    for step, chosen in enumerate(batches(study, len(data.train_x))):
        tick(step)
        if step in recorded:
            if not recorder.record():
                diverged_step = step
                break
            if recorder.has_arrived:
                break
        x, y = data.train_x[chosen], data.train_y[chosen]
        logits = network.forward(x, training=True)
        # While the squares' sum is finite, so is every loss.
        if not np.isfinite(np.vdot(logits, logits)) and not np.isfinite(
            network.loss.value(logits, y)
        ):
            diverged_step = step
            break
        network.backward(logits, y)
        network.update_running()
        update(gradient)
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
