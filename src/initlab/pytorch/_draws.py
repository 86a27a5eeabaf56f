"""One weight of a model, or a part of it, drawn from an entry of the catalog."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from initlab import catalog
from initlab.catalog import Entry
from initlab.errors import InvalidValueError
from initlab.pytorch._counter import standardized
from initlab.rng import stream
from initlab.spec import Init, LayerSpec

Index = Sequence[slice]

_ELEMENTWISE = ("normal", "uniform", "truncated_normal")
# With these the distribution of the entries differs from the table's.
_OTHER_LAWS = ("dialect", "distribution")


def draw_weight(
    init: str | Init,
    layer: LayerSpec,
    *,
    name: str,
    seed: int = 0,
    index: Index | None = None,
) -> np.ndarray:
    """The weight that `initialize_` gives a parameter of that name, or a part of it.

    If the entry's numbers are independent, only the part is drawn: each rank of a
    sharded model draws what it holds, and all ranks together what one machine would.
    Orthogonal and other structured weights are drawn whole, then cut.

    Args:
        init: Of the catalog.
        layer: The whole weight, in the shape that PyTorch stores it in.
        name: The parameter's, as in `named_parameters`.
        seed: The root seed.
        index: Slices along the first axes, without steps; None: the whole.

    Raises:
        InvalidValueError: If the entry cannot start such a layer.

    Example:
        >>> layer = LayerSpec(shape=(6, 4))
        >>> whole = draw_weight("he_normal", layer, name="0.weight")
        >>> part = draw_weight(
        ...     "he_normal", layer, name="0.weight", index=[slice(2, 4)]
        ... )
        >>> bool((part == whole[2:4]).all())
        True
    """
    init = Init.of(init)
    cut = _cut(index or (), layer.shape)
    if init.name in catalog.CATALOG:
        entry = catalog.get(init.name)
        if is_elementwise(init):
            return _elementwise(init, entry, layer, name, seed, cut)
    whole = catalog.draw(init, layer, rng=stream(seed, "initialize", name))
    return whole[cut]


def is_elementwise(init: Init) -> bool:
    """Whether an init's numbers are independent, so that a part can be drawn alone.

    Example:
        >>> [is_elementwise(Init.of(one)) for one in ("he_normal", "orthogonal")]
        [True, False]
    """
    entry = catalog.CATALOG.get(init.name)
    return (
        entry is not None
        and entry.distribution in _ELEMENTWISE
        and not any(name in init.parameters for name in _OTHER_LAWS)
    )


def mean_of(init: Init) -> float:
    """Mean of the entries of an init whose numbers are independent, before its scale.

    Example:
        >>> mean_of(Init.of("uniform(low=0, high=1)")), mean_of(Init.of("he_normal"))
        (0.5, 0.0)
    """
    filled = catalog.get(init.name).parameters | init.parameters
    if init.name == "uniform":
        return (float(filled["low"]) + float(filled["high"])) / 2
    return float(init.parameters.get("mean", 0.0))


def law(init: Init, layer: LayerSpec) -> float:
    """Standard deviation of the entries by the init's law; nan of a user's function.

    Example:
        >>> law(Init.of("he_normal"), LayerSpec(shape=(6, 2)))
        1.0
    """
    if init.name not in catalog.CATALOG:
        return math.nan
    return abs(init.scale) * catalog.get(init.name).std(layer, **init.parameters)


def _elementwise(
    init: Init,
    entry: Entry,
    layer: LayerSpec,
    name: str,
    seed: int,
    cut: tuple[slice, ...],
) -> np.ndarray:
    options: dict[str, Any] = {}
    if "bound" in entry.parameters:
        options["bound"] = float((entry.parameters | init.parameters)["bound"])
    # Rows of the first axis are one run of entries; cuts along others are drawn and
    # dropped.
    per_row = math.prod(layer.shape[1:])
    rows = cut[0] if cut else slice(0, layer.shape[0])
    count = rows.stop - rows.start
    drawn = standardized(
        entry.distribution,
        seed,
        name,
        rows.start * per_row,
        count * per_row,
        **options,
    )
    drawn *= law(init, layer)
    drawn += init.scale * mean_of(init)
    whole_rows = drawn.reshape(count, *layer.shape[1:])
    return whole_rows[(slice(None), *cut[1:])]


def _cut(index: Index, shape: tuple[int, ...]) -> tuple[slice, ...]:
    if len(index) > len(shape):
        raise InvalidValueError(
            f"at most one slice per axis of {shape}, got {len(index)}", argument="index"
        )
    found = []
    for one, size in zip(index, shape, strict=False):
        start, stop, step = one.indices(size)
        if step != 1:
            raise InvalidValueError(
                f"slices without steps, got {one}", argument="index"
            )
        found.append(slice(start, max(start, stop)))
    return tuple(found)
