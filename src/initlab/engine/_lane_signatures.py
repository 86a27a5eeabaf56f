"""The types of the kernels' arguments, in Numba's words; imports Numba."""

from collections.abc import Mapping
from typing import Any

from numba import types

from initlab.engine import _lane_layers, _lane_measures, _lane_training
from initlab.engine._plan import TILE
from initlab.engine._target import Target
from initlab.engine._vector import Lanes, Vector


def signatures(precision: str, target: Target) -> Mapping[str, tuple[Any, Any]]:
    """Return each exported kernel with the types of its arguments."""
    element = getattr(types, precision)
    lanes = target.lanes(precision)
    vectors = Lanes(Vector(element, lanes, 1, target.fused))
    steps = Lanes(Vector(types.int32, lanes, 1, target.fused))
    numbers = types.CPointer(element)
    integers = types.CPointer(types.int32)
    data = (integers, numbers, numbers, integers)
    return {
        "activate": (
            _lane_layers.activate,
            (types.int32, Lanes(vectors.of.for_examples(TILE)),
             Lanes(vectors.of.for_examples(TILE)), types.int32),
        ),
        "train": (
            _lane_training.train,
            (
                *data, integers, integers, types.int32, types.int32, numbers,
                vectors, vectors, steps, vectors, vectors, vectors, vectors,
                vectors, integers,
            ),
        ),
        "score": (
            _lane_measures.score,
            (*data, types.int32, vectors, vectors, vectors, integers, vectors),
        ),
        "measure": (
            _lane_measures.measure,
            (
                *data, types.int32, vectors, vectors, vectors, vectors, element,
                element, vectors, integers, vectors,
            ),
        ),
    }  # fmt: skip
