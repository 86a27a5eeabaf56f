"""What is known while a model runs: the graph, the records, and what came out of what.

Tensors are told apart by identity, so that registration plays no part.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from initlab.capture._graph import Graph, Node
from initlab.capture._identity import OfTensors
from initlab.capture._mapped import unwrapped_values
from initlab.capture._records import Records, UseRecord

Found = TypeVar("Found")

# Views of a signal, in the sense that the layer whose output it was still owns it.
_KEEPS_OWNER = frozenset(
    {
        "view",
        "norm",
        "sum",
        "shift",
        "pool",
        "average",
        "reduction",
        "factor",
        "scale",
        "cat",
        "dropout",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall:
    """A function of torch, called with tensors that came out of nodes.

    Attributes:
        kind: As in `_operations`.
        name: Of the function.
        args, kwargs: That it was given.
        tensors: All of these, out of containers as well.
        inputs: The nodes that its tensors came out of.
    """

    kind: str
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]

    @property
    def given(self) -> Any:
        """What is called `input`, most often the first argument."""
        return self.args[0] if self.args else self.kwargs["input"]

    def argument(self, place: int, name: str, default: Any) -> Any:
        """Return the argument at a place or by a name."""
        here = len(self.args) > place
        return self.args[place] if here else self.kwargs.get(name, default)


class Trace:
    """One forward pass, as far as it has come.

    Attributes:
        graph: Nodes in order of execution.
        records: Layers, normalizations, attentions and what was measured.
        pass_name: Under which gradients that come back are summed; None: not at all.
        tokens_first: Whether signals are `(token, example, feature)` for now.
        running: Paths of the modules whose forward runs, the innermost last.
        uses: The record of each use, by weight, module and function.
        parameters: The model's, by name.
        stray: By `id`: weights that ask for gradients, and are no parameters.
        hidden: Nodes that went into a function mapped over examples, as by `vmap`.
    """

    def __init__(self, model: nn.Module, inputs: list[Tensor]) -> None:
        self.graph = Graph()
        self.records = Records()
        self.pass_name: str | None = None
        self.tokens_first = False
        self.running = [""]
        self._failed: tuple[BaseException, str] | None = None
        self.uses: dict[tuple[Any, ...], UseRecord] = {}
        self._node_of = OfTensors[int]()
        self._measured = OfTensors[tuple[int, dict[Any, Any]]]()
        self.stray: dict[int, Tensor] = {}
        self.hidden: set[int] = set()
        self.parameters = dict(model.named_parameters())
        for name, parameter in self.parameters.items():
            self.came_out([parameter], self.graph.add(kind="parameter", name=name))
        for number, tensor in enumerate(inputs):
            self.came_out([tensor], self.graph.add(kind="input", name=str(number)))

    @property
    def where(self) -> str:
        """Path of the module that is running."""
        return self.running[-1]

    def note_failure(self, error: BaseException | None) -> None:
        """Remember where an exception was met first, by the module that is running."""
        if error is not None and (self._failed is None or self._failed[0] is not error):
            self._failed = error, self.where

    def failed_in(self, error: BaseException) -> str:
        """Return the path of the module that raised an exception."""
        known = self._failed is not None and self._failed[0] is error
        return self._failed[1] if self._failed is not None and known else self.where

    def came_out(self, tensors: Iterable[Tensor], node: Node) -> None:
        """Remember that these tensors came out of a node."""
        for tensor in tensors:
            self._node_of[tensor] = node.number

    def node_of(self, tensor: Tensor) -> int | None:
        """Return the number of the node that a tensor came out of."""
        return self._node_of.get(tensor)

    def nodes_of(self, tensors: Iterable[Tensor]) -> tuple[int, ...]:
        """Return the nodes that tensors came out of, each once."""
        found = (self.node_of(tensor) for tensor in tensors)
        return tuple(dict.fromkeys(number for number in found if number is not None))

    def hide(self, tensors: Iterable[Tensor]) -> None:
        """Remember what a mapped function is given, whose results have no values."""
        self.hidden.update(self.nodes_of(map(unwrapped_values, tensors)))

    def uncover(self, tensors: Iterable[Tensor]) -> None:
        """Take tensors of unknown origin for what mapped functions made."""
        if not self.hidden:
            return
        for tensor in tensors:
            if tensor.grad_fn is not None and self.node_of(tensor) is None:
                inputs = tuple(sorted(self.hidden))
                self.came_out(
                    [tensor],
                    self.graph.add(
                        kind="other", name="vmap", inputs=inputs, module=self.where
                    ),
                )

    def note_strays(self, tensors: Iterable[Tensor]) -> None:
        """Remember weights that ask for gradients, and are no parameters."""
        for tensor in tensors:
            asks = type(tensor) is nn.Parameter and tensor.requires_grad
            if asks and self.node_of(tensor) is None and torch.is_grad_enabled():
                self.stray[id(tensor)] = tensor

    def once(self, measure: Callable[[Tensor], Found], tensor: Tensor) -> Found:
        """Return a measure of a tensor: what one layer gives, the next one is given."""
        if tensor.is_inference():  # it would not tell that it was overwritten
            return measure(tensor)
        version, found = self._measured.get(tensor) or (None, {})
        if version != tensor._version:
            found = {}
            self._measured[tensor] = tensor._version, found
        if measure not in found:
            found[measure] = measure(tensor)
        known: Found = found[measure]
        return known

    def is_signal(self, tensor: Tensor) -> bool:
        """Whether a tensor depends on the model's inputs."""
        number = self.node_of(tensor)
        return number is not None and self.graph.carries_signal(number)

    def is_weight(self, tensor: Tensor) -> bool:
        """Whether a tensor is made of parameters alone."""
        number = self.node_of(tensor)
        return number is not None and not self.graph.is_signal(number)

    def is_derived(self, weight: Tensor) -> bool:
        """Whether a weight is computed of parameters, and no view of one."""
        number = self.node_of(weight)
        if number is None:
            return False
        node = self.graph.nodes[number]
        while node.kind == "view":  # of its first input; others only lend a shape
            node = self.graph.nodes[node.inputs[0]]
        return node.kind != "parameter"

    def is_fresh(self, signal: Tensor) -> bool:
        """Whether a signal is what the first layer made of the inputs.

        Further up, a learned token may be the trunk, and the signal its quiet branch.
        """
        mask = self.graph.ancestors(self.node_of(signal) or 0)
        before = [n for n in self.graph.nodes if mask >> n.number & 1]
        layers = sum(node.kind == "layer" for node in before)
        kinds = {node.kind for node in before}
        return layers == 1 and not kinds & {"norm", "attention", "factor", "unary"}

    def sources(self, tensor: Tensor | None) -> tuple[str, ...]:
        """Return the names of the parameters that a tensor is made of."""
        number = None if tensor is None else self.node_of(tensor)
        if number is None:
            return ()
        return tuple(node.name for node in self.graph.parameters(number))

    def owner(self, tensor: Tensor) -> UseRecord | None:
        """Return the use whose output a tensor is, but for views, norms and sums."""
        number = self.node_of(tensor)
        owner = None if number is None else self.graph.nodes[number].owner
        return None if owner is None else self.records.uses[owner]

    def owner_of(self, kind: str, inputs: tuple[int, ...]) -> int | None:
        """Return which use owns what a node of this kind makes of its inputs."""
        owners = [o for n in inputs if (o := self.graph.nodes[n].owner) is not None]
        if kind == "activation":
            return owners[0] if owners else None
        return max(owners) if owners and kind in _KEEPS_OWNER else None
