"""Starting weights: drawn from each init, or handed in by the user."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np

from initlab import catalog
from initlab.engine import Weights
from initlab.errors import InvalidValueError
from initlab.rng import stream
from initlab.spec import EXPLICIT, Init, SignalStudy, Study, digest, shortened

Given = Mapping[str, Sequence[Any] | Mapping[str, Any]]


class Starts(Sequence[Weights]):
    """Every network's starting weights, init by init; drawn when they are asked for.

    Each init's first are drawn at once and kept, so that one that cannot be drawn is
    refused before anything is trained.

    Args:
        study: Of `inits` times `members` networks.
        explicit: Weights of every member, by label, that are not drawn.
    """

    def __init__(
        self, study: Study | SignalStudy, explicit: Mapping[str, list[Weights]]
    ) -> None:
        self._study, self._explicit = study, explicit
        self._first: dict[int, Weights] = {}
        for number in range(0, len(self), study.members):
            self._first[number] = self[number]

    def __len__(self) -> int:
        return len(self._study.inits) * self._study.members

    @overload
    def __getitem__(self, number: int) -> Weights: ...
    @overload
    def __getitem__(self, number: slice) -> list[Weights]: ...
    def __getitem__(self, number: int | slice) -> Weights | list[Weights]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        if number in self._first:
            return self._first[number]
        init = self._study.inits[number // self._study.members]
        member = number % self._study.members
        given = self._explicit.get(init.label)
        return given[member] if given else drawn(self._study, init, member)


def drawn(study: Study | SignalStudy, init: Init, member: int) -> Weights:
    """Return one member's starting weights; inits share streams, so they pair.

    Legacy seeding draws layer after layer from `RandomState(seed + member)`, a layer's
    biases after its weight; stream seeding gives tensor `Wl` or `bl` of the member the
    path `("weights", member, "Wl")`.
    """
    assert study.network.widths is not None
    if init.name == EXPLICIT:
        raise InvalidValueError(
            f"{init.label!r} names explicit weights, which a spec cannot hold: "
            f"pass weights={{{init.label!r}: ...}} again",
            argument="inits",
        )
    widths = study.network.widths
    one = study.seeding == "legacy"
    legacy = np.random.RandomState(study.seed + member) if one else None

    def source(tensor: str) -> catalog.Rng:
        return legacy or stream(study.seed, "weights", member, tensor)

    weights: Weights = []
    for layer, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
        here = catalog.placed(init, first=layer == 1, last=layer == len(widths) - 1)
        shape = (fan_out, fan_in)
        weight = catalog.draw(here, shape, rng=source(f"W{layer}"))
        bias = catalog.draw_bias(here, shape, rng=source(f"b{layer}"))
        weights.append((weight, bias))
    return weights


def with_explicit(study: Study, given: Given) -> tuple[Study, dict[str, list[Weights]]]:
    """Return the study with an init for each label, and every member's weights.

    A label that the study lists already is replaced, any other is added.

    Raises:
        InvalidValueError: If the weights do not fit the network.
    """
    read = {label: _members(study, label, layers) for label, layers in given.items()}
    inits = {init.label: init for init in study.inits}
    for label, members in read.items():
        tensors = [tensor for start in members for pair in start for tensor in pair]
        inits[label] = Init(name=EXPLICIT, label=label, digest=digest(*tensors))
    return study.model_copy(update={"inits": tuple(inits.values())}), read


def _members(
    study: Study, label: str, layers: Sequence[Any] | Mapping[str, Any]
) -> list[Weights]:
    """Return the weights of each member; weights without a member axis serve all."""
    assert study.network.widths is not None
    widths = study.network.widths
    pairs = _pairs(label, layers)
    if len(pairs) != len(widths) - 1:
        raise InvalidValueError(
            f"one (weight, bias) per layer, {len(widths) - 1} for "
            f"widths {widths}, got {len(pairs)}",
            argument="weights",
            part=f"[{label!r}]",
        )
    read: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(study.members)]
    for layer, ((weight, bias), (fan_in, fan_out)) in enumerate(
        zip(pairs, pairwise(widths), strict=True), start=1
    ):
        where = f"[{label!r}], layer {layer}"
        tensors = [
            _tensor(f"{where}: W", weight, (fan_out, fan_in), study.members),
            _tensor(
                f"{where}: b",
                np.zeros(fan_out) if bias is None else _flat(bias, fan_out),
                (fan_out,),
                study.members,
            ),
        ]
        for member in range(study.members):
            read[member].append((tensors[0][member], tensors[1][member]))
    return read


def _pairs(
    label: str, layers: Sequence[Any] | Mapping[str, Any]
) -> list[tuple[Any, Any]]:
    """Return (weight, bias) pairs; also from the lesson's dict W1, b1, W2, ..."""
    if not hasattr(layers, "__iter__") or isinstance(layers, str):
        raise InvalidValueError(
            f"a (W, b) per layer, or a dict W1, b1, ..., got {shortened(layers)}",
            argument="weights",
            part=f"[{label!r}]",
        )
    if isinstance(layers, Mapping):
        numbers = range(1, 1 + sum(str(name).startswith("W") for name in layers))
        try:
            return [(layers[f"W{i}"], layers.get(f"b{i}")) for i in numbers]
        except KeyError as missing:
            raise InvalidValueError(
                f"{missing} is missing", argument="weights", part=f"[{label!r}]"
            ) from None
    return [
        (layer[0], layer[1]) if _is_pair(layer) else (layer, None) for layer in layers
    ]


def _is_pair(layer: Any) -> bool:
    """Return whether this is (weight, bias), and no weight of two rows."""
    if not isinstance(layer, tuple | list) or len(layer) != 2:
        return False
    return np.ndim(layer[0]) > np.ndim(layer[1])


def _flat(bias: Any, fan_out: int) -> Any:
    """Return biases without the last axis of the lesson's columns `(fan_out, 1)`."""
    shape = np.shape(bias)
    if shape[-2:] == (fan_out, 1):
        return np.asarray(bias)[..., 0]
    return bias


def _tensor(part: str, given: Any, shape: tuple[int, ...], members: int) -> np.ndarray:
    """Return the tensor of every member, `(member, *shape)`.

    Args:
        part: Which of the explicit weights it is, for what is said of it.
        given: The numbers of every member, or of each.
        shape: Of one member's.
        members: How many there are.
    """
    try:
        tensor = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidValueError(
            f"numbers of shape {shape} expected", argument="weights", part=part
        ) from None
    if tensor.shape not in (shape, (members, *shape)):
        raise InvalidValueError(
            f"shape {shape} or {(members, *shape)} expected, got {tensor.shape}",
            argument="weights",
            part=part,
        )
    if not np.isfinite(tensor).all():
        raise InvalidValueError(
            "every number must be finite", argument="weights", part=part
        )
    return np.broadcast_to(tensor, (members, *shape))
