"""Steps of training, for a group of networks on shared examples."""

from initlab.engine._lane_layers import (
    cleared,
    kernel,
    move_running,
)
from initlab.engine._lane_losses import (
    loss_delta,
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
    ADAM,
    BATCH_NORM,
    LAYERS,
    LOSS,
    MOMENTUM,
    OPTIMIZER,
    STRIP,
    TILE,
    WIDTHS,
)
from initlab.engine._vector import after
from initlab.engine._vector_functions import anywhere, filled, fma, plain, sqrt, where

# As in `_optimizers`.
_MOMENTUM = 0.9
_MEAN_DECAY, _SQUARE_DECAY = 0.9, 0.999
_ADAM_EPSILON = 1e-8


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
    weights, units = numbers(plan)
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
        strip = count if whole else min(STRIP, count)
        cleared(gradient, size)
        if whole:
            cleared(memory_of(plan, scratch, units, count)[4], units)
        share = filled(live, 1.0) / examples
        check = alive * 0.0
        for c in range(0, count, strip):
            chunk = min(strip, count - c)
            memory = memory_of(plan, scratch, units, chunk)
            padded(order, begin + c * TILE, end, chunk, rows)
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
                plain(False),
            )
            for t in range(chunk):
                logits = logits_of(plan, memory, units, chunk, t)
                here = TILE if t < chunk - 1 else last
                check = loss_delta(
                    plan[LOSS], logits, y, outputs, after(rows, t * TILE), here,
                    share, check,
                )  # fmt: skip
            backward(
                plan, units, chunk, last, parameters, gradient, memory, plain(False)
            )
        alive = _without(live, diverged, alive, check, first_step + s)
        if whole:
            moments = memory_of(plan, scratch, units, count)[3]
            move_running(running, moments, hidden, alive > 0.0)
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
