"""The fast engine for small networks: one network per SIMD lane.

Here the memory of a group is laid out and its history collected; the arithmetic is in
`_lane_training`. A group is as many networks as a vector has lanes. A smaller one is
filled with copies of its last network, which change nothing for the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from initlab.activations import ACTIVATIONS
from initlab.engine import _layout
from initlab.engine._kernels import Kernels, kernels
from initlab.engine._optimizers import ADAM_DECAYS
from initlab.engine._plan import MEASURED, TILE
from initlab.engine._reference import batches
from initlab.engine._summaries import COPY_TOLERANCE
from initlab.engine._values import (
    Examples,
    History,
    LayerSummaries,
    Parameters,
    Tick,
    Weights,
)
from initlab.spec import Study

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector
# Multiply-adds of one kernel call: some 20 ms, so that Ctrl-C is answered at once.
_CALL = 2e8
# What rounding does to exact copies is nothing, in any precision; this is what a
# difference is in float32.
_TOLERANCE = {"float64": COPY_TOLERANCE, "float32": 1e-5}


class LaneTrainer:
    """Trains groups of networks on the same examples; shared by threads.

    Args:
        study: Widths and loss filled in.
        data: Shared by all.
        bits: Width of vectors, if not the processor's own.
        compiled: Kernels from elsewhere than this machine's cache.

    Attributes:
        lanes: How many networks make a group.
    """

    def __init__(
        self,
        study: Study,
        data: Examples,
        bits: int | None = None,
        compiled: Kernels | None = None,
    ) -> None:
        self._kernels = compiled or kernels(study.precision, bits)
        self.lanes = self._kernels.lanes
        self._study, self._data = study, data
        self._plan = _layout.plan_of(study, data)
        real = np.dtype(study.precision)
        # Rows behind one another in memory, of the kernels' kind.
        self._train_x, self._train_y, self._test_x, self._test_y = (
            np.ascontiguousarray(array, dtype=real)
            for array in (data.train_x, data.train_y, data.test_x, data.test_y)
        )
        longest = max(len(data.train_x), len(data.test_x))
        self._everyone = np.arange(longest, dtype=np.int32)

    def train(
        self,
        starts: Sequence[Weights],
        rates: Sequence[float],
        tick: Tick = lambda _: None,
    ) -> list[History]:
        """Return the histories of up to `lanes` networks, in their order."""
        assert 0 < len(starts) <= self.lanes
        with np.errstate(over="ignore"):  # beyond float32: infinite, and has diverged
            group = _Group.starting(self._study, self._plan, starts, rates, self.lanes)
        records = _Records(self._study, self.lanes)
        examples = len(self._train_x)
        rows = np.empty(TILE * _layout.tiles(examples), dtype=np.int32)
        scratch = _aligned(_layout.scratch_count(self._plan, examples), group)
        recorded = self._study.recorded_steps
        calls = _calls(self._study, examples)
        for number, step in enumerate(recorded):
            tick(step)
            self._record(number, step, group, records, scratch, rows)
            if step == recorded[-1] or not group.live.any():
                break
            while True:
                call = next(calls)
                tick(call.first)
                self._kernels.train(
                    self._plan, self._train_x, self._train_y, call.order,
                    call.begins, call.ends, call.first, len(call.begins),
                    self._corrections(call), group.rates, group.live,
                    group.diverged, group.parameters, group.gradient, group.state,
                    group.running, scratch, rows,
                )  # fmt: skip
                is_recorded = call.first + len(call.begins) == recorded[number + 1]
                if is_recorded or not group.live.any():
                    break
        return [
            records.history(lane, group, self._study, self._data)
            for lane in range(len(starts))
        ]

    def _corrections(self, call: "_Call") -> np.ndarray:
        steps = np.arange(1, len(call.begins) + 1) + call.first
        decayed = [1 - decay ** steps.astype(float) for decay in ADAM_DECAYS]
        return np.stack(decayed, axis=1).astype(self._study.precision)

    def _record(
        self,
        number: int,
        step: int,
        group: "_Group",
        records: "_Records",
        scratch: np.ndarray,
        rows: np.ndarray,
    ) -> None:
        results = records.measured[number]
        self._kernels.measure(
            self._plan, self._train_x, self._train_y, self._everyone,
            len(self._train_x), group.parameters, group.gradient, group.running,
            group.start, ACTIVATIONS[self._study.network.activation].steepest,
            _TOLERANCE[self._study.precision], scratch, rows, results,
        )  # fmt: skip
        group.lose(~np.isfinite(results[0]), step)
        if self._study.network.batch_norm:
            results[1] = self._score(
                self._train_x, self._train_y, group, scratch, rows, results
            )
        if len(self._test_x):
            records.test[number] = self._score(
                self._test_x, self._test_y, group, scratch, rows, results
            )
        records.keep(number, group.live[0] > 0)
        if self._study.stop_at_loss is not None:
            group.stop(results[0].astype(float) <= self._study.stop_at_loss, step)

    def _score(
        self,
        x: np.ndarray,
        y: np.ndarray,
        group: "_Group",
        scratch: np.ndarray,
        rows: np.ndarray,
        like: np.ndarray,
    ) -> np.ndarray:
        score = np.empty_like(like[0])
        self._kernels.score(
            self._plan, x, y, self._everyone, len(x), group.parameters,
            group.running, scratch, rows, score,
        )  # fmt: skip
        return score


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """A group's memory: one column per lane."""

    parameters: np.ndarray
    start: np.ndarray
    gradient: np.ndarray
    state: np.ndarray
    running: np.ndarray
    rates: np.ndarray
    live: np.ndarray
    diverged: np.ndarray
    stopped: np.ndarray

    @classmethod
    def starting(
        cls,
        study: Study,
        plan: np.ndarray,
        starts: Sequence[Weights],
        rates: Sequence[float],
        lanes: int,
    ) -> "_Group":
        size = _layout.parameter_count(plan)

        def room(count: int) -> np.ndarray:
            return aligned(count, lanes, study.precision)

        parameters = room(size)
        chosen = np.minimum(np.arange(lanes), len(starts) - 1)
        for lane, member in enumerate(chosen):
            parameters[:, lane] = Parameters.starting_from(
                starts[member], batch_norm=study.network.batch_norm
            ).flat
        group = cls(
            parameters=parameters,
            start=parameters.copy(),
            gradient=room(size),
            state=room(_layout.state_count(plan)),
            running=room(_layout.running_count(plan)),
            rates=room(1),
            live=room(1),
            diverged=np.full((1, lanes), -1, dtype=np.int32),
            stopped=np.full(lanes, -1),
        )
        group.running[1::2] = 1  # variances
        group.rates[0] = np.asarray(rates)[chosen]
        group.live[:] = 1
        return group

    def lose(self, lost: np.ndarray, step: int) -> None:
        """Freeze the live lanes that are lost."""
        lost = lost & (self.live[0] > 0)
        self.diverged[0, lost] = step
        self.live[0, lost] = 0

    def stop(self, arrived: np.ndarray, step: int) -> None:
        """Freeze the live lanes that are where the study stops."""
        arrived = arrived & (self.live[0] > 0)
        self.stopped[arrived] = step
        self.live[0, arrived] = 0


class _Records:
    """What was measured at every recorded step, one column per lane."""

    def __init__(self, study: Study, lanes: int) -> None:
        records, layers = len(study.recorded_steps), study.network.layers
        fields = 2 + len(MEASURED) * layers
        self.measured = np.full((records, fields, lanes), np.nan, study.precision)
        self.test = np.full((records, lanes), np.nan, study.precision)

    def keep(self, number: int, live: np.ndarray) -> None:
        """Forget what was measured of lanes that no longer train."""
        self.measured[number][:, ~live] = np.nan
        self.test[number][~live] = np.nan

    def history(
        self, lane: int, group: _Group, study: Study, data: Examples
    ) -> History:
        mine = self.measured[:, :, lane].astype(np.float64)
        tested = self.test[:, lane].astype(np.float64)
        stopped_step = int(group.stopped[lane])
        if stopped_step >= 0:
            last = study.recorded_steps.index(stopped_step)
            mine[last:], tested[last:] = mine[last], tested[last]
        layers = mine[:, 2:].reshape(len(mine), len(MEASURED), -1)
        assert study.network.widths is not None
        batch_norm = study.network.batch_norm
        parameters = Parameters(study.network.widths, batch_norm=batch_norm)
        parameters.flat[:] = group.parameters[:, lane]
        running = group.running[:, lane].astype(np.float64).reshape(-1, 2).T
        edges = np.cumsum([0, *(len(scale) for scale in parameters.scales)])
        return History(
            loss=mine[:, 0],
            train_score=_score(mine[:, 1], data, data.train_y),
            test_score=_score(tested, data, data.test_y),
            layers=LayerSummaries(
                **{name: layers[:, at] for at, name in enumerate(MEASURED)}
            ),
            diverged_step=int(group.diverged[0, lane]),
            stopped_step=stopped_step,
            parameters=parameters,
            running=[
                (running[0, low:high].copy(), running[1, low:high].copy())
                for low, high in pairwise(edges)
            ],
        )


def _score(total: np.ndarray, data: Examples, y: np.ndarray) -> np.ndarray:
    """Return accuracies, or coefficients of determination, from sums over examples."""
    if not len(y):
        return total
    if data.is_classification:
        return total / len(y)
    whole = float(np.sum((y - y.mean(axis=0)) ** 2))
    return 1 - total / whole if whole else np.full_like(total, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """Some steps that a kernel takes at once: rows of the data, and whose they are."""

    first: int
    order: np.ndarray
    begins: np.ndarray
    ends: np.ndarray


def _calls(study: Study, examples: int) -> Iterator[_Call]:
    """Yield all steps in pieces that end where something is recorded, or before."""
    assert study.network.widths is not None
    products = sum(a * b for a, b in pairwise(study.network.widths))
    size = study.batch_size or examples
    most = max(1, int(_CALL / (3 * products * size)))
    everyone = np.arange(examples, dtype=np.int32)
    every_batch = batches(study, examples)
    for low, high in pairwise(study.recorded_steps):
        for first in range(low, high, most):
            steps = min(most, high - first)
            if size == examples:
                begins = np.zeros(steps, dtype=np.int32)
                order, ends = everyone, begins + np.int32(examples)
            else:
                rows = [everyone[next(every_batch)] for _ in range(steps)]
                ends = np.cumsum([len(each) for each in rows], dtype=np.int32)
                begins = np.append(0, ends[:-1]).astype(np.int32)
                order = np.concatenate(rows)
            yield _Call(first=first, order=order, begins=begins, ends=ends)


def aligned(count: int, lanes: int, precision: str) -> np.ndarray:
    """Return zeros `(count, lanes)` that begin at a cache line."""
    real = np.dtype(precision)
    size = max(count, 1) * lanes
    room = np.zeros(size + _ALIGNMENT // real.itemsize, dtype=real)
    skipped = -room.ctypes.data % _ALIGNMENT // real.itemsize
    return room[skipped : skipped + size].reshape(-1, lanes)[:count]


def _aligned(count: int, group: _Group) -> np.ndarray:
    return aligned(count, group.live.shape[1], group.live.dtype.name)
