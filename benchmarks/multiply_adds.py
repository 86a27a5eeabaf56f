"""The processor's multiply-add rate, as vectors of ours reach it: nothing but fma."""

import ctypes
import time

import numba
import numpy as np
from numba import types

from initlab.engine._compile import object_code
from initlab.engine._library import load
from initlab.engine._target import host
from initlab.engine._vector import Lanes, Vector
from initlab.engine._vector_functions import fma

# Ten sums at a time: more than the processor's multiply-adds under way.
SUMS, ROUNDS = 10, 2_000_000


@numba.njit(error_model="numpy", no_cpython_wrapper=True)
def multiply_adds(x, rounds):
    c, d = x[0], x[1]
    s0, s1, s2, s3, s4 = x[2], x[3], x[4], x[5], x[6]
    s5, s6, s7, s8, s9 = x[7], x[8], x[9], x[10], x[11]
    for _ in range(rounds):
        s0, s1, s2 = fma(s0, c, d), fma(s1, c, d), fma(s2, c, d)
        s3, s4, s5 = fma(s3, c, d), fma(s4, c, d), fma(s5, c, d)
        s6, s7, s8 = fma(s6, c, d), fma(s7, c, d), fma(s8, c, d)
        s9 = fma(s9, c, d)
    x[0] = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9


class Peak:
    """Measures operations per second, two for a multiply-add, of one thread."""

    def __init__(self, precision: str) -> None:
        to = host()
        self._lanes = to.lanes(precision)
        place = Lanes(Vector(getattr(types, precision), self._lanes, 1, to.fused))
        code = object_code({"run": (multiply_adds, (place, types.intp))}, to)
        self._run = load(code, {"run": (ctypes.c_void_p, ctypes.c_ssize_t)})["run"]
        self._x = np.full((2 + SUMS, self._lanes), 0.999, dtype=precision)

    def __call__(self) -> float:
        begun = time.perf_counter()
        self._run(self._x, ROUNDS)
        seconds = time.perf_counter() - begun
        return 2.0 * SUMS * ROUNDS * self._lanes / seconds
