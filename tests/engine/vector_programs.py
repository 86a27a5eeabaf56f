"""Small vector programs, compiled as kernels are, for tests of the vector type."""

import ctypes
import dataclasses
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types

from initlab.engine._compile import object_code
from initlab.engine._library import load
from initlab.engine._target import Target, host
from initlab.engine._vector import Lanes, Vector

POINTER, SIZE = ctypes.c_void_p, ctypes.c_ssize_t


def target(bits: int, *, fused: bool = True) -> Target:
    return dataclasses.replace(host(bits), fused=fused and host().fused)


def pointer(precision: str, to: Target) -> Lanes:
    element = getattr(types, precision)
    return Lanes(Vector(element, to.lanes(precision), 1, to.fused))


def compiled(
    program: Any, arguments: tuple[Any, ...], to: Target
) -> Callable[..., None]:
    """Return a program of vectors as a function of arrays and sizes."""
    function = numba.njit(
        error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
    )(program)
    places = tuple(
        SIZE if isinstance(each, types.Integer) else POINTER for each in arguments
    )
    code = object_code({"program": (function, arguments)}, to)
    return load(code, {"program": places})["program"]


class Mapped:
    """A function of vectors, as one of arrays of any length."""

    def __init__(self, function: Any, precision: str, to: Target) -> None:
        def program(x, y, count):
            for k in range(count):
                y[k] = function(x[k])

        place = pointer(precision, to)
        self._lanes, self._precision = to.lanes(precision), precision
        self._run = compiled(program, (place, place, types.intp), to)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        count = -(-len(values) // self._lanes)
        x = np.zeros(count * self._lanes, dtype=self._precision)
        x[: len(values)] = values
        y = np.empty_like(x)
        self._run(x, y, count)
        return y[: len(values)]
