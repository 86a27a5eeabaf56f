"""What the outputs are like, and what the loss answers about them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from initlab.capture._batch import Call, tensors_in
from initlab.capture._loss_probe import is_cross_entropy, probe_loss, probe_prior
from initlab.capture._losses import Loss, ignored_by
from initlab.capture._passes import differentiable
from initlab.capture._patterns import exponent_of
from initlab.capture._prior_probe import probe_priors
from initlab.capture._structure import Structure
from initlab.capture._trace import Trace
from initlab.spec import OutputReading

# From this share of one class on, the loss is asked whether that matters to it.
_UNEVEN = 0.5
_TWO_OUTPUTS = 2


def read_output(
    loss: Loss,
    function: Callable[..., Any] | None,
    call: Call,
    trace: Trace,
    structure: Structure,
) -> OutputReading:
    """Return what is known of outputs and targets, with what the loss says of them.

    The loss is asked where its name does not say what it is, and where classes are
    uneven: it may weigh them.

    Args:
        loss: Of the model's outputs.
        function: The user's loss; None: there is none.
        call: What the model was given.
        trace: Of the run that gave the outputs.
        structure: That was found in it.
    """
    given = tensors_in((call.args, call.kwargs))
    missing = sum(int(t.isnan().sum()) for t in given if t.is_floating_point())
    reading = replace(loss.reading, input_nan=missing)
    output = loss.output
    if output is None:
        return reading
    node = trace.node_of(output)
    reading = replace(
        reading,
        head=structure.head_of(node),
        scaled_by="" if node is None else exponent_of(trace.graph, node),
        alone=reading.loss_kind not in ("", "model's own")
        and len(differentiable(loss.outputs)) < _TWO_OUTPUTS,
    )
    if loss.of is None or not output.is_floating_point():
        return reading
    targets = tensors_in(call.targets)
    target = next(iter(targets), None)
    if _turns_out_cross_entropy(loss.of, output, target, reading):
        reading = replace(reading, loss_kind="cross_entropy")
    if reading.loss_kind == "given" and loss.ask is not None:
        priors = tuple(
            replace(
                found,
                head=structure.head_of(trace.node_of(place)),
                parameter=_only_source(trace, place),
            )
            for place, found in probe_priors(
                loss.ask, reading.loss, differentiable(loss.outputs), targets
            )
        )
        reading = replace(reading, priors=priors)
    try:
        if reading.loss_kind != "given":
            if reading.class_share > _UNEVEN and target is not None:
                shifted = probe_prior(loss.of, output, target, ignored_by(function))
                reading = replace(reading, loss_shifted=shifted)
        elif reading.classes < _TWO_OUTPUTS:
            reading = replace(reading, **probe_loss(loss.of, output, target))
    except Exception:  # a loss may refuse what no model gives it
        return reading
    return reading


def _turns_out_cross_entropy(
    of: Callable[[Tensor], Tensor],
    output: Tensor,
    target: Tensor | None,
    reading: OutputReading,
) -> bool:
    """Whether a loss whose name does not say so is one of logits and labels."""
    several = reading.loss_kind == "given" and reading.classes > 1
    if not several or target is None:
        return False
    try:
        return is_cross_entropy(of, output, target)
    except Exception:  # a loss may refuse what no model gives it
        return False


def _only_source(trace: Trace, output: Tensor) -> str:
    """Return the only parameter that an output is made of; "" if there are others."""
    sources = trace.sources(output) if trace.is_weight(output) else ()
    return sources[0] if len(sources) == 1 else ""
