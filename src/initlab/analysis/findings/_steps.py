"""Checks of numbers' range and of the first update."""

import math
from collections.abc import Iterator

import numpy as np

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter
from initlab.messages import Severity
from initlab.spec import ParameterReading

_LOW_PRECISION = frozenset({"float16", "bfloat16"})
_SUBNORMAL, _MOSTLY = 0.01, 0.5
# Adam's step of 1e-3 on weights with a deviation of 0.01, as GoogLeNet's, is 0.1. What
# is small beside LeCun's law, as an adapter, may go far and still be small.
_LONG, _FAR_TOO_LONG, _SHORT = 0.2, 1.0, 1e-6
_USUAL_STEP = 0.01
# Of the loss, after a step of a linear model that was not too long.
_FALLS = 0.7
# Sums with a norm behind them. Eight are fine in our healthy models; BERT has 24, and
# needs warm-up.
_POST_NORM_BLOCKS, _DEEP_POST_NORM, _GROWING = 6, 20, 2.0


def low_precision(model: Model) -> Iterator[Finding]:
    """WI22: numbers that the type cannot hold."""
    low = [p for p in model.facts.parameters if p.dtype in _LOW_PRECISION and p.reached]
    if not low:
        return
    weights = [p for p in low if p.role in ("weight", "embedding")]
    under = [p for p in weights if p.gradient_subnormal > _SUBNORMAL]
    # A gradient that is 0 although a larger one comes back was rounded to it, unless a
    # zero weight stops the loss's by design.
    stopped = any(p.largest == 0 for p in weights)
    gone = [p for p in weights if p.gradient_zero and p.random_norm > 0 and not stopped]
    quiet = [
        use for use in model.uses
        if (0 < model.of("preactivation_rms", use.index) < 6.1e-5 and not use.previous)
        or 0 < model.of("activation_rms", use.index) < 6.1e-5
    ] if any(p.dtype == "float16" for p in low) else []  # fmt: skip
    concerned = [*gone, *under]
    if not concerned and not quiet:
        return
    name = concerned[0].name if concerned else quiet[0].parameter
    if quiet:
        name = quiet[0].parameter
    share = max((p.gradient_subnormal for p in under), default=1.0)
    # What float16 holds with fewer digits, the usual scaling of the loss lifts: 2^16.
    scaled = low[0].dtype == "float16"
    severity: Severity = "info" if scaled else "warning"
    if gone or quiet or (share > _MOSTLY and not scaled):
        severity = "error"
    yield Finding(
        id="WI22", severity=severity,
        cause="underflow", module=name.rpartition(".")[0], parameter=name,
        measured=share, expected=_SUBNORMAL,
        evidence={"dtype": low[0].dtype, "gone": len(gone)},
        places=tuple(dict.fromkeys([name, *(p.name for p in concerned)])),
    )  # fmt: skip


def first_update(model: Model) -> Iterator[Finding]:
    """WI24: the optimizer's first step is far too long, too short, or untimely."""
    facts = model.facts
    if not facts.optimizer:
        return
    moved = [
        p for p in facts.parameters
        if len(p.shape) > 1 and p.role == "weight" and math.isfinite(p.update_ratio)
        and not p.gradient_zero and not p.frozen
    ]  # fmt: skip
    # Behind zeros nothing else moves at first; beside others they may go far.
    moved = [p for p in moved if p.std > 0] or _zero_heads(model, moved)
    if not moved:
        return
    # Heads are often quiet by design, so that a step takes them far.
    heads = {use.parameter for use in model.uses if use.head}
    moved = [p for p in moved if p.name not in heads] or moved
    ratios = np.array([p.update_ratio for p in moved])
    factors = {use.parameter: model.weight_factor(use.index) for use in model.uses}
    smallness = [
        min(1.0, factors.get(p.name, 1.0)) ** 0.5 if p.std > 0 else 1.0 for p in moved
    ]
    middle = float(np.median(ratios * smallness))
    # A linear regression may be taken far towards its solution at once.
    arrives = facts.output.loss_after < _FALLS * facts.output.loss
    long = middle > _LONG and not arrives
    # What lies behind a small factor may wait for it, as long as anything moves.
    short = float((ratios * smallness).max()) < _SHORT
    if long or short:
        worst = moved[int(np.argmax(ratios) if long else np.argmin(ratios))]
        yield Finding(
            id="WI24",
            severity="error" if middle > _FAR_TOO_LONG else "warning",
            cause="long_step" if long else "short_step",
            module=worst.name.rpartition(".")[0], parameter=worst.name,
            measured=middle, expected=_LONG if long else _SHORT,
            evidence={"optimizer": facts.optimizer, "factor": middle / _USUAL_STEP},
        )  # fmt: skip
        return
    yield from _post_norm(model, middle)


def left_out(model: Model) -> Iterator[Finding]:
    """WI24: parameters with a gradient that the optimizer does not hold.

    Some optimizers are for matrices alone, and another one has the rest.
    """
    waits = [
        p for p in model.facts.parameters
        if p.reached and not (p.frozen or p.gradient_zero)
    ]  # fmt: skip
    out = [p for p in waits if p.left_out]
    held = [p for p in waits if not p.left_out]
    shared = all(len(p.shape) > 1 for p in held) and any(len(p.shape) < 2 for p in out)
    if out and not shared:
        yield at_parameter(
            out[0], "WI24", "warning", "not_optimized", measured=float(len(out)),
            expected=0.0,
            evidence={"optimizer": model.facts.optimizer, "all": len(waits)},
            places=tuple(p.name for p in out),
        )  # fmt: skip


def _zero_heads(model: Model, moved: list[ParameterReading]) -> list[ParameterReading]:
    """Return heads of zeros that a step takes beyond all usual weights, or nowhere."""
    heads = {use.parameter for use in model.uses if use.head and use.zero}
    return [
        p for p in moved
        if p.name in heads and not _SHORT < p.update_ratio < _FAR_TOO_LONG
    ]  # fmt: skip


def _post_norm(model: Model, middle: float) -> Iterator[Finding]:
    """Yield what Adam without warm-up does to a deep post-norm transformer."""
    if not model.facts.attentions:
        return
    post = [block for block in model.facts.blocks if block.post_norm]
    adam = "adam" in model.facts.optimizer.lower()
    if not adam or len(post) < _POST_NORM_BLOCKS or middle < 1e-3:
        return
    blocks = [b for b in post if b.ends]
    norms = [model.of("loss_gradient_norm", b.ends[-1]) for b in blocks]
    if len(norms) < 2 or not norms[0] > 0:
        return
    growing = norms[-1] / norms[0] > _GROWING
    deep = len(post) >= _DEEP_POST_NORM
    yield Finding(
        id="WI24", severity="warning" if deep and growing else "info",
        cause="post_norm", module=blocks[-1].module,
        measured=norms[-1] / norms[0], expected=1.0,
        evidence={"blocks": len(post), "optimizer": model.facts.optimizer},
    )  # fmt: skip
