"""What starting weights do to a signal: measured, beside what a wide network does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from initlab import engine as engines
from initlab import problems, results
from initlab.errors import InvalidValueError
from initlab.rng import stream
from initlab.spec import MLP, SignalStudy, to_toml
from initlab.study._estimate import as_threads
from initlab.study._expected import critical_candidates, predictions
from initlab.study._pictures import histogram
from initlab.study._plan import root_mean_square
from initlab.study._start import Starts
from initlab.study._versions import versions


def signal(
    network: MLP | SignalStudy,
    inits: Any = ("he_normal",),
    *,
    problem: Any = None,
    examples: int = 200,
    members: int = 10,
    precision: str = "float64",
    seed: int = 3,
    seeding: str = "stream",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Return how large, how alike and how steep everything is before training.

    Per layer and member, forward: moments of pre-activations and activations, inactive
    and saturated units, cosines between examples, distinct units; backward: moments of
    the gradients by pre-activations, chi (the factor of their squared norm from layer
    to layer), and the norms of the weights' gradients. Beside each stands what a wide
    network is expected to have, and the band in which networks of this width lie.

    Gradients are those of the outputs, multiplied by standard normal numbers and
    summed, so that they say what the network does to any loss's gradient.

    Args:
        network: With its widths; or all of it as a `SignalStudy`.
        inits: As in a `Study`.
        problem: Whose training inputs to send through; None: standard normal inputs.
        examples: Random inputs, where there is no problem.
        members: Networks per init.
        precision: Of the arithmetic: float64 or float32.
        seed: Root seed.
        seeding: `"stream"` or `"legacy"`, as in a `Study`.
        threads: Networks measured at a time; None: one per core. Changes no number.
        progress: Called with (layers done, layers in all) about ten times a second.

    Raises:
        InvalidValueError: If widths do not fit the inputs, or a value is not allowed.
        DataError: If the problem's data cannot be used.

    Example:
        >>> signals = signal(MLP(widths=(50,) * 11), ["lecun_normal", "he_normal"])
        >>> signals.chi.isel(step=0, member=0).sel(init="he_normal").shape
        (10,)
        >>> signals.predicted_chi.sel(init="he_normal").values[:2]
        array([1., 1.])
    """
    study = network if isinstance(network, SignalStudy) else SignalStudy(
        network=network, inits=inits, problem=problem, examples=examples,
        members=members, precision=precision, seed=seed, seeding=seeding,
    )  # fmt: skip
    threads = as_threads(threads)
    x, notes = _inputs(study)
    starts = Starts(study, {})
    found = _measured(study, starts, x, threads, progress)
    return results.pack(
        found
        | predictions(study, found["weight_norm"], found["bias_rms"], x)
        | {
            "units": np.array(study.network.widths)[1:],
            "input_rms": root_mean_square(x),
            "input_cosine": engines.input_cosine(x),
        },
        coordinates={
            "init": [init.label for init in study.inits],
            "member": range(study.members),
            "step": [0],
            "layer": range(1, study.network.layers + 1),
            "stage": ["before"],
            "end": ["low", "high"],
        },
        spec=to_toml(study),
        attributes={
            "kind": "signal",
            "engine": "signals",
            "versions": versions("signals"),
            "notes": notes,
            "examples": len(x),
            "critical_inits": critical_candidates(study),
        },
    )  # fmt: skip


def _inputs(study: SignalStudy) -> tuple[np.ndarray, list[str]]:
    """Return the inputs `(example, feature)` and remarks on them."""
    assert study.network.widths is not None
    features = study.network.widths[0]
    if study.problem is None:
        return stream(study.seed, "inputs").standard_normal(
            (study.examples, features)
        ), []
    data = problems.load(study.problem)
    if data.features != features:
        raise InvalidValueError(
            f"the first is the number of features, {data.features} for "
            f"{study.problem.name}, got {features}",
            argument="widths",
        )
    if len(data.train_x) < 2:
        raise InvalidValueError(
            f"a signal needs two examples to compare, {study.problem.name} "
            f"has {len(data.train_x)}",
            argument="problem",
        )
    return data.train_x, list(data.notes)


def _measured(
    study: SignalStudy,
    starts: Starts,
    x: np.ndarray,
    threads: int | None,
    progress: Callable[[int, int], None] | None,
) -> dict[str, np.ndarray]:
    """Return traces `(init, member, step, layer)`, and histograms of member 0."""
    assert study.network.widths is not None
    outputs = study.network.widths[-1]

    def cotangent(number: int) -> np.ndarray:
        member = number % study.members
        drawn = stream(study.seed, "cotangents", member)
        return drawn.standard_normal((len(x), outputs))

    shape = (len(study.inits), study.members, 1, study.network.layers)
    traces = {name: np.empty(shape) for name in engines.MEASURED_SIGNALS}
    pictured: dict[int, engines.Signals] = {}
    for number, signals in engines.stream_signals(
        study.network, starts, x, cotangent, precision=study.precision,
        threads=threads, progress=progress,
    ):  # fmt: skip
        init, member = divmod(number, study.members)
        for name, trace in traces.items():
            trace[init, member, 0] = getattr(signals, name)
        if member == 0:
            pictured[init] = signals
    chosen = [pictured[init] for init in range(len(study.inits))]
    return (
        traces
        | _histograms("activation", [each.activations for each in chosen])
        | _histograms("delta", [each.deltas for each in chosen])
    )


def _histograms(what: str, inits: list[list[np.ndarray]]) -> dict[str, np.ndarray]:
    """Return histograms `(init, stage, layer, bin)`, with one stage."""
    pairs = [[histogram(layer) for layer in layers] for layers in inits]
    return {
        f"{what}_density": np.array([[[d for d, _ in row]] for row in pairs]),
        f"{what}_edge": np.array([[[e for _, e in row]] for row in pairs]),
    }
