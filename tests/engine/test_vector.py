import numpy as np
import pytest
from numba import types
from vector_programs import compiled, pointer, target

from initlab.engine._vector import after, tiles
from initlab.engine._vector_functions import (
    anywhere,
    example,
    filled,
    first,
    fma,
    fma_total,
    place_of_sign,
    spread,
    total,
    where,
    where_positive,
)

BITS = (128, 256, 512)
PRECISIONS = ("float64", "float32")
every_vector = pytest.mark.parametrize(
    ("bits", "precision"), [(b, p) for b in BITS for p in PRECISIONS]
)


def arrays(bits, precision, *shapes):
    lanes = target(bits).lanes(precision)
    rng = np.random.default_rng(0)
    return [rng.normal(size=(*shape, lanes)).astype(precision) for shape in shapes]


def run(program, bits, precision, *given):
    to = target(bits)
    kinds = [
        pointer(precision, to) if isinstance(each, np.ndarray) else types.intp
        for each in given
    ]
    compiled(program, tuple(kinds), to)(*given)


@every_vector
def test_operators_are_numpys_lane_by_lane(bits, precision):
    def program(x, y, out):
        a = x[0]
        b = y[0]
        out[0] = a + b * 2.0
        out[1] = a - b / a
        out[2] = -a
        out[3] = 1.0 / b
        out[4] = where(a > b, a, 0.0)
        out[5] = where((a <= b) & (b != 0.0), a, b)
        out[6] = where((a < 0.0) | (b >= 0.0), 1.0, b)

    x, y, out = arrays(bits, precision, (1,), (1,), (7,))
    run(program, bits, precision, x, y, out)

    a, b = x[0], y[0]
    expected = [
        a + b * 2,
        a - b / a,
        -a,
        1 / b,
        np.where(a > b, a, 0),
        np.where((a <= b) & (b != 0), a, b),
        np.where((a < 0) | (b >= 0), 1, b),
    ]
    np.testing.assert_array_equal(out, np.array(expected, dtype=precision))


@every_vector
def test_a_tile_is_a_vector_for_each_of_four_examples(bits, precision):
    def program(x, w, out):
        tile = tiles(x)[0]
        weight = w[0]
        tiles(out)[0] = fma(weight, tile, filled(tiles(out), 1.0))
        tiles(out)[1] = where(tile > 0.0, tile, 0.0)
        tiles(out)[2] = first(tile, 3)
        out[12] = total(tile)
        out[13] = fma_total(tile, tile, weight)
        out[14] = example(tile, 2)

    x, w, out = arrays(bits, precision, (4,), (1,), (15,))
    run(program, bits, precision, x, w, out)

    # One rounding of a product and a sum, or two where there is no fused one.
    close = {"rtol": 4 * np.finfo(precision).eps, "atol": 4 * np.finfo(precision).eps}
    np.testing.assert_allclose(out[:4], w * x + 1, **close)
    np.testing.assert_array_equal(out[4:8], np.maximum(x, 0))
    np.testing.assert_array_equal(out[8:12], np.where(np.arange(4)[:, None] < 3, x, 0))
    np.testing.assert_array_equal(out[12], (x[0] + x[1]) + (x[2] + x[3]))
    np.testing.assert_allclose(out[13], w[0] + (x**2).sum(axis=0), **close)
    np.testing.assert_array_equal(out[14], x[2])


def test_multiply_adds_are_rounded_once_where_the_processor_can():
    def program(x, out):
        out[0] = fma(x[0], x[0], -1.0)

    to = target(256)
    x = np.full((1, 4), 1 + 2**-30)
    fused, plain = np.zeros((2, 1, 4))
    compiled(program, (pointer("float64", to),) * 2, to)(x, fused)
    to = target(256, fused=False)
    compiled(program, (pointer("float64", to),) * 2, to)(x, plain)

    assert (plain == 2**-29).all()
    assert (fused == (2**-29 + 2**-60 if target(256).fused else 2**-29)).all()


def test_comparisons_with_nan_are_false_but_for_inequality():
    def program(x, out):
        a = x[0]
        out[0] = where(a < 1.0, 1.0, filled(x, 0.0))
        out[1] = where(a == a, 1.0, filled(x, 0.0))
        out[2] = where(a != a, 1.0, filled(x, 0.0))

    x, out = np.full((1, 8), np.nan), np.zeros((3, 8))
    run(program, 512, "float64", x, out)

    assert out[:, 0].tolist() == [0, 0, 1]


@every_vector
def test_what_is_not_positive_is_masked_whatever_its_sign_and_size(bits, precision):
    def program(x, y, out, count):
        sign = place_of_sign(x)
        for k in range(count):
            out[k] = where_positive(x[k], y[k], sign)

    tiny, huge = np.finfo(precision).smallest_subnormal, np.finfo(precision).max
    numbers = [0.0, -0.0, tiny, -tiny, 1.0, -1.0, huge, -huge, np.inf, -np.inf]
    lanes = target(bits).lanes(precision)
    x = np.repeat(np.array(numbers, dtype=precision)[:, None], lanes, axis=1)
    (y,) = arrays(bits, precision, (len(numbers),))
    y[:, 0] = np.inf  # masked by its bits, not multiplied by 0
    out = np.empty_like(x)
    run(program, bits, precision, x, y, out, len(numbers))

    np.testing.assert_array_equal(out, np.where(x > 0, y, 0))


@pytest.mark.parametrize("lane", [None, 0, 5])
def test_anywhere_asks_every_lane(lane):
    def program(x, out):
        if anywhere(x[0] > 0.0):
            out[0] = 1.0

    x, out = np.zeros((1, 8)), np.zeros((1, 8))
    if lane is not None:
        x[0, lane] = 1
    run(program, 512, "float64", x, out)

    assert (out == (lane is not None)).all()


def test_data_is_spread_over_the_lanes_row_by_row():
    def program(data, rows, out):
        tiles(out)[0] = spread(tiles(out), data, 3, 1, after(rows, 2))

    to = target(512)
    data = np.arange(15.0).reshape(5, 3)
    rows = np.array([9, 9, 4, 0, 2, 2], dtype=np.int32)
    out = np.zeros((4, 8))
    kinds = (
        types.CPointer(types.float64),
        types.CPointer(types.int32),
        pointer("float64", to),
    )
    compiled(program, kinds, to)(data, rows, out)

    np.testing.assert_array_equal(out, np.repeat([[13], [1], [7], [7]], 8, axis=1))
