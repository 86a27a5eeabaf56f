"""The ways back through a model, and what they say of each of its parameters."""

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from initlab.capture._failures import named_failure_back
from initlab.capture._first_step import rank_one_share
from initlab.capture._losses import Loss
from initlab.capture._parameters import (
    elasticity,
    gradient_facts,
    twin_columns,
    twin_share,
)
from initlab.capture._passes import loss_gradients, random_gradients
from initlab.capture._runs import Runs
from initlab.capture._structure import Structure
from initlab.capture._trace import Trace
from initlab.errors import InvalidValueError


class Backward:
    """Gradients of a random product of the outputs, and of the loss.

    Attributes:
        trainable: The parameters by which there are gradients, by name.
        facts: What is known of each parameter's gradients, by its name.
        gradients: The last way's, by name; None where nothing depends on one.
    """

    def __init__(self, runs: Runs, seed: int) -> None:
        self._runs, self._seed = runs, seed
        parameters = dict(runs.model.named_parameters())
        self.trainable = {n: p for n, p in parameters.items() if p.requires_grad}
        self.facts: dict[str, dict[str, Any]] = {
            name: {"reached": False} for name in parameters
        }
        self.gradients: dict[str, Tensor | None] = {}

    def back(
        self, trace: Trace, structure: Structure, outputs: Any, loss: Loss
    ) -> None:
        """Go back from a random product of the outputs, then from the loss if any.

        Raises:
            InvalidValueError: If the user's loss leads back to nothing.
        """
        value = loss.value
        if value is not None and not value.requires_grad:
            value = None
        roots = self._runs.roots(outputs)
        is_cut = value is None and loss.value is not None
        if self._runs.loss is not None and roots and is_cut:
            raise InvalidValueError(
                "no gradient leads back from what it returns, as from detached "
                "outputs or their argmax; return a loss that can be learned from",
                argument="loss",
            )
        roots += _before_zero_heads(trace, structure)
        trace.pass_name = "random"
        with named_failure_back():
            found = self._by_name(
                random_gradients(
                    roots, self._parameters, self._seed, keep=value is not None
                )
            )
        for name, gradient in found.items():
            self.facts[name] = gradient_facts(gradient)
            if gradient is not None:
                self.facts[name]["random_norm"] = self.facts[name]["gradient_norm"]
        if value is not None:
            found.clear()  # two sets of gradients are never held at a time
            found = self._by_name(self._from_loss(trace, value))
            for name, gradient in found.items():
                kept = self.facts[name].get("random_norm", math.nan)
                reached = self.facts[name]["reached"] or gradient is not None
                self.facts[name] = gradient_facts(gradient) | {
                    "random_norm": kept,
                    "reached": reached,
                    "elasticity": elasticity(self.trainable[name], gradient, value),
                    "gradient_rank_one": rank_one_share(gradient),
                }
        for name, gradient in found.items():
            parameter = self.trainable[name]
            self.facts[name]["gradient_twins"] = twin_share(parameter, gradient)
            self.facts[name]["twin_columns"] = twin_columns(parameter, gradient)
        self.gradients = found
        trace.pass_name = None

    def again(self) -> None:
        """Run the model once more; go back from the loss, or a random product."""
        self.gradients.clear()
        outputs = self._runs.plain()
        loss = self._runs.loss_of(outputs).value
        if loss is not None and loss.requires_grad:
            found = loss_gradients(loss, self._parameters, keep=False)
        else:
            roots = self._runs.roots(outputs)
            found = random_gradients(
                roots, self._parameters, self._seed + 1, keep=False
            )
        self.gradients = self._by_name(found)

    @property
    def _parameters(self) -> list[Tensor]:
        return list(self.trainable.values())

    def _by_name(self, gradients: Sequence[Tensor | None]) -> dict[str, Tensor | None]:
        return dict(zip(self.trainable, gradients, strict=True))

    def _from_loss(self, trace: Trace, value: Tensor) -> list[Tensor | None]:
        """Return the gradients of the loss; from another run, if this one is used up.

        A model's own hook or Function may allow only one way back per way forward.
        """
        trace.pass_name = "loss"
        try:
            return loss_gradients(value, self._parameters, keep=False)
        except Exception:  # such a hook may raise anything
            again = Trace(self._runs.model, self._runs.inputs())
            loss = self._runs.loss_of(self._runs.watched(again)).value
            if loss is None or not loss.requires_grad:
                raise
        again.pass_name = "loss"
        with named_failure_back():
            found = loss_gradients(loss, self._parameters, keep=False)
        trace.records.deltas |= again.records.deltas
        return found


def _before_zero_heads(trace: Trace, structure: Structure) -> list[Tensor]:
    """Return what enters heads of zeros, behind which there is no way back."""
    return [
        tensor
        for use in structure.uses
        if use.head and use.zero
        for tensor in trace.records.uses[use.index].entered
        if tensor.requires_grad
    ]
