"""The conductor: a study in, one labelled dataset out."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from initlab import engine as engines
from initlab import problems, results
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import Problem, Study, to_toml
from initlab.study._fit import examples_of, fitted
from initlab.study._pictures import grid_outputs, histograms
from initlab.study._start import Given, Starts, with_explicit
from initlab.study._versions import versions

AUTO = "auto"
_SUMMARIES = tuple(engines.LayerSummaries.__dataclass_fields__)


def run(
    study: Study,
    *,
    weights: Given | None = None,
    store: str | Path | None = None,
    engine: str = "auto",
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Return every member's history as one labelled dataset.

    Args:
        study: What to run.
        weights: Explicit starting weights by label: per layer `(W, b)` with W of shape
            `(fan_out, fan_in)`, or with a leading member axis; or the lesson's
            dict `W1, b1, ...`. A label among the study's inits replaces that one.
        store: A new `.zarr` folder or `.nc` file to write; an existing one is refused.
        engine: `"lanes"` (small networks, compiled), `"wide"` (large ones, BLAS),
            `"reference"` (NumPy, the definition of correct), or `"auto"`: the one
            that is quickest for this study; what it resolved to is in the dataset.
        threads: Networks trained at a time; None: one per core. Changes no number.
        executor: Any `concurrent.futures.Executor` to train in instead. Changes no
            number on machines alike.
        progress: Called with (steps done, steps in all) about ten times a second.

    Raises:
        InvalidValueError: If widths, loss, batch or weights do not fit the data.
        DataError: If the problem's data cannot be used.
        OutputError: If the store exists or cannot be written.

    Example:
        >>> results = run(Study(inits=["he_normal"], steps=20))
        >>> dict(results.loss.sizes)
        {'init': 1, 'member': 1, 'step': 2}
    """
    if engine not in (AUTO, *engines.ENGINES):
        raise UnknownNameError("engine", engine, (AUTO, *engines.ENGINES))
    if threads is not None and threads < 1:
        raise InvalidValueError(f"threads: must be at least 1, got {threads}")
    if store is not None:
        results.refuse_existing(store)
    data = problems.load(study.problem, loss=study.loss)
    study = fitted(study, data)
    study, explicit = with_explicit(study, weights or {})
    starts = Starts(study, explicit)
    if engine == AUTO:
        engine = engines.quickest(study, len(starts), len(data.train_x))
    dataset = _trained(
        study, data, starts, engine=engine, threads=threads, executor=executor,
        progress=progress,
    )  # fmt: skip
    if store is not None:
        results.save(dataset, store)
    return dataset


def _trained(
    study: Study, data: problems.Data, starts: Starts, *, engine: str, **where: Any
) -> xr.Dataset:
    examples = examples_of(study, data)
    # Callables and arrays need not travel to other processes.
    bare = study.model_copy(update={"inits": (), "problem": Problem()})
    traces: dict[str, np.ndarray] = {}
    pictured: dict[int, engines.History] = {}
    for numbers, histories in engines.stream_ensemble(
        bare, starts, examples, engine=engine, **where
    ):
        for number, history in zip(numbers, histories, strict=True):
            _keep(traces, number, history, len(starts))
            if number % study.members == 0:  # the first member of each init
                pictured[number] = history
    pairs = [(starts[number], pictured[number]) for number in sorted(pictured)]
    with threadpool_limits(1, user_api="blas"):
        grid, grid_axes = grid_outputs(bare, data, [each for _, each in pairs])
        activations = histograms(bare, pairs, examples.train_x)
    return results.pack(
        _named(study, traces, examples)
        | _facts(study, data, examples)
        | activations
        | grid,
        coordinates=_labels(study) | grid_axes,
        spec=to_toml(study),
        attributes={
            "engine": engine,
            "versions": versions(engine),
            "classes": list(data.classes or ()),
            "feature_names": list(data.feature_names),
            "notes": list(data.notes),
            "train_examples": len(data.train_x),
            "test_examples": len(data.test_x),
        },
    )


def _labels(study: Study) -> dict[str, Any]:
    return {
        "init": [init.label for init in study.inits],
        "member": range(study.members),
        "step": study.recorded_steps,
        "layer": range(1, study.network.layers + 1),
        "stage": ("before", "after"),
    }


def _keep(
    traces: dict[str, np.ndarray], number: int, history: engines.History, networks: int
) -> None:
    """Enter what is recorded of a network; its weights are not kept."""
    for name, values in {
        "loss": history.loss,
        "train_score": history.train_score,
        "test_score": history.test_score,
        "diverged_step": np.int64(history.diverged_step),
        **{name: getattr(history.layers, name) for name in _SUMMARIES},
    }.items():
        room = traces.get(name)
        if room is None:
            traces[name] = room = np.empty((networks, *values.shape), values.dtype)
        room[number] = values


def _named(
    study: Study, traces: Mapping[str, np.ndarray], examples: engines.Examples
) -> dict[str, np.ndarray]:
    """Return the traces as arrays `(init, member, step[, layer])`."""
    score = "accuracy" if examples.is_classification else "r2"
    names = {"train_score": f"train_{score}", "test_score": f"test_{score}"}
    runs = (len(study.inits), study.members)
    return {
        names.get(name, name): array.reshape(*runs, *array.shape[1:])
        for name, array in traces.items()
    }


def _facts(
    study: Study, data: problems.Data, examples: engines.Examples
) -> dict[str, Any]:
    """Return what causes and figures need to know of the network and the data."""
    assert study.network.widths is not None
    assert study.loss is not None
    facts: dict[str, Any] = {
        "baseline_loss": engines.LOSSES[study.loss].constant(examples.train_y),
        "input_rms": np.sqrt(np.mean(data.train_x**2)),
        "units": np.array(study.network.widths[1:]),
    }
    if data.features == 2 and (data.is_classification or data.outputs == 1):
        facts |= {"train_x": data.train_x, "train_y": data.train_y.reshape(-1)}
    return facts
