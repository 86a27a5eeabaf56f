"""A whole network, forward and backward, for every network of a group.

Kernels take a plan (`_plan`), memory and sizes. Parameters lie as in `Parameters.flat`,
a vector for each number; scratch memory is `_layout.scratch_count` vectors.

Without batch norm, a strip of some tiles goes through all layers before the next, and
stays in the first caches; with it, every layer needs the whole batch.
"""

from initlab.engine._lane_layers import (
    activate,
    affine,
    affine_backward,
    affine_gradient,
    kernel,
    normalize,
    normalize_backward,
    shift,
    shift_gradient,
)
from initlab.engine._plan import (
    ACTIVATION,
    BATCH_NORM,
    LAYERS,
    RELU,
    TILE,
    WIDTHS,
)
from initlab.engine._vector import after, tiles
from initlab.engine._vector_functions import place_of_sign, plain, spread


@kernel
def numbers(plan):
    """Return the weights and biases of one network, and its units, inputs included."""
    weights = 0
    units = plan[WIDTHS]
    for layer in range(plan[LAYERS]):
        weights += (plan[WIDTHS + layer] + 1) * plan[WIDTHS + layer + 1]
        units += plan[WIDTHS + layer + 1]
    return weights, units


@kernel
def memory_of(plan, scratch, units, chunk):
    """Return activations, slopes, normalized values, moments and zeros.

    On the way back, deltas take the activations' place, layer by layer.
    """
    buffer = units * chunk * TILE
    buffers = 3 if plan[BATCH_NORM] else 2
    a = tiles(scratch)
    slope = tiles(after(scratch, buffer))
    normed = tiles(after(scratch, 2 * buffer))
    moments = after(scratch, buffers * buffer)
    return a, slope, normed, moments, after(moments, 3 * units)


@kernel
def forward(
    plan, x, rows, chunk, last, parameters, running, memory, training, is_plain
):
    """Fill activations and slopes of a chunk of examples; the last ones are logits.

    Args:
        rows: The chunk's examples, a multiple of four.
        chunk, last: How many tiles, and how many examples of the last one are real.
        is_plain: Keep slopes also where the activation's sign says them (ReLU).
    """
    a, slope, normed, moments, zeros = memory
    layers = plan[LAYERS]
    kind = plan[ACTIVATION]
    fan_in = plan[WIDTHS]
    for t in range(chunk):
        for i in range(fan_in):
            a[t * fan_in + i] = spread(a, x, fan_in, i, after(rows, t * TILE))
    scales = parameters
    if plan[BATCH_NORM]:
        scales = after(parameters, numbers(plan)[0])
    hidden = 0
    for layer in range(layers):
        fan_in = plan[WIDTHS + layer]
        fan_out = plan[WIDTHS + layer + 1]
        below = a
        a = after(a, fan_in * chunk)
        slope = after(slope, fan_in * chunk)
        normed = after(normed, fan_in * chunk)
        biases = after(parameters, fan_in * fan_out)
        if layer == layers - 1:
            for t in range(chunk):
                under = after(below, t * fan_in)
                above = after(a, t * fan_out)
                affine(parameters, biases, fan_in, fan_out, under, above, plain(False))
        elif plan[BATCH_NORM]:
            for t in range(chunk):
                under = after(below, t * fan_in)
                z = after(slope, t * fan_out)
                affine(parameters, zeros, fan_in, fan_out, under, z, plain(False))
            normalize(
                slope, fan_out, chunk, last, after(scales, hidden),
                after(moments, 3 * hidden), after(running, 2 * hidden), training,
                normed,
            )  # fmt: skip
            for t in range(chunk):
                z = after(slope, t * fan_out)
                shift(z, biases, fan_out)
                activate(kind, z, after(a, t * fan_out), fan_out)
            hidden += fan_out
        elif kind == RELU and not is_plain:
            for t in range(chunk):
                under = after(below, t * fan_in)
                above = after(a, t * fan_out)
                affine(parameters, biases, fan_in, fan_out, under, above, plain(True))
        else:
            for t in range(chunk):
                under = after(below, t * fan_in)
                z = after(slope, t * fan_out)
                affine(parameters, biases, fan_in, fan_out, under, z, plain(False))
                activate(kind, z, after(a, t * fan_out), fan_out)
        parameters = after(biases, fan_out)


@kernel
def logits_of(plan, memory, units, chunk, t):
    """Return where the logits, or their deltas, of the chunk's tile t are."""
    outputs = plan[WIDTHS + plan[LAYERS]]
    return after(memory[0], (units - outputs) * chunk + t * outputs)


@kernel
def backward(plan, units, chunk, last, parameters, gradient, memory, is_plain):
    """Add a chunk's share to the gradient, from the deltas in the logits' place."""
    a, slope, normed, moments, _ = memory
    layers = plan[LAYERS]
    weight_at = numbers(plan)[0]
    scale_at = weight_at
    at = units * chunk
    at -= plan[WIDTHS + layers] * chunk
    is_relu = plan[ACTIVATION] == RELU and not is_plain and plan[BATCH_NORM] == 0
    sign_place = place_of_sign(gradient)
    hidden = 0
    for layer in range(layers - 1):
        hidden += plan[WIDTHS + layer + 1]
    for layer in range(layers - 1, -1, -1):
        fan_in = plan[WIDTHS + layer]
        fan_out = plan[WIDTHS + layer + 1]
        weight_at -= (fan_in + 1) * fan_out
        below_at = at - fan_in * chunk
        weights = after(parameters, weight_at)
        changes = after(gradient, weight_at)
        if layer == layers - 1:
            for t in range(chunk):
                d = after(a, at + t * fan_out)
                shift_gradient(after(changes, fan_in * fan_out), d, fan_out)
        if plan[BATCH_NORM] and layer < layers - 1:
            hidden -= fan_out
            normalize_backward(
                after(a, at), fan_out, chunk, last,
                after(parameters, scale_at + hidden),
                after(gradient, scale_at + hidden), after(moments, 3 * hidden),
                after(normed, at),
            )  # fmt: skip
        for t in range(chunk):
            under = after(a, below_at + t * fan_in)
            d = after(a, at + t * fan_out)
            if layer == 0:
                affine_gradient(changes, fan_in, fan_out, under, d)
            else:
                affine_backward(
                    weights, changes, fan_in, fan_out, under,
                    after(slope, below_at + t * fan_in), d,
                    after(gradient, weight_at - fan_in), is_relu, sign_place,
                )  # fmt: skip
        at = below_at


@kernel
def padded(order, begin, end, chunk, rows):
    """Fill `rows` with the examples from `begin` on; repeat the last to fill a tile."""
    for k in range(chunk * TILE):
        at = begin + k
        rows[k] = order[at if at < end else end - 1]
