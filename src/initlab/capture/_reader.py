"""One reading of a model: forward, back, a step and forward again."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from torch import Tensor, nn
from torch.optim import Optimizer

from initlab.capture._arrays import arrays_of
from initlab.capture._asked import read_output
from initlab.capture._backward import Backward
from initlab.capture._batch import Call, tensors_in
from initlab.capture._chance import left_to_chance, random_numbers
from initlab.capture._examined_steps import examine_steps
from initlab.capture._first_step import evaluates_the_loss, made_optimizer
from initlab.capture._graph import Graph
from initlab.capture._modes import set_modes
from initlab.capture._parameters import (
    has_counted,
    has_varied_gammas,
    read_parameters,
)
from initlab.capture._patterns import (
    is_gated_recurrence,
    is_joined_recurrence,
    is_recurrence,
)
from initlab.capture._records import Records
from initlab.capture._runs import LossFunction, Runs
from initlab.capture._stray import stray_weights
from initlab.capture._structure import Structure
from initlab.capture._trace import Trace
from initlab.capture._values import Reading
from initlab.capture._weights import equal_outgoing, weigh
from initlab.spec import ParameterReading

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
        strict = are_targets_given and not call.labelled
        self._model, self._seed, self._step = model, seed, step
        self._runs = Runs(model, call, loss, strict=strict)
        # The user's, of which one that evaluates the loss itself takes no step here.
        self._given = self._optimizer = made_optimizer(optimizer, model)
        self._notes: list[str] = []
        if self._given is not None and evaluates_the_loss(self._given):
            name = type(self._given).__name__
            self._notes.append(f"{name} evaluates the loss itself: no step was taken")
            self._optimizer = None
        self._backward = Backward(self._runs, seed)

    def read(self, copies: Mapping[int, Tensor]) -> Reading:
        """Read the model, whose parameters' copies are given by `id`."""
        runs, backward, parameters = (
            self._runs, self._backward, dict(self._model.named_parameters())
        )  # fmt: skip
        counted = has_counted(self._model)
        set_modes(self._model)
        trace = Trace(self._model, runs.inputs())
        before = random_numbers()
        outputs = runs.watched(trace)
        drew = random_numbers() != before
        graph, records = trace.graph, trace.records
        given = runs.given_out(trace, outputs)
        if trace.hidden:
            self._notes.append("layers inside torch.vmap are not measured")
        graph.outputs = trace.nodes_of(given)
        self._weigh(graph, records)
        frozen = {name: not p.requires_grad for name, p in parameters.items()}
        structure = Structure(graph, records, frozen)
        self._weigh_outgoing(records, structure)
        loss = runs.loss_of(outputs)
        output = read_output(loss, runs.loss, runs.call, trace, structure)
        backward.back(trace, structure, outputs, loss)
        trained = counted or has_varied_gammas(parameters, records)
        del outputs
        entries = read_parameters(self._model, graph, records)
        if self._step:
            after = examine_steps(
                runs, backward, self._optimizer, copies,
                only_heads=all(use.head for use in structure.uses),
            )  # fmt: skip
            output = replace(output, loss_after=after)
        chance = self._left_to_chance(entries) if drew else set()
        return Reading(
            uses=structure.uses,
            norms=structure.norms,
            attentions=structure.attentions,
            blocks=structure.blocks,
            parameters=self._with_gradients(entries, chance),
            output=output,
            choices=structure.choices,
            measures=arrays_of(records, backward.facts, structure.uses),
            optimizer="" if self._optimizer is None else type(self._optimizer).__name__,
            trained=trained,
            notes=tuple(self._notes),
            lost_buffers=self._lost_buffers(copies),
            stray=stray_weights(self._model, trace.stray.values(), self._given),
            blank=self._is_blank(records, structure),
        )

    def _is_blank(self, records: Records, structure: Structure) -> bool:
        given = tensors_in((self._runs.call.args, self._runs.call.kwargs))
        first = [records.uses[use.index] for use in structure.uses if use.stem]
        reads = any(use.values.get("given_rms") == 0 for use in first)
        return reads and not any(bool(tensor.any()) for tensor in given)

    def _lost_buffers(self, copies: Mapping[int, Tensor]) -> tuple[str, ...]:
        """Return the buffers that held a nan before the model ran."""
        return tuple(
            name
            for name, buffer in self._model.named_buffers()
            if bool(copies.get(id(buffer), buffer).isnan().any())
        )

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

    def _left_to_chance(self, entries: Iterable[ParameterReading]) -> set[str]:
        """Return the unused parameters that other random numbers would have used."""
        unused = {one.name: self._backward.trainable[one.name] for one in entries
                  if not one.used and one.name in self._backward.trainable}  # fmt: skip
        if not any(sum(n > 1 for n in each.shape) > 1 for each in unused.values()):
            return set()
        return left_to_chance(self._model, self._runs.plain, unused, seed=self._seed)

    def _with_gradients(
        self, entries: Iterable[ParameterReading], chance: Collection[str]
    ) -> tuple[ParameterReading, ...]:
        """Return parameters, read before any step, with what the passes found."""
        return tuple(
            replace(
                one, left_to_chance=one.name in chance, **self._backward.facts[one.name]
            )
            for one in entries
        )
