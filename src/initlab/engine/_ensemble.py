"""Many networks at once: same numbers however many, and wherever they are trained."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from itertools import pairwise

import numpy as np

from initlab.engine import _wide
from initlab.engine._choice import step_cost
from initlab.engine._cores import cores, one_blas_thread
from initlab.engine._lanes import LaneTrainer
from initlab.engine._processes import in_processes
from initlab.engine._reference import train
from initlab.engine._threads import in_threads
from initlab.engine._values import Examples, History, Progress, Tick, Weights
from initlab.errors import InvalidValueError
from initlab.spec import Study

ENGINES = ("reference", "lanes", "wide")


def train_ensemble(
    study: Study,
    starts: Sequence[Weights],
    data: Examples,
    *,
    engine: str = "reference",
    rates: Sequence[float] | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[History]:
    """Return one history per starting point, in their order.

    Args:
        study: Widths and loss filled in, and no callables or arrays within, so that
            it travels to any process.
        starts: Starting weights, one list of layers per network.
        data: Shared by all.
        engine: One of `ENGINES`.
        rates: Learning rates, one per network; None: the study's.
        threads: How many networks, or groups, to train at a time; None: one per core,
            and one alone where threads would only wait for each other. Changes no
            number.
        executor: Where to train instead, one group a task; it is not shut down.
        progress: Told how many steps are done, of how many; must not raise.

    Raises:
        InvalidValueError: If weights or rates are not what the study needs.
    """
    histories: dict[int, History] = {}
    for numbers, found in stream_ensemble(
        study, starts, data, engine=engine, rates=rates, threads=threads,
        executor=executor, progress=progress,
    ):  # fmt: skip
        histories.update(zip(numbers, found, strict=True))
    return [histories[number] for number in range(len(starts))]


def stream_ensemble(
    study: Study,
    starts: Sequence[Weights],
    data: Examples,
    *,
    engine: str = "reference",
    rates: Sequence[float] | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[range, list[History]]]:
    """Yield the numbers of some networks and their histories, as they end.

    Takes what `train_ensemble` takes. `starts` is read group by group, so that it may
    draw weights when it is asked for them.
    """
    rates = [study.learning_rate] * len(starts) if rates is None else list(rates)
    _check_rates(rates, len(starts))
    if engine == "reference":
        yield from _by_reference(
            study, starts, data, rates, threads, executor, progress
        )
        return
    if executor is not None:
        size = _trainer(engine, study, data).lanes if engine == "lanes" else 1
        yield from _by_executor(
            engine, study, starts, data, rates, _groups(len(starts), size), executor,
            progress,
        )  # fmt: skip
        return
    trainer = _trainer(engine, study, data)
    if threads is None and engine == "wide":
        batch = study.batch_size or len(data.train_x)
        cost = step_cost(study.network, batch, study.precision)
        threads = cost.wide_threads(cores())

    def train_group(group: range, tick: Tick) -> list[History]:
        chosen = [_checked(starts[number], study, number) for number in group]
        return trainer.train(chosen, [rates[number] for number in group], tick)

    yield from in_threads(
        _groups(len(starts), trainer.lanes), train_group, steps=study.steps,
        threads=threads, progress=progress,
    )  # fmt: skip


def _trainer(engine: str, study: Study, data: Examples) -> LaneTrainer | _wide.Trainer:
    return LaneTrainer(study, data) if engine == "lanes" else _wide.Trainer(study, data)


def _groups(networks: int, size: int) -> list[range]:
    """Return the networks' numbers, so many at a time."""
    return [
        range(first, min(first + size, networks)) for first in range(0, networks, size)
    ]


def _by_reference(
    study: Study,
    starts: Sequence[Weights],
    data: Examples,
    rates: Sequence[float],
    threads: int | None,
    executor: Executor | None,
    progress: Progress | None,
) -> Iterator[tuple[range, list[History]]]:
    refuse_for_reference(study.precision)
    if executor is not None:
        groups = _groups(len(starts), 1)
        yield from _by_executor(
            "reference", study, starts, data, rates, groups, executor, progress
        )
        return
    checked = [_checked(start, study, k) for k, start in enumerate(starts)]
    studies = [study.model_copy(update={"learning_rate": rate}) for rate in rates]
    for number, history in in_processes(
        studies, checked, data, threads=threads, progress=progress
    ):
        yield range(number, number + 1), [history]


def _by_executor(
    engine: str,
    study: Study,
    starts: Sequence[Weights],
    data: Examples,
    rates: Sequence[float],
    groups: Sequence[range],
    executor: Executor,
    progress: Progress | None,
) -> Iterator[tuple[range, list[History]]]:
    futures: dict[Future[list[History]], range] = {}
    try:
        for group in groups:
            chosen = [_checked(starts[number], study, number) for number in group]
            mine = [rates[number] for number in group]
            future = executor.submit(_train_alone, engine, study, chosen, data, mine)
            futures[future] = group
        done = 0
        for future in as_completed(futures):
            histories = future.result()
            done += len(histories)
            if progress is not None:
                progress(done * study.steps, len(starts) * study.steps)
            yield futures[future], histories
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _train_alone(
    engine: str,
    study: Study,
    starts: Sequence[Weights],
    data: Examples,
    rates: Sequence[float],
) -> list[History]:
    """Train a group in somebody's process, with BLAS as in ours."""
    with one_blas_thread():
        if engine != "reference":
            return _trainer(engine, study, data).train(starts, rates)
        studies = [study.model_copy(update={"learning_rate": rate}) for rate in rates]
        return [
            train(mine, start, data)
            for mine, start in zip(studies, starts, strict=True)
        ]


def refuse_for_reference(precision: str) -> None:
    """Make sure that the reference engine computes in it.

    Raises:
        InvalidValueError: If it does not.
    """
    if precision != "float64":
        raise InvalidValueError(
            f"the reference engine computes in float64, got {precision}",
            argument="precision",
            use=("engine", ("lanes", "wide")),
        )


def _check_rates(rates: Sequence[float], networks: int) -> None:
    if len(rates) != networks:
        raise InvalidValueError(
            f"one per network, {networks}, got {len(rates)}", argument="rates"
        )
    for number, rate in enumerate(rates):
        if not (np.isfinite(rate) and rate > 0):
            raise InvalidValueError(
                f"must be positive and finite, got {rate} for network {number}",
                argument="rates",
            )


def _checked(start: Weights, study: Study, number: int) -> Weights:
    """Return a network's weights, or refuse them: kernels check nothing."""
    widths = study.network.widths
    assert widths is not None
    shapes = [((fan_out, fan_in), (fan_out,)) for fan_in, fan_out in pairwise(widths)]
    given = [(np.shape(weight), np.shape(bias)) for weight, bias in start]
    if given != shapes:
        raise InvalidValueError(
            f"network {number} needs weights and biases of shapes {shapes}, "
            f"got {given}",
            argument="starts",
        )
    for layer, pair in enumerate(start, start=1):
        for what, array in zip(("weight", "bias"), pair, strict=True):
            if not np.isfinite(array).all():
                raise InvalidValueError(
                    f"network {number} has a {what} that is not finite in "
                    f"layer {layer}",
                    argument="starts",
                )
    return start
