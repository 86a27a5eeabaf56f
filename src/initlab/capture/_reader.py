"""One reading of a model: forward, back, a step and forward again."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from initlab.capture._arrays import arrays_of
from initlab.capture._asked import read_output
from initlab.capture._batch import Call, tensors_held, tensors_in, without_iterators
from initlab.capture._chance import left_to_chance, random_numbers
from initlab.capture._failures import named_failure, named_failure_back
from initlab.capture._first_step import (
    entries,
    evaluates_the_loss,
    made_optimizer,
    rank_one_share,
    take_step,
    zero_after,
)
from initlab.capture._graph import Graph
from initlab.capture._losses import Loss, read_loss
from initlab.capture._modes import set_modes
from initlab.capture._modules import around_modules
from initlab.capture._own_loss import LossRunError
from initlab.capture._parameters import (
    elasticity,
    gradient_facts,
    has_counted,
    has_varied_gammas,
    read_parameters,
    twin_columns,
    twin_share,
)
from initlab.capture._passes import differentiable, loss_gradients, random_gradients
from initlab.capture._patterns import (
    is_gated_recurrence,
    is_joined_recurrence,
    is_recurrence,
)
from initlab.capture._recorder import Recorder
from initlab.capture._records import Records
from initlab.capture._structure import Structure
from initlab.capture._trace import Trace
from initlab.capture._values import Reading
from initlab.capture._weights import equal_outgoing, weigh
from initlab.errors import InvalidValueError
from initlab.spec import ParameterReading

# Heads, branch ends and branches of zeros may lie one behind the other.
_MOST_STEPS = 3

LossFunction = Callable[..., Tensor] | nn.Module
AnyOptimizer = Optimizer | Callable[..., Optimizer]


class Reader:
    """One reading, step by step."""

    def __init__(
        self,
        model: nn.Module,
        call: Call,
        loss: LossFunction | None,
        optimizer: AnyOptimizer | None,
        seed: int,
        step: bool,
        are_targets_given: bool,
    ) -> None:
        self._model, self._call, self._loss = model, call, loss
        self._are_targets_given = are_targets_given
        self._optimizer = made_optimizer(optimizer, model)
        self._notes: list[str] = []
        self._held = False
        if self._optimizer is not None and evaluates_the_loss(self._optimizer):
            name = type(self._optimizer).__name__
            self._notes.append(f"{name} evaluates the loss itself: no step was taken")
            self._optimizer = None
        self._seed, self._step = seed, step
        self._parameters = dict(model.named_parameters())
        self._trainable = {n: p for n, p in self._parameters.items() if p.requires_grad}
        self._facts: dict[str, dict[str, Any]] = {
            name: {"reached": False} for name in self._parameters
        }

    def read(self, copies: Mapping[int, Tensor]) -> Reading:
        """Read the model, whose parameters' copies are given by `id`."""
        self._copies = copies
        counted = has_counted(self._model)
        set_modes(self._model)
        trace = Trace(self._model, tensors_in((self._call.args, self._call.kwargs)))
        before = random_numbers()
        outputs = self._forward(trace)
        drew = random_numbers() != before
        graph, records = trace.graph, trace.records
        given = self._given_out(trace, outputs)
        if trace.hidden:
            self._notes.append("layers inside torch.vmap are not measured")
        graph.outputs = trace.nodes_of(given)
        self._weigh(graph, records)
        frozen = {name: not p.requires_grad for name, p in self._parameters.items()}
        structure = Structure(graph, records, frozen)
        self._weigh_outgoing(records, structure)
        loss = self._read_loss(outputs)
        output = read_output(loss, self._loss, self._call, trace, structure)
        self._backward(trace, structure, outputs, loss)
        trained = counted or has_varied_gammas(self._parameters, records)
        del outputs
        entries = read_parameters(self._model, graph, records)
        after = self._examine_step(all(use.head for use in structure.uses))
        chance = self._left_to_chance(entries) if drew else set()
        return Reading(
            uses=structure.uses,
            norms=structure.norms,
            attentions=structure.attentions,
            blocks=structure.blocks,
            parameters=self._with_gradients(entries, chance),
            output=replace(output, loss_after=after),
            choices=structure.choices,
            measures=arrays_of(records, self._facts, structure.uses),
            optimizer="" if self._optimizer is None else type(self._optimizer).__name__,
            trained=trained,
            notes=tuple(self._notes),
            lost_buffers=self._lost_buffers(),
        )

    def _given_out(self, trace: Trace, outputs: Any) -> list[Tensor]:
        """Return the outputs; what objects hold, only where more is made of it.

        A cache of keys and values, say, is no output beside logits.
        """
        plain, held = tensors_in(outputs), tensors_held(outputs)
        trace.uncover(held)
        reached = {name for t in plain if t.requires_grad for name in trace.sources(t)}
        more = {name for t in held if t.requires_grad for name in trace.sources(t)}
        self._held = not plain or not more <= reached
        return held if self._held else plain

    def _lost_buffers(self) -> tuple[str, ...]:
        """Return the buffers that held a nan before the model ran."""
        return tuple(
            name
            for name, buffer in self._model.named_buffers()
            if bool(torch.isnan(self._copies.get(id(buffer), buffer)).any())
        )

    def _forward(self, trace: Trace) -> Any:
        with (
            named_failure(trace, self._model, self._call),
            around_modules(trace, self._model),
            Recorder(trace),
        ):
            return self._run()

    def _run(self) -> Any:
        # An autocast around the check keeps its casts of weights over a step.
        torch.clear_autocast_cache()
        outputs = self._model(*self._call.args, **self._call.kwargs)
        return without_iterators(outputs)  # a generator runs when it is read

    def _read_loss(self, outputs: Any) -> Loss:
        call = self._call
        strict = self._are_targets_given and not call.labelled
        try:
            return read_loss(outputs, call.targets, self._loss, strict=strict)
        except LossRunError:  # as of a cross-entropy that refuses what is no share
            if all(bool(torch.isfinite(one).all()) for one in tensors_in(outputs)):
                raise
            return read_loss(outputs, None, None)

    def _weigh(self, graph: Graph, records: Records) -> None:
        self._groups = [
            weigh(
                record,
                is_recurrent=is_recurrence(graph, record),
                is_gated=is_gated_recurrence(graph, record),
                is_joined=is_joined_recurrence(graph, record),
            )
            for record in records.uses
        ]

    def _weigh_outgoing(self, records: Records, structure: Structure) -> None:
        for use in structure.uses:
            for below in use.previous:
                record = records.uses[below]
                # The rows of a table are no units: what is made of it has its columns.
                if self._groups[below] and record.layer.kind != "embedding":
                    copied = equal_outgoing(
                        self._groups[below], record.units, records.uses[use.index].rows
                    )
                    before = record.values.get("symmetric_units", 0.0)
                    record.values["symmetric_units"] = max(before, float(copied))

    def _backward(
        self, trace: Trace, structure: Structure, outputs: Any, loss: Loss
    ) -> None:
        names, parameters = list(self._trainable), list(self._trainable.values())
        value = (
            loss.value if loss.value is not None and loss.value.requires_grad else None
        )
        roots = differentiable(outputs, held=self._held)
        if (
            self._loss is not None
            and roots
            and value is None
            and loss.value is not None
        ):
            raise InvalidValueError(
                "no gradient leads back from what it returns, as from detached "
                "outputs or their argmax; return a loss that can be learned from",
                argument="loss",
            )
        zero_heads = [
            t
            for use in structure.uses
            if use.head and use.zero
            for t in trace.records.uses[use.index].entered
            if t.requires_grad
        ]
        trace.pass_name = "random"
        with named_failure_back():
            random = random_gradients(
                roots + zero_heads, parameters, self._seed, keep=value is not None
            )
        for name, gradient in zip(names, random, strict=True):
            self._facts[name] = gradient_facts(gradient)
            if gradient is not None:
                self._facts[name]["random_norm"] = self._facts[name]["gradient_norm"]
            if value is None:
                twins = twin_share(self._trainable[name], gradient)
                self._facts[name]["gradient_twins"] = twins
                self._facts[name]["twin_columns"] = twin_columns(
                    self._trainable[name], gradient
                )
        self._gradients: dict[str, Tensor | None] = {}
        if value is None:
            self._gradients = dict(zip(names, random, strict=True))
        else:
            random.clear()  # two sets of gradients are never held at a time
            found = self._back_from_loss(trace, value, parameters)
            for name, gradient in zip(names, found, strict=True):
                kept = self._facts[name].get("random_norm", math.nan)
                reached = self._facts[name]["reached"] or gradient is not None
                self._facts[name] = gradient_facts(gradient) | {
                    "random_norm": kept, "reached": reached,
                    "elasticity": elasticity(self._trainable[name], gradient, value),
                    "gradient_rank_one": rank_one_share(gradient),
                    "gradient_twins": twin_share(self._trainable[name], gradient),
                    "twin_columns": twin_columns(self._trainable[name], gradient),
                }  # fmt: skip
            self._gradients = dict(zip(names, found, strict=True))
        trace.pass_name = None

    def _back_from_loss(
        self, trace: Trace, value: Tensor, parameters: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """Return the gradients of the loss; from another run, if this one is used up.

        A model's own hook or Function may allow only one way back per way forward.
        """
        trace.pass_name = "loss"
        try:
            return loss_gradients(value, parameters, keep=False)
        except Exception:  # such a hook may raise anything
            again = Trace(self._model, tensors_in((self._call.args, self._call.kwargs)))
            loss = self._read_loss(self._forward(again)).value
            if loss is None or not loss.requires_grad:
                raise
        again.pass_name = "loss"
        with named_failure_back():
            found = loss_gradients(loss, parameters, keep=False)
        trace.records.deltas |= again.records.deltas
        return found

    def _examine_step(self, only_heads: bool) -> float:
        """Take the optimizer's step, look at it, and at what is still without gradient.

        What is 0 by design is set free one after the other, the head first: as long as
        a step frees anything, another one follows. Returns the loss after the first of
        them if there are only heads, whose problem may be convex; else nan.
        """
        dead = [name for name in self._trainable
                if self._facts[name].get("gradient_zero")]  # fmt: skip
        after = math.nan
        if not self._step or not (dead or self._optimizer is not None):
            return after
        if not all(g is None or bool(torch.isfinite(entries(g)).all())
                   for g in self._gradients.values()):  # fmt: skip
            return after
        if self._optimizer is not None:
            found = take_step(
                self._model, self._gradients, self._optimizer, self._copies
            )
            if only_heads:
                after = self._loss_now()
            if dead:  # a learning rate that is too small must not decide what moves
                with torch.no_grad():
                    for parameter in self._model.parameters():
                        parameter.copy_(self._copies[id(parameter)])
            for name, facts in found.items():
                self._facts[name] |= facts
        for _ in range(_MOST_STEPS):
            if not dead:
                break
            take_step(self._model, self._gradients, None, {})
            self._gradients.clear()
            self._gradients = self._later_gradients()
            zero = zero_after(dead, [self._gradients[name] for name in dead])
            for name in dead:
                self._facts[name]["later_gradient_zero"] = zero[name]
            still = [name for name in dead if zero[name]]
            if len(still) == len(dead):
                break
            dead = still
        self._gradients.clear()
        return after

    def _loss_now(self) -> float:
        with torch.no_grad():
            outputs = self._run()
            loss = self._read_loss(outputs).value
        return math.nan if loss is None else float(loss)

    def _later_gradients(self) -> dict[str, Tensor | None]:
        """Run once more; return the gradients of the loss, or of a random product."""
        outputs = self._run()
        loss = self._read_loss(outputs).value
        names, parameters = list(self._trainable), list(self._trainable.values())
        if loss is not None and loss.requires_grad:
            gradients = loss_gradients(loss, parameters, keep=False)
        else:
            roots = differentiable(outputs, held=self._held)
            gradients = random_gradients(roots, parameters, self._seed + 1, keep=False)
        return dict(zip(names, gradients, strict=True))

    def _left_to_chance(self, entries: Iterable[ParameterReading]) -> set[str]:
        """Return the unused parameters that other random numbers would have used."""
        unused = {one.name: self._trainable[one.name] for one in entries
                  if not one.used and one.name in self._trainable}  # fmt: skip
        if not any(sum(n > 1 for n in each.shape) > 1 for each in unused.values()):
            return set()
        return left_to_chance(self._model, self._run, unused, seed=self._seed)

    def _with_gradients(
        self, entries: Iterable[ParameterReading], chance: Collection[str]
    ) -> tuple[ParameterReading, ...]:
        """Return parameters, read before any step, with what the passes found."""
        return tuple(
            replace(one, left_to_chance=one.name in chance, **self._facts[one.name])
            for one in entries
        )
