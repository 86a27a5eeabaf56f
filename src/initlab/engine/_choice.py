"""Which engine is quickest for a study: a model of what a step costs on each.

Its constants were measured on one processor with 512-bit vectors (benchmarks/engines.py
prints them against today's machine); they are in terms of vectors, so that they scale
with a machine's width. The choice is never made by a clock: equal studies on equal
machines get equal engines, and so equal numbers.
"""

from dataclasses import dataclass

import numpy as np

from initlab.engine._layout import tiles
from initlab.engine._machine import cores
from initlab.engine._plan import TILE
from initlab.engine._target import host
from initlab.spec import MLP, Study

_LANE_STEP = 300.0  # ns: a step whatever its size
_LANE_LAYER = 30.0  # ns: a layer and four examples
_LANE_INPUT = 4.5  # ns: a feature of four examples, spread over the lanes
# Vector multiply-adds per ns by the memory of a group's weights and gradients, bytes:
# first and second cache, third cache, main memory.
_MEMORY = (2**18, 2**20, 2**22, 2**24, 2**26, 2**28)
_LANE_RATES = (3.0, 1.75, 1.4, 0.76, 0.65, 0.36)
_WIDE_LAYER = 15_000.0  # ns: NumPy's calls for a layer
_WIDE_ROW = 20.0  # ns: an example and a hidden layer, for products of narrow matrices
_WIDE_BYTE = 0.018  # ns: of the batch's inputs
_WIDE_VECTOR = 9.0  # ns: a vector of units, for all that is no matrix product
_WIDE_RATE = 2.3  # vector multiply-adds per ns, BLAS
# Where NumPy's calls take more than this share, threads wait for the interpreter:
# two ran .6 to 1 times as fast as one, and 1.3 times at a share of .1.
_CROWDED = 0.15


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

    def quickest(self, networks: int, cores: int) -> str:
        """Return the engine that trains so many networks soonest on so many cores."""
        lanes = -(-networks // (self.group * cores)) * self.lanes
        wide = -(-networks // self.wide_threads(cores)) * self.wide
        return "lanes" if lanes <= wide else "wide"


def step_cost(network: MLP, batch: int, precision: str) -> StepCost:
    """Return what a step of this network on so many examples costs."""
    assert network.widths is not None
    group = host().lanes(precision)
    fan_in, fan_out = np.array(network.widths[:-1]), np.array(network.widths[1:])
    products = fan_in * fan_out
    # Forward, weights' gradient, and below the first layer the deltas.
    operations = 3 * int(products.sum()) - int(products[0])
    units = int(fan_out.sum())
    numbers = 2 * int((products + fan_out).sum())
    if network.batch_norm:  # every layer needs the whole batch
        numbers += 4 * units * batch
    item = np.dtype(precision).itemsize
    rate = np.interp(
        np.log(numbers * group * item), np.log(_MEMORY), np.array(_LANE_RATES)
    )
    examples = tiles(batch) * TILE
    lanes = (
        _LANE_STEP
        + tiles(batch) * (len(fan_out) * _LANE_LAYER + fan_in[0] * _LANE_INPUT)
        + examples * operations / rate
    )
    calls = len(fan_out) * _WIDE_LAYER
    wide = (
        calls
        + (len(fan_out) - 1) * batch * _WIDE_ROW
        + batch * int(fan_in[0]) * item * _WIDE_BYTE
        + batch * units / group * _WIDE_VECTOR
        + batch * operations / group / _WIDE_RATE
    )
    return StepCost(
        lanes=float(lanes) / 1e3, wide=wide / 1e3, calls=calls / 1e3, group=group
    )


def quickest(study: Study, networks: int, examples: int) -> str:
    """Return the name of the engine for so many networks of a study."""
    batch = study.batch_size or examples
    cost = step_cost(study.network, batch, study.precision)
    return cost.quickest(networks, cores())
