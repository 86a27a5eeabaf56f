"""Which engine is quickest for a study: a model of what a step costs on each.

Its constants were measured on one processor with 512-bit vectors (benchmarks/engines.py
prints them against today's machine); they are in terms of vectors, so that they scale
with a machine's width. The choice is never made by a clock: equal studies on equal
machines get equal engines, and so equal numbers.
"""

from dataclasses import dataclass

import numpy as np

from initlab.engine._cores import cores
from initlab.engine._layout import tiles
from initlab.engine._plan import TILE
from initlab.engine._target import host
from initlab.spec import MLP, Study

_LANE_STEP = 300.0  # ns: a step whatever its size
_LANE_LAYER = 30.0  # ns: a layer and four examples
_LANE_INPUT = 6.5  # ns: a feature of four examples, spread over the lanes
# Vector multiply-adds per ns by the bytes of a layer: a group's weights and gradients,
# which a strip of examples reads again: first and second cache, third, main memory.
_MEMORY = (2**17, 2**19, 2**21, 2**23, 2**25, 2**27)
_LANE_RATES = (3.1, 1.9, 1.35, 0.9, 0.65, 0.36)
_WIDE_LAYER = 15_000.0  # ns: NumPy's calls for a layer
_WIDE_ROW = 20.0  # ns: an example and a hidden layer, for products of narrow matrices
_WIDE_BYTE = 0.018  # ns: of the batch's inputs
_WIDE_VECTOR = 9.0  # ns: a vector of units, for all that is no matrix product
_WIDE_RATE = 2.3  # vector multiply-adds per ns, BLAS
# Threads wait for the interpreter where NumPy's calls take much of a step. Two ran .6
# to 1 times as fast as one beyond the first of these shares; below it each slows the
# others by the share's square over the second's (1.93, 1.37 and 1.35 times as fast as
# one at shares of .07, .10 and .13).
_CROWDED, _CROWDING = 0.15, 0.17


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """What a step costs, in microseconds of one core.

    Attributes:
        lanes: Of a whole group of networks, one per lane.
        wide: Of one network.
        calls: Part of `wide` that no other thread can use: NumPy's calls.
        group: Networks in a group.
    """

    lanes: float
    wide: float
    calls: float
    group: int

    def wide_threads(self, cores: int) -> int:
        """Return how many threads are quickest for matrix products."""
        return 1 if self.calls > _CROWDED * self.wide else cores

    def lanes_for(self, networks: int, cores: int) -> float:
        """Return how long a step of so many networks takes in lanes, microseconds."""
        return -(-networks // (self.group * cores)) * self.lanes

    def wide_for(self, networks: int, cores: int) -> float:
        """Return how long a step of so many networks takes by matrix products."""
        threads = min(networks, self.wide_threads(cores))
        waiting = (threads - 1) * (self.calls / self.wide / _CROWDING) ** 2
        return -(-networks // threads) * self.wide * (1 + waiting)

    def quickest(self, networks: int, cores: int) -> str:
        """Return the engine that trains so many networks soonest on so many cores."""
        lanes, wide = (f(networks, cores) for f in (self.lanes_for, self.wide_for))
        return "lanes" if lanes <= wide else "wide"


def step_cost(network: MLP, batch: int, precision: str) -> StepCost:
    """Return what a step of this network on so many examples costs."""
    assert network.widths is not None
    group = host().lanes(precision)
    fan_in, fan_out = np.array(network.widths[:-1]), np.array(network.widths[1:])
    products = fan_in * fan_out
    # Forward, weights' gradient, and below the first layer the deltas.
    operations = 3 * products
    operations[0] -= products[0]
    units = int(fan_out.sum())
    numbers = 2 * (products + fan_out)
    if network.batch_norm:  # every layer needs the whole batch
        numbers = numbers + 4 * fan_out * batch
    item = np.dtype(precision).itemsize
    rates = np.interp(
        np.log(numbers * group * item), np.log(_MEMORY), np.array(_LANE_RATES)
    )
    examples = tiles(batch) * TILE
    lanes = (
        _LANE_STEP
        + tiles(batch) * (len(fan_out) * _LANE_LAYER + fan_in[0] * _LANE_INPUT)
        + examples * float((operations / rates).sum())
    )
    calls = len(fan_out) * _WIDE_LAYER
    wide = (
        calls
        + (len(fan_out) - 1) * batch * _WIDE_ROW
        + batch * int(fan_in[0]) * item * _WIDE_BYTE
        + batch * units / group * _WIDE_VECTOR
        + batch * int(operations.sum()) / group / _WIDE_RATE
    )
    return StepCost(
        lanes=float(lanes) / 1e3, wide=wide / 1e3, calls=calls / 1e3, group=group
    )


def quickest(study: Study, networks: int, examples: int) -> str:
    """Return the name of the engine for so many networks of a study."""
    batch = study.batch_size or examples
    cost = step_cost(study.network, batch, study.precision)
    return cost.quickest(networks, cores())
