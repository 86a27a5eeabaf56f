"""What is recorded of a group of networks: loss, score, summaries of the layers."""

from initlab.engine._lane_layers import (
    cleared,
    kernel,
)
from initlab.engine._lane_losses import (
    certain_total,
    loss_delta,
    loss_total,
    score_total,
)
from initlab.engine._lane_network import (
    backward,
    forward,
    logits_of,
    memory_of,
    numbers,
    padded,
)
from initlab.engine._plan import (
    BATCH_NORM,
    LAYERS,
    LOSS,
    MEAN_SQUARED_ERROR,
    SCORE,
    TILE,
    WIDTHS,
)
from initlab.engine._vector import after
from initlab.engine._vector_functions import (
    anywhere,
    example,
    filled,
    first,
    fma,
    fma_total,
    magnitude,
    plain,
    rounded,
    sqrt,
    total,
    where,
)

# As in `_summaries`.
_SATURATED_SLOPE = 0.05
_INACTIVE_SLOPE = 1e-3


@kernel
def score(plan, x, y, order, examples, parameters, running, scratch, rows, result):
    """Store the score, summed over the examples: batch norm with its running values."""
    units = numbers(plan)[1]
    outputs = plan[WIDTHS + plan[LAYERS]]
    memory = memory_of(plan, scratch, units, plain(1))
    cleared(memory[4], units)
    added = filled(result, 0.0)
    for c in range((examples + TILE - 1) // TILE):
        padded(order, c * TILE, examples, plain(1), rows)
        last = min(examples - c * TILE, TILE)
        forward(
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
        logits = logits_of(plan, memory, units, plain(1), plain(0))
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
    weights, units = numbers(plan)
    outputs = plan[WIDTHS + plan[LAYERS]]
    size = weights
    if plan[BATCH_NORM]:
        for layer in range(plan[LAYERS] - 1):
            size += plan[WIDTHS + layer + 1]
    count = (examples + TILE - 1) // TILE
    chunk = count if plan[BATCH_NORM] else 1
    memory = memory_of(plan, scratch, units, chunk)
    sums = after(memory[4], units)
    cleared(gradient, size)
    cleared(memory[4], units)
    loss = filled(results, 0.0)
    lost = loss  # to rounding, of the sum so far (Kahan 1965)
    right = loss
    certain = loss
    share = filled(results, 1.0) / examples
    for c in range(0, count, chunk):
        padded(order, c * TILE, examples, chunk, rows)
        last = min(examples - (c + chunk - 1) * TILE, TILE)
        forward(
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
        _add_up(plan, chunk, last, memory, sums, c == 0, steepest)
        for t in range(chunk):
            logits = logits_of(plan, memory, units, chunk, t)
            here = TILE if t < chunk - 1 else last
            row = after(rows, t * TILE)
            more = loss_total(plan[LOSS], logits, y, outputs, row, here) - lost
            added = loss + more
            lost = (added - loss) - more
            loss = added
            right = right + score_total(plan[SCORE], logits, y, outputs, row, here)
            certain = certain + certain_total(plan[LOSS], logits, outputs, here)
            loss_delta(plan[LOSS], logits, y, outputs, row, here, share, right)
        backward(plan, units, chunk, last, parameters, gradient, memory, plain(True))
    results[0] = loss / examples
    results[1] = right
    if plan[LOSS] == MEAN_SQUARED_ERROR:
        certain = filled(results, 0.0) / 0.0
    _summarize(
        plan, examples, parameters, gradient, start, sums, certain, tolerance,
        memory[4], after(results, 2),
    )  # fmt: skip


@kernel
def _add_up(plan, chunk, last, memory, sums, is_first, steepest):
    """Add a chunk to each unit's sums.

    Six per unit: its first output k; sums of a - k, (a - k)^2 and a^2, so that the
    variance does not cancel; entries with small slopes; and the steepest slope.
    """
    a, slope, _, _, _ = memory
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
