"""Whole networks: steps of training, and what is recorded of a group of them.

One group of networks, one per lane, on shared examples. Every kernel takes a plan
(`_plan`), memory and sizes. Parameters lie as in `Parameters.flat`, a vector for each
number; scratch memory is `_plan.scratch_count` vectors.

Without batch norm, four examples go through all layers before the next four, and stay
in the first cache; with it, every layer needs the whole batch.
"""

from initlab.engine._lane_layers import (
    activate,
    affine,
    affine_backward,
    affine_gradient,
    cleared,
    kernel,
    move_running,
    normalize,
    normalize_backward,
    shift,
    shift_gradient,
)
from initlab.engine._lane_losses import (
    certain_total,
    loss_delta,
    loss_total,
    score_total,
)
from initlab.engine._plan import (
    ACTIVATION,
    ADAM,
    BATCH_NORM,
    LAYERS,
    LOSS,
    MEAN_SQUARED_ERROR,
    MOMENTUM,
    OPTIMIZER,
    RELU,
    SCORE,
    TILE,
    WIDTHS,
)
from initlab.engine._vector import (
    after,
    anywhere,
    example,
    filled,
    first,
    fma,
    fma_total,
    magnitude,
    plain,
    rounded,
    spread,
    sqrt,
    tiles,
    total,
    where,
)

# As in `_optimizers`.
_MOMENTUM = 0.9
_MEAN_DECAY, _SQUARE_DECAY = 0.9, 0.999
_ADAM_EPSILON = 1e-8
# As in `_summaries`.
_SATURATED_SLOPE = 0.05
_INACTIVE_SLOPE = 1e-3


@kernel
def _numbers(plan):
    """Return the weights and biases of one network, and its units, inputs included."""
    weights = 0
    units = plan[WIDTHS]
    for layer in range(plan[LAYERS]):
        weights += (plan[WIDTHS + layer] + 1) * plan[WIDTHS + layer + 1]
        units += plan[WIDTHS + layer + 1]
    return weights, units


@kernel
def _memory(plan, scratch, units, chunk):
    """Return activations, slopes, deltas, normalized values, moments and zeros."""
    buffer = units * chunk * TILE
    buffers = 4 if plan[BATCH_NORM] else 3
    a = tiles(scratch)
    slope = tiles(after(scratch, buffer))
    delta = tiles(after(scratch, 2 * buffer))
    normed = tiles(after(scratch, 3 * buffer))
    moments = after(scratch, buffers * buffer)
    return a, slope, delta, normed, moments, after(moments, 3 * units)


@kernel
def _forward(
    plan, x, rows, chunk, last, parameters, running, memory, training, is_plain
):
    """Fill activations and slopes of a chunk of examples; the last ones are logits.

    Args:
        rows: The chunk's examples, a multiple of four.
        chunk, last: How many tiles, and how many examples of the last one are real.
        is_plain: Keep slopes also where the activation's sign says them (ReLU).
    """
    a, slope, _, normed, moments, zeros = memory
    layers = plan[LAYERS]
    kind = plan[ACTIVATION]
    fan_in = plan[WIDTHS]
    for t in range(chunk):
        for i in range(fan_in):
            a[t * fan_in + i] = spread(a, x, fan_in, i, after(rows, t * TILE))
    scales = parameters
    if plan[BATCH_NORM]:
        scales = after(parameters, _numbers(plan)[0])
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
def _logits(plan, memory, units, chunk, t):
    """Return where the logits and their deltas of the chunk's tile t are."""
    outputs = plan[WIDTHS + plan[LAYERS]]
    at = (units - outputs) * chunk + t * outputs
    return after(memory[0], at), after(memory[2], at)


@kernel
def _backward(plan, units, chunk, last, parameters, gradient, memory, is_plain):
    """Add a chunk's share to the gradient, from the deltas of the logits."""
    a, slope, delta, normed, moments, _ = memory
    layers = plan[LAYERS]
    weight_at = _numbers(plan)[0]
    scale_at = weight_at
    at = units * chunk
    at -= plan[WIDTHS + layers] * chunk
    is_relu = plan[ACTIVATION] == RELU and not is_plain and plan[BATCH_NORM] == 0
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
        for t in range(chunk):
            d = after(delta, at + t * fan_out)
            shift_gradient(after(changes, fan_in * fan_out), d, fan_out)
        if plan[BATCH_NORM] and layer < layers - 1:
            hidden -= fan_out
            normalize_backward(
                after(delta, at), fan_out, chunk, last,
                after(parameters, scale_at + hidden),
                after(gradient, scale_at + hidden), after(moments, 3 * hidden),
                after(normed, at),
            )  # fmt: skip
        for t in range(chunk):
            under = after(a, below_at + t * fan_in)
            d = after(delta, at + t * fan_out)
            if layer == 0:
                affine_gradient(changes, fan_in, fan_out, under, d)
            else:
                affine_backward(
                    weights, changes, fan_in, fan_out, under,
                    after(slope, below_at + t * fan_in), d,
                    after(delta, below_at + t * fan_in), is_relu,
                )  # fmt: skip
        at = below_at


@kernel
def _padded(order, begin, end, chunk, rows):
    """Fill `rows` with the examples from `begin` on; repeat the last to fill a tile."""
    for k in range(chunk * TILE):
        at = begin + k
        rows[k] = order[at if at < end else end - 1]


@kernel
def _update(plan, size, parameters, gradient, state, rate, bias_1, bias_2, is_live):
    """Move the live networks' parameters; return 0, or NaN in lanes that are lost."""
    kind = plan[OPTIMIZER]
    check = rate * 0.0
    second = after(state, size)
    for k in range(size):
        g = gradient[k]
        if kind == MOMENTUM:
            g = fma(state[k], _MOMENTUM, g)
            state[k] = g
        elif kind == ADAM:
            mean = fma(state[k], _MEAN_DECAY, g * (1.0 - _MEAN_DECAY))
            square = fma(second[k], _SQUARE_DECAY, g * g * (1.0 - _SQUARE_DECAY))
            state[k] = mean
            second[k] = square
            g = mean / bias_1 / (sqrt(square / bias_2) + _ADAM_EPSILON)
        old = parameters[k]
        new = where(is_live, fma(-rate, g, old), old)
        parameters[k] = new
        check = fma(new, 0.0, check)
    return check


@kernel
def train(
    plan, x, y, order, begins, ends, first_step, steps, corrections, rates, live,
    diverged, parameters, gradient, state, running, scratch, rows,
):  # fmt: skip
    """Take so many steps.

    Args:
        order: Rows of the data, `begins[s]` to `ends[s]` of them for step s.
        corrections: Adam's 1 - decay^step, two numbers per step.
        rates: The learning rate of each lane.
        live: One vector: 1, or 0 in lanes that diverged.
        diverged: One vector of int32: the first bad step, or what was there.
        rows: Room for as many row numbers as the largest batch fills tiles.
    """
    weights, units = _numbers(plan)
    size = weights
    hidden = 0
    if plan[BATCH_NORM]:
        for layer in range(plan[LAYERS] - 1):
            hidden += plan[WIDTHS + layer + 1]
        size += hidden
    outputs = plan[WIDTHS + plan[LAYERS]]
    rate = rates[0]
    for s in range(steps):
        alive = live[0]
        if not anywhere(alive > 0.0):
            return
        begin = begins[s]
        end = ends[s]
        examples = end - begin
        count = (examples + TILE - 1) // TILE
        whole = plan[BATCH_NORM] != 0
        chunk = count if whole else 1
        memory = _memory(plan, scratch, units, chunk)
        cleared(gradient, size)
        if whole:
            cleared(memory[5], units)
        share = filled(live, 1.0) / examples
        check = alive * 0.0
        for c in range(0, count, chunk):
            _padded(order, begin + c * TILE, end, chunk, rows)
            last = min(examples - (c + chunk - 1) * TILE, TILE)
            _forward(
                plan,
                x,
                rows,
                chunk,
                last,
                parameters,
                running,
                memory,
                plain(True),
                plain(False),
            )
            for t in range(chunk):
                logits, delta = _logits(plan, memory, units, chunk, t)
                here = TILE if t < chunk - 1 else last
                check = loss_delta(
                    plan[LOSS], logits, y, outputs, after(rows, t * TILE), here,
                    share, delta, check,
                )  # fmt: skip
            _backward(
                plan, units, chunk, last, parameters, gradient, memory, plain(False)
            )
        alive = _without(live, diverged, alive, check, first_step + s)
        if whole:
            move_running(running, memory[4], hidden, alive > 0.0)
        check = _update(
            plan, size, parameters, gradient, state, rate, corrections[2 * s],
            corrections[2 * s + 1], alive > 0.0,
        )  # fmt: skip
        _without(live, diverged, alive, check, first_step + s + 1)


@kernel
def _without(live, diverged, alive, check, step):
    """Return, and store, who is live without those whose check is not finite."""
    is_lost = (check - check != 0.0) & (alive > 0.0)
    if anywhere(is_lost):
        alive = where(is_lost, 0.0, alive)
        live[0] = alive
        diverged[0] = where(is_lost, step, diverged[0])
    return alive


@kernel
def score(plan, x, y, order, examples, parameters, running, scratch, rows, result):
    """Store the score, summed over the examples: batch norm with its running values."""
    units = _numbers(plan)[1]
    outputs = plan[WIDTHS + plan[LAYERS]]
    memory = _memory(plan, scratch, units, plain(1))
    cleared(memory[5], units)
    added = filled(result, 0.0)
    for c in range((examples + TILE - 1) // TILE):
        _padded(order, c * TILE, examples, plain(1), rows)
        last = min(examples - c * TILE, TILE)
        _forward(
            plan,
            x,
            rows,
            1,
            last,
            parameters,
            running,
            memory,
            plain(False),
            plain(False),
        )
        logits, _ = _logits(plan, memory, units, plain(1), plain(0))
        added = added + score_total(plan[SCORE], logits, y, outputs, rows, last)
    result[0] = added


@kernel
def measure(
    plan, x, y, order, examples, parameters, gradient, running, start, steepest,
    tolerance, scratch, rows, results,
):  # fmt: skip
    """Store the loss, the score in training, and the summaries of every layer.

    Args:
        start: The parameters at step 0.
        steepest: The largest |f'| of the activation.
        tolerance: Units that differ by less, relative to a layer's largest, are equal.
        results: Loss, score, then `_plan.MEASURED` by layer.
    """
    weights, units = _numbers(plan)
    outputs = plan[WIDTHS + plan[LAYERS]]
    size = weights
    if plan[BATCH_NORM]:
        for layer in range(plan[LAYERS] - 1):
            size += plan[WIDTHS + layer + 1]
    count = (examples + TILE - 1) // TILE
    chunk = count if plan[BATCH_NORM] else 1
    memory = _memory(plan, scratch, units, chunk)
    sums = after(memory[5], units)
    cleared(gradient, size)
    cleared(memory[5], units)
    loss = filled(results, 0.0)
    lost = loss  # to rounding, of the sum so far (Kahan 1965)
    right = loss
    certain = loss
    share = filled(results, 1.0) / examples
    for c in range(0, count, chunk):
        _padded(order, c * TILE, examples, chunk, rows)
        last = min(examples - (c + chunk - 1) * TILE, TILE)
        _forward(
            plan,
            x,
            rows,
            chunk,
            last,
            parameters,
            running,
            memory,
            plain(True),
            plain(True),
        )
        for t in range(chunk):
            logits, delta = _logits(plan, memory, units, chunk, t)
            here = TILE if t < chunk - 1 else last
            row = after(rows, t * TILE)
            more = loss_total(plan[LOSS], logits, y, outputs, row, here) - lost
            added = loss + more
            lost = (added - loss) - more
            loss = added
            right = right + score_total(plan[SCORE], logits, y, outputs, row, here)
            certain = certain + certain_total(plan[LOSS], logits, outputs, here)
            loss_delta(plan[LOSS], logits, y, outputs, row, here, share, delta, right)
        _add_up(plan, chunk, last, memory, sums, c == 0, steepest)
        _backward(plan, units, chunk, last, parameters, gradient, memory, plain(True))
    results[0] = loss / examples
    results[1] = right
    if plan[LOSS] == MEAN_SQUARED_ERROR:
        certain = filled(results, 0.0) / 0.0
    _summarize(
        plan, examples, parameters, gradient, start, sums, certain, tolerance,
        memory[5], after(results, 2),
    )  # fmt: skip


@kernel
def _add_up(plan, chunk, last, memory, sums, is_first, steepest):
    """Add a chunk to each unit's sums.

    Six per unit: its first output k; sums of a - k, (a - k)^2 and a^2, so that the
    variance does not cancel; entries with small slopes; and the steepest slope.
    """
    a, slope, _, _, _, _ = memory
    zero = filled(sums, 0.0)
    for layer in range(plan[LAYERS]):
        fan_out = plan[WIDTHS + layer + 1]
        a = after(a, plan[WIDTHS + layer] * chunk)
        slope = after(slope, plan[WIDTHS + layer] * chunk)
        is_hidden = layer < plan[LAYERS] - 1
        for j in range(fan_out):
            if is_first:
                sums[0] = example(a[j], 0)
                for k in range(1, 6):
                    sums[k] = zero
            from_first = zero
            squares = zero
            own_squares = zero
            flat = zero
            largest = sums[5]
            for t in range(chunk):
                here = TILE if t < chunk - 1 else last
                value = a[t * fan_out + j]
                centred = first(value - sums[0], here)
                value = first(value, here)
                from_first = from_first + total(centred)
                squares = fma_total(centred, centred, squares)
                own_squares = fma_total(value, value, own_squares)
                if is_hidden:
                    # Fill-ins repeat a real example: they cannot be the steepest.
                    s = magnitude(slope[t * fan_out + j]) / steepest
                    one = filled(slope, 1.0)
                    flat = flat + total(
                        first(where(s < _SATURATED_SLOPE, one, 0.0), here)
                    )
                    largest = _larger(largest, s)
            sums[1] = sums[1] + from_first
            sums[2] = sums[2] + squares
            sums[3] = sums[3] + own_squares
            sums[4] = sums[4] + flat
            sums[5] = largest
            sums = after(sums, 6)


@kernel
def _larger(largest, tile):
    """Return the largest of a vector and a tile's examples; never NaN's."""
    s = example(tile, 0)
    largest = where(s > largest, s, largest)
    s = example(tile, 1)
    largest = where(s > largest, s, largest)
    s = example(tile, 2)
    largest = where(s > largest, s, largest)
    s = example(tile, 3)
    return where(s > largest, s, largest)


@kernel
def _summarize(
    plan, examples, parameters, gradient, start, sums, certain, tolerance, scales,
    results,
):  # fmt: skip
    """Store each layer's summaries, one measure after the other."""
    layers = plan[LAYERS]
    zero = filled(results, 0.0)
    for layer in range(layers):
        fan_in = plan[WIDTHS + layer]
        fan_out = plan[WIDTHS + layer + 1]
        is_last = layer == layers - 1
        squares = zero
        variance = zero
        flat = zero
        inactive = zero
        for _ in range(fan_out):
            mean = sums[1] / examples
            variance = variance + (sums[2] / examples - mean * mean)
            squares = squares + sums[3]
            flat = flat + sums[4]
            inactive = inactive + where(sums[5] < _INACTIVE_SLOPE, 1.0, zero)
            sums = after(sums, 6)
        changed = zero
        norm = zero
        slope = zero
        for k in range(fan_in * fan_out):
            w = parameters[k]
            norm = fma(w, w, norm)
            w = w - start[k]
            changed = fma(w, w, changed)
            slope = fma(gradient[k], gradient[k], slope)
        results[layer] = sqrt(squares / (examples * fan_out))
        variance = where(variance < 0.0, 0.0, variance)
        results[layers + layer] = sqrt(variance / fan_out)
        results[2 * layers + layer] = sqrt(slope)
        results[3 * layers + layer] = sqrt(norm)
        results[4 * layers + layer] = sqrt(changed)
        above = 0 if is_last else plan[WIDTHS + layer + 2]
        results[5 * layers + layer] = _distinct(
            parameters, fan_in, fan_out, above, tolerance, scales, zero
        )
        results[6 * layers + layer] = zero if is_last else inactive
        entries = examples * fan_out
        if is_last and plan[LOSS] != 0:
            entries = examples
        results[7 * layers + layer] = (certain if is_last else flat) / entries
        parameters = after(parameters, (fan_in + 1) * fan_out)
        gradient = after(gradient, (fan_in + 1) * fan_out)
        start = after(start, (fan_in + 1) * fan_out)


@kernel
def _distinct(weights, fan_in, fan_out, above, tolerance, scales, zero):
    """Return how many units are left when copies are counted once.

    Copies have equal incoming weights, bias and outgoing weights, in steps of
    `tolerance` times the largest of each column; `scales` has room for these.
    """
    columns = fan_in + 1 + above
    for c in range(columns):
        largest = zero
        for j in range(fan_out):
            w = magnitude(weights[_place(c, j, fan_in, fan_out)])
            largest = where(w > largest, w, largest)
        scales[c] = where(largest > 0.0, largest, 1.0) * tolerance
    copies = zero
    for j in range(1, fan_out):
        is_copy = zero
        for other in range(j):
            same = zero + 1.0
            for c in range(columns):
                mine = weights[_place(c, j, fan_in, fan_out)]
                its = weights[_place(c, other, fan_in, fan_out)]
                apart = rounded(mine / scales[c]) != rounded(its / scales[c])
                same = where(apart, 0.0, same)
                if not anywhere(same > 0.0):
                    break
            is_copy = where(same > 0.0, same, is_copy)
        copies = copies + is_copy
    return fan_out - copies


@kernel
def _place(column, unit, fan_in, fan_out):
    """Return where a unit's column is: incoming weights, its bias, outgoing ones."""
    if column < fan_in:
        return unit * fan_in + column
    if column == fan_in:
        return fan_in * fan_out + unit
    return (fan_in + 1) * fan_out + (column - fan_in - 1) * fan_out + unit
