"""The functions of vectors against mpmath: the errors that `_vector_math` states."""

import functools
import re

import mpmath
import numpy as np
import pytest
from numba import types
from vector_programs import Mapped, compiled, pointer, target

from initlab.engine import _vector_math
from initlab.engine._vector_functions import (
    bits,
    from_bits,
    magnitude,
    narrowed,
    where,
    widened,
)

POINTS = 10**5
EXACT = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log1p": mpmath.log1p,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
}
# Where each is neither 0, 1 nor infinite; beyond are the boundaries below.
RANGE = {
    "exp": (-708, 709.7),
    "expm1": (-40, 709.7),
    "tanh": (-20, 20),
    "sigmoid": (-700, 40),
    "log1p": (-1 + 1e-15, 1e6),
    "erf": (-6, 6),
    "erfc": (-6, 26),
    "sin": (-1e5, 1e5),
    "cos": (-1e5, 1e5),
}
BOUNDARIES = {
    "exp": {710.0: np.inf, -746.0: 0.0, 1e308: np.inf, -1e308: 0.0},
    "expm1": {710.0: np.inf, -746.0: -1.0, -1e308: -1.0},
    "tanh": {30.0: 1.0, -30.0: -1.0, 1e308: 1.0},
    "sigmoid": {40.0: 1.0, -1e308: 0.0},
    "log1p": {-1.0: -np.inf, -2.0: np.nan, 1e308: 709.1962086421661},
    "erf": {7.0: 1.0, -7.0: -1.0},
    "erfc": {-7.0: 2.0, 28.0: 0.0},
    "sin": {0.0: 0.0},
    "cos": {0.0: 1.0},
}
AT_INFINITY = {
    "exp": (0, np.inf),
    "expm1": (-1, np.inf),
    "tanh": (-1, 1),
    "sigmoid": (0, 1),
    "log1p": (np.nan, np.inf),
    "erf": (-1, 1),
    "erfc": (2, 0),
    "sin": (np.nan, np.nan),
    "cos": (np.nan, np.nan),
}
every_function = pytest.mark.parametrize("name", EXACT)


@functools.cache
def mapped(name, precision="float64", width=512):
    return Mapped(getattr(_vector_math, name), precision, target(width))


def stated(name):
    """Return the errors in ulp that the module's docstring states, by precision."""
    row = re.search(rf"^    {name} +(\S+) +(\S+)", _vector_math.__doc__, re.MULTILINE)
    return dict(zip(("float64", "float32"), map(float, row.groups()), strict=True))


def points(name, count):
    rng = np.random.default_rng(1)
    low, high = RANGE[name]
    wide = rng.uniform(low, high, count // 2)
    near = rng.uniform(max(low, -3), min(high, 3), count // 4)
    tiny = rng.choice([-1, 1], count // 4) * 10.0 ** rng.uniform(-300, 0, count // 4)
    return np.concatenate([wide, near, tiny])


@pytest.mark.slow
@every_function
def test_float64_errs_by_no_more_than_is_stated(name):
    x = points(name, POINTS)
    y = mapped(name)(x)
    with mpmath.workprec(90):
        exact = [EXACT[name](mpmath.mpf(each)) for each in x.tolist()]
        away = [
            float(abs(mpmath.mpf(found) - wanted))
            for found, wanted in zip(y.tolist(), exact, strict=True)
        ]

    errors = np.array(away) / np.spacing(np.abs([float(each) for each in exact]))

    assert errors.max() <= stated(name)["float64"], x[errors.argmax()]


@every_function
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_infinities_nan_zeros_and_subnormals_are_right(name, precision):
    tiny = np.finfo(precision).smallest_subnormal
    x = np.array([-np.inf, np.inf, np.nan, 0.0, -0.0, tiny, -tiny], dtype=precision)

    y = mapped(name, precision)(x)

    np.testing.assert_array_equal(y[:2], np.array(AT_INFINITY[name], dtype=precision))
    assert np.isnan(y[2])
    with mpmath.workprec(90):
        around_zero = [float(EXACT[name](mpmath.mpf(float(each)))) for each in x[3:]]
    np.testing.assert_array_equal(y[3:], np.array(around_zero, dtype=precision))


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_far_angles_give_numbers_within_bounds(name, precision):
    x = np.logspace(5, np.log10(np.finfo(precision).max) - 1, 400).astype(precision)

    assert (abs(mapped(name, precision)(x)) <= 1.0 + 1e-6).all()


@every_function
def test_boundaries_are_met(name):
    cases = BOUNDARIES[name]

    y = mapped(name)(np.array(list(cases)))

    np.testing.assert_allclose(y, list(cases.values()), rtol=3e-16)


@every_function
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_narrower_vectors_give_the_same_bytes(name, precision):
    x = points(name, 2_000).astype(precision)

    widest = mapped(name, precision)(x).tobytes()

    assert mapped(name, precision, 256)(x).tobytes() == widest
    assert mapped(name, precision, 128)(x).tobytes() == widest


# erf, erfc, sin and cos of float32 are those of float64, rounded.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["exp", "expm1", "tanh", "sigmoid", "log1p"])
def test_float32_errs_by_no_more_than_is_stated_on_every_number(name):
    function = getattr(_vector_math, name)

    def program(offsets, begin, count, largest):
        """Keep the largest error in ulp of the float64 result, over bit patterns."""
        worst = largest[0]
        lanes = offsets[0] * 0 + 1
        for k in range(count):
            x = from_bits(offsets[0] + lanes * (begin + k * 16))
            y = widened(function(x))
            exact = function(widened(x))
            # The power of two below |exact|, or below the smallest normal number.
            size = magnitude(narrowed(exact))
            size = where(size > 1.1754943508222875e-38, size, 1.1754943508222875e-38)
            ulp = widened(from_bits(bits(size) & 0x7F800000)) * 2.0**-23
            error = magnitude(y - exact) / ulp
            # Infinite where the exact value rounds to infinity, or is.
            same = (y == exact) | (narrowed(exact) == function(x))
            error = where(same, 0.0, error)
            is_wrong = (y != y) & (exact == exact)
            error = where(is_wrong, 1e300, where(error == error, error, 0.0))
            worst = where(error > worst, error, worst)
        largest[0] = worst

    to = target(512)
    vector = pointer("float32", to).of
    kinds = (
        type(pointer("float32", to))(vector.of(types.int32)),
        types.int32,
        types.intp,
        type(pointer("float32", to))(vector.of(types.float64)),
    )
    run = compiled(program, kinds, to)
    largest = np.zeros(16)
    offsets = np.arange(16, dtype=np.int32)
    for begin in range(-(2**31), 2**31, 2**28):
        run(offsets, begin, 2**28 // 16, largest)

    assert 0.5 < largest.max() <= stated(name)["float32"]


@pytest.mark.parametrize(
    ("name", "function", "interval", "degree"),
    [
        ("exp", lambda r: mpmath.hyp1f1(1, 3, r) / 2, (-0.34692, 0.34692), 9),
        ("exp_single", lambda r: mpmath.hyp1f1(1, 3, r) / 2, (-0.347, 0.347), 4),
        (
            "sin",
            lambda z: mpmath.sin(mpmath.sqrt(z)) / z**1.5 - 1 / z,
            (1e-9, 0.6175),
            5,
        ),
        ("erf", lambda z: mpmath.erf(mpmath.sqrt(z)) / mpmath.sqrt(z), (1e-9, 1), 11),
    ],
)
def test_polynomials_are_the_fits_that_comments_say(name, function, interval, degree):
    kept = list(_vector_math.COEFFICIENTS[name])

    with mpmath.workdps(60):
        ends = [mpmath.mpf(end) for end in interval]
        fitted = mpmath.chebyfit(function, ends, degree + 1)[::-1]
        at = mpmath.linspace(*ends, 23)[1:-1]
        pairs = list(zip(fitted, kept, strict=True))
        apart = [abs(sum((a - b) * x**k for k, (a, b) in enumerate(pairs))) for x in at]

    assert len(kept) == degree + 1
    # Both are within the fit's own error, which is below half a unit in the last place.
    limit = 2**-25 if name.endswith("single") else 2**-53
    assert max(apart) < limit
