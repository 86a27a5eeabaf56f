"""A call of a recurrent function as layers: an input and a recurrent weight each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from initlab.capture._layer_call import IsWeight, LayerCall
from initlab.spec import LayerSpec

_GATES = {"lstm": 4, "gru": 3}
# As torch names the arguments of cells, of sequences, and of packed sequences.
_OF_CELLS = ("input", "hx", "w_ih", "w_hh", "b_ih", "b_hh")
_OF_LAYERS = ("params", "has_biases", "num_layers", "dropout", "train", "bidirectional")
_OF_SEQUENCES = ("input", "hx", *_OF_LAYERS, "batch_first")
_OF_PACKED = ("data", "batch_sizes", "hx", *_OF_LAYERS)


def recurrent_calls(
    name: str, args: Sequence[Any], kwargs: dict[str, Any], is_weight: IsWeight
) -> list[LayerCall]:
    """Return the weights of a recurrent function: of each layer, input then recurrent.

    An LSTM's projections are left out: their output is kept as a state.

    Args:
        name: "lstm", "gru_cell", "rnn_tanh", ...
        args: Of the call.
        kwargs: Of the call.
        is_weight: Whether a tensor is made of parameters alone.
    """
    is_cell = name.endswith("_cell")
    is_packed = "data" in kwargs or (
        len(args) > 3 and isinstance(args[3], list | tuple)
    )
    places = _OF_CELLS if is_cell else _OF_PACKED if is_packed else _OF_SEQUENCES
    call = {**dict(zip(places, args, strict=False)), **kwargs}
    packed = next((n for gate, n in _GATES.items() if name.startswith(gate)), 1)
    return [
        LayerCall(
            weight=matrix,
            bias=bias,
            layer=LayerSpec(shape=tuple(matrix.shape), packed=packed),
            rows=matrix.detach(),
            given=call[places[0]],
            role=role,
        )
        for pair in ([_of_cell(call)] if is_cell else _of_layers(call))
        for role, (matrix, bias) in zip(("input", "recurrent"), pair, strict=True)
        if is_weight(matrix)
    ]


def _of_cell(call: Mapping[str, Any]) -> list[tuple[Tensor, Tensor | None]]:
    """Return weights with their biases."""
    return [(call[f"w_{of}"], call.get(f"b_{of}")) for of in ("ih", "hh")]


def _of_layers(call: Mapping[str, Any]) -> Iterator[list[tuple[Tensor, Tensor | None]]]:
    """Yield the weights with their biases of each layer and direction.

    All are in one list: two weights, two biases if there are any, a projection.
    """
    every = call["params"]
    groups = call["num_layers"] * (2 if call["bidirectional"] else 1)
    size = len(every) // groups
    for start in range(0, len(every), size):
        first, second, *rest = every[start : start + size]
        biases = rest[:2] if call["has_biases"] else (None, None)
        yield list(zip((first, second), biases, strict=True))
