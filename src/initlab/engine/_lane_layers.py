"""One layer at a time: forward, backward, batch norm, for every network of a group.

Kernels take pointers to vectors and tiles (see `_vector`), allocate nothing and cannot
fail. `below` and `above` are the activations of the layers on either side, `slope` is
f'(z), `delta` the loss's derivative with respect to z; all of them one tile per unit.
"""

import math

import numba

from initlab.engine._plan import (
    ELU,
    ERF,
    GELU,
    IDENTITY,
    LEAKY_RELU,
    RELU,
    SELU,
    SIGMOID,
    SILU,
    SIN,
    SOFTPLUS,
    TANH,
    TILE,
)
from initlab.engine._vector_functions import (
    filled,
    first,
    fma,
    fma_total,
    magnitude,
    sqrt,
    total,
    where,
    where_positive,
)
from initlab.engine._vector_math import cos, erf, erfc, exp, expm1, log1p, sin, tanh

# No bounds, no exceptions, no Python objects: what is left is arithmetic.
kernel = numba.njit(
    error_model="numpy",
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
    no_rewrites=True,
)

_LEAKY_SLOPE = 0.01
_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805
_INVERSE_SQRT2 = 1 / math.sqrt(2)
_INVERSE_SQRT_2PI = 1 / math.sqrt(2 * math.pi)
_TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)
# As in `_network`.
_BATCH_NORM_EPSILON = 1e-5
_RUNNING_DECAY = 0.9


@kernel
def affine(weights, shifts, fan_in, fan_out, below, above, is_relu):
    """Fill `above` with W below + shift, or with its positive part; two units at once.

    What is not a number stays so: an overflow is not hidden behind a zero.

    `weights` is `(fan_out, fan_in)`, `shifts` one vector per unit.
    """
    j = 0
    while j + 1 < fan_out:
        z0 = filled(above, shifts[j])
        z1 = filled(above, shifts[j + 1])
        row0 = j * fan_in
        row1 = row0 + fan_in
        for i in range(fan_in):
            a = below[i]
            z0 = fma(weights[row0 + i], a, z0)
            z1 = fma(weights[row1 + i], a, z1)
        if is_relu:
            z0 = where(z0 < 0.0, 0.0, z0)
            z1 = where(z1 < 0.0, 0.0, z1)
        above[j] = z0
        above[j + 1] = z1
        j += 2
    if j < fan_out:
        z0 = filled(above, shifts[j])
        row0 = j * fan_in
        for i in range(fan_in):
            z0 = fma(weights[row0 + i], below[i], z0)
        if is_relu:
            z0 = where(z0 < 0.0, 0.0, z0)
        above[j] = z0


@kernel
def affine_gradient(gradient, fan_in, fan_out, below, delta):
    """Add delta below^T to the gradient of W; two inputs at once."""
    i = 0
    while i + 1 < fan_in:
        a0 = below[i]
        a1 = below[i + 1]
        k = i
        for j in range(fan_out):
            d = delta[j]
            gradient[k] = fma_total(d, a0, gradient[k])
            gradient[k + 1] = fma_total(d, a1, gradient[k + 1])
            k += fan_in
        i += 2
    if i < fan_in:
        a0 = below[i]
        k = i
        for j in range(fan_out):
            gradient[k] = fma_total(delta[j], a0, gradient[k])
            k += fan_in


@kernel
def affine_backward(
    weights, gradient, fan_in, fan_out, below, slope, delta, shifts, is_relu, sign_place
):
    """Add delta below^T to W's gradient; overwrite below with its delta, W^T delta f'.

    Add it to the gradient of the shifts of the layer below, too.
    """
    i = 0
    while i + 1 < fan_in:
        a0 = below[i]
        a1 = below[i + 1]
        s0 = filled(below, 0.0)
        s1 = s0
        k = i
        for j in range(fan_out):
            d = delta[j]
            gradient[k] = fma_total(d, a0, gradient[k])
            gradient[k + 1] = fma_total(d, a1, gradient[k + 1])
            s0 = fma(weights[k], d, s0)
            s1 = fma(weights[k + 1], d, s1)
            k += fan_in
        if is_relu:
            s0 = where_positive(a0, s0, sign_place)
            s1 = where_positive(a1, s1, sign_place)
        else:
            s0 = s0 * slope[i]
            s1 = s1 * slope[i + 1]
        below[i] = s0
        below[i + 1] = s1
        shifts[i] = shifts[i] + total(s0)
        shifts[i + 1] = shifts[i + 1] + total(s1)
        i += 2
    if i < fan_in:
        a0 = below[i]
        s0 = filled(below, 0.0)
        k = i
        for j in range(fan_out):
            d = delta[j]
            gradient[k] = fma_total(d, a0, gradient[k])
            s0 = fma(weights[k], d, s0)
            k += fan_in
        s0 = where_positive(a0, s0, sign_place) if is_relu else s0 * slope[i]
        below[i] = s0
        shifts[i] = shifts[i] + total(s0)


@kernel
def activate(kind, z, a, count):
    """Fill `a` with f(z), and overwrite z with f'(z), for so many tiles."""
    if kind == RELU:
        for k in range(count):
            x = z[k]
            a[k] = where(x < 0.0, 0.0, x)
            z[k] = where(x > 0.0, filled(z, 1.0), 0.0)
    elif kind == LEAKY_RELU:
        for k in range(count):
            x = z[k]
            a[k] = where(x > 0.0, x, x * _LEAKY_SLOPE)
            z[k] = where(x > 0.0, filled(z, 1.0), _LEAKY_SLOPE)
    elif kind == TANH:
        for k in range(count):
            y = tanh(z[k])
            a[k] = y
            z[k] = fma(-y, y, 1.0)
    elif kind == SIGMOID:
        for k in range(count):
            y, slope = _sigmoid(z[k])
            a[k] = y
            z[k] = slope
    elif kind == ERF:
        for k in range(count):
            x = z[k]
            a[k] = erf(x)
            z[k] = exp(-(x * x)) * _TWO_OVER_SQRT_PI
    elif kind == GELU:
        for k in range(count):
            x = z[k]
            below = erfc(x * -_INVERSE_SQRT2) * 0.5
            a[k] = x * below
            z[k] = fma(x, exp(x * x * -0.5) * _INVERSE_SQRT_2PI, below)
    elif kind == SILU:
        for k in range(count):
            x = z[k]
            y, slope = _sigmoid(x)
            a[k] = x * y
            z[k] = fma(x, slope, y)
    elif kind == ELU:
        for k in range(count):
            x = z[k]
            negative = where(x > 0.0, 0.0, x)
            a[k] = where(x > 0.0, x, expm1(negative))
            z[k] = where(x > 0.0, 1.0, exp(negative))
    elif kind == SELU:
        for k in range(count):
            x = z[k]
            negative = where(x > 0.0, 0.0, x)
            a[k] = where(x > 0.0, x, expm1(negative) * _SELU_ALPHA) * _SELU_SCALE
            z[k] = where(x > 0.0, 1.0, exp(negative) * _SELU_ALPHA) * _SELU_SCALE
    elif kind == SOFTPLUS:
        for k in range(count):
            x = z[k]
            a[k] = where(x > 0.0, x, 0.0) + log1p(exp(-magnitude(x)))
            z[k] = 1.0 / (exp(-x) + 1.0)
    elif kind == SIN:
        for k in range(count):
            x = z[k]
            a[k] = sin(x)
            z[k] = cos(x)
    elif kind == IDENTITY:
        for k in range(count):
            a[k] = z[k]
            z[k] = filled(z, 1.0)


@kernel
def _sigmoid(x):
    """Return 1 / (1 + e^-x) and its derivative, exact also where it levels off."""
    e = exp(-magnitude(x))
    y = 1.0 / (e + 1.0)
    slope = e * y * y
    return where(x > 0.0, y, e * y), slope


@kernel
def normalize(z, fan_out, tiles, last, scales, moments, running, training, normalized):
    """Fill `normalized`, and overwrite z with it times each unit's scale.

    `moments` gets mean, variance and 1 / deviation of each unit over the examples;
    without training, they come from `running`. Ioffe & Szegedy (2015), algorithm 1.
    """
    examples = (tiles - 1) * TILE + last
    for j in range(fan_out):
        if training:
            added = filled(moments, 0.0)
            for t in range(tiles):
                count = TILE if t < tiles - 1 else last
                added = added + total(first(z[t * fan_out + j], count))
            mean = added / examples
            added = filled(moments, 0.0)
            for t in range(tiles):
                count = TILE if t < tiles - 1 else last
                from_mean = first(z[t * fan_out + j] - mean, count)
                added = fma_total(from_mean, from_mean, added)
            variance = added / examples
        else:
            mean = running[2 * j]
            variance = running[2 * j + 1]
        inverse = 1.0 / sqrt(variance + _BATCH_NORM_EPSILON)
        moments[3 * j] = mean
        moments[3 * j + 1] = variance
        moments[3 * j + 2] = inverse
        scale = scales[j]
        for t in range(tiles):
            k = t * fan_out + j
            x = (z[k] - mean) * inverse
            normalized[k] = x
            z[k] = x * scale


@kernel
def normalize_backward(delta, fan_out, tiles, last, scales, gradient, moments, normed):
    """Take delta back through the normalization, and add to the scales' gradient.

    Ioffe & Szegedy (2015), the chain rule after algorithm 1.
    """
    examples = (tiles - 1) * TILE + last
    for j in range(fan_out):
        # Examples that fill the last tile have no delta.
        added = filled(moments, 0.0)
        along = filled(moments, 0.0)
        for t in range(tiles):
            d = delta[t * fan_out + j]
            added = added + total(d)
            along = fma_total(d, normed[t * fan_out + j], along)
        gradient[j] = gradient[j] + along
        scale = scales[j]
        factor = scale * moments[3 * j + 2]
        mean = added / examples
        slope = along / examples
        for t in range(tiles):
            k = t * fan_out + j
            count = TILE if t < tiles - 1 else last
            delta[k] = first((delta[k] - mean - normed[k] * slope) * factor, count)


@kernel
def move_running(running, moments, units, is_live):
    """Move running means and variances toward those of the last batch."""
    for j in range(units):
        for k in range(2):
            old = running[2 * j + k]
            new = fma(moments[3 * j + k], 1.0 - _RUNNING_DECAY, old * _RUNNING_DECAY)
            running[2 * j + k] = where(is_live, new, old)


@kernel
def shift(z, shifts, fan_out):
    """Add to each unit's tile its shift."""
    for j in range(fan_out):
        z[j] = z[j] + shifts[j]


@kernel
def shift_gradient(gradient, delta, fan_out):
    """Add each unit's delta to the gradient of its shift."""
    for j in range(fan_out):
        gradient[j] = gradient[j] + total(delta[j])


@kernel
def cleared(pointer, count):
    """Fill with zeros."""
    for k in range(count):
        pointer[k] = 0.0
