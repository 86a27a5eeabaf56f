"""What figures need and only the engine can compute, of member 0 of each init."""

import numpy as np

from initlab import engine, problems
from initlab.spec import Study

GRID_POINTS = 140
HISTOGRAM_BINS = 40
# What an axis can show; numbers beyond overflow in its margins.
_DRAWABLE = 1e250
# Beyond the data, so that a picture shows what the network says around it.
_MARGIN = 0.15


def picture_axes(data: problems.Data) -> dict[str, np.ndarray]:
    """Return the axes `grid_x` and `grid_y` of predictions over the plane.

    Nothing for data that is not in the plane, or has several numbers to predict.
    """
    if data.features != 2 or (data.classes is None and data.outputs > 1):
        return {}
    low, high = data.train_x.min(axis=0), data.train_x.max(axis=0)
    margin = _MARGIN * np.where(high > low, high - low, 1.0)
    x, y = np.linspace(low - margin, high + margin, GRID_POINTS).T
    return {"grid_x": x, "grid_y": y}


def pictures(
    study: Study,
    data: problems.Data,
    start: engine.Weights,
    history: engine.History,
    x: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return what figures show of one network, by the schema's names.

    Histograms `(stage, layer, bin)` of every layer's outputs for the inputs x, before
    and after training, NaN where outputs are not finite; and predictions
    `(grid_y, grid_x)`: probability of the second class, index of the likeliest of
    several, or the value.
    """
    before = engine.starting_outputs(study, start, x)
    after = engine.layer_outputs(study, history, x)
    pairs = [[histogram(layer) for layer in stage] for stage in (before, after)]
    found = {
        "activation_density": np.array([[each for each, _ in row] for row in pairs]),
        "activation_edge": np.array([[edge for _, edge in row] for row in pairs]),
    }
    axes = picture_axes(data)
    if axes:
        points = np.stack(np.meshgrid(*axes.values()), axis=-1).reshape(-1, 2)
        outputs = engine.layer_outputs(study, history, points)[-1]
        shape = (GRID_POINTS, GRID_POINTS)
        found["grid_output"] = _prediction(study, data, outputs).reshape(shape)
    return found


def _prediction(study: Study, data: problems.Data, logits: np.ndarray) -> np.ndarray:
    if data.classes is None:
        return logits[:, 0]
    if logits.shape[1] > 1:
        return logits.argmax(axis=1).astype(np.float64)
    if study.loss == "mean_squared_error":
        return logits[:, 0].clip(0, 1)
    return 0.5 * (1 + np.tanh(0.5 * logits[:, 0]))


def histogram(outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of outputs per bin, and the bins' edges; NaN if not finite."""
    if not np.isfinite(outputs).all() or np.abs(outputs).max() > _DRAWABLE:
        nothing = np.full(HISTOGRAM_BINS + 1, np.nan)
        return nothing[1:], nothing
    low, high = float(outputs.min()), float(outputs.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)) or high - low < 1e-300:
        low, high = low - 0.5 * max(1.0, abs(low)), high + 0.5 * max(1.0, abs(high))
    counts, edges = np.histogram(outputs, bins=HISTOGRAM_BINS, range=(low, high))
    return counts / outputs.size, edges
