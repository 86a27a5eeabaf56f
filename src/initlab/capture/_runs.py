"""A model's runs on its batch, and what counts of what it gives back."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from initlab.capture._batch import Call, tensors_held, tensors_in, without_iterators
from initlab.capture._failures import named_failure
from initlab.capture._losses import Loss, read_loss
from initlab.capture._modules import around_modules
from initlab.capture._own_loss import LossRunError
from initlab.capture._passes import differentiable
from initlab.capture._recorder import Recorder
from initlab.capture._trace import Trace

LossFunction = Callable[..., Tensor] | nn.Module


class Runs:
    """A model with its batch and its loss, to be run as often as it takes.

    Attributes:
        model: What is run.
        loss: The user's own, or None.
        call: The batch, and the targets.
        held: Whether what objects hold is an output beside what containers do.
    """

    def __init__(
        self, model: nn.Module, call: Call, loss: LossFunction | None, *, strict: bool
    ) -> None:
        self.model, self.call, self.loss = model, call, loss
        self.held = False
        self._strict = strict

    def inputs(self) -> list[Tensor]:
        """Return the tensors that the model is given."""
        return tensors_in((self.call.args, self.call.kwargs))

    def watched(self, trace: Trace) -> Any:
        """Run the model with all that it does recorded; return its outputs."""
        with (
            named_failure(trace, self.model, self.call),
            around_modules(trace, self.model),
            Recorder(trace),
        ):
            return self.plain()

    def plain(self) -> Any:
        """Run the model; return its outputs."""
        # An autocast around the check keeps its casts of weights over a step.
        torch.clear_autocast_cache()
        outputs = self.model(*self.call.args, **self.call.kwargs)
        return without_iterators(outputs)  # a generator runs when it is read

    def given_out(self, trace: Trace, outputs: Any) -> list[Tensor]:
        """Return the outputs; what objects hold, only where more is made of it.

        A cache of keys and values, say, is no output beside logits.
        """
        plain, held = tensors_in(outputs), tensors_held(outputs)
        trace.uncover(held)
        reached = {name for t in plain if t.requires_grad for name in trace.sources(t)}
        more = {name for t in held if t.requires_grad for name in trace.sources(t)}
        self.held = not plain or not more <= reached
        return held if self.held else plain

    def roots(self, outputs: Any) -> list[Tensor]:
        """Return the outputs that depend on something trainable."""
        return differentiable(outputs, held=self.held)

    def loss_of(self, outputs: Any) -> Loss:
        """Return the loss of outputs, with what is known of it.

        Without the user's own, where this refuses outputs that are not finite: a
        cross-entropy refuses what is no share.
        """
        try:
            return read_loss(outputs, self.call.targets, self.loss, strict=self._strict)
        except LossRunError:
            if all(bool(torch.isfinite(one).all()) for one in tensors_in(outputs)):
                raise
            return read_loss(outputs, None, None)
