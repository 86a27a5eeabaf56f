"""The door to the catalog: look an initializer up, draw a weight."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from initlab.catalog._checks import Shape, checked_shape
from initlab.catalog._entry import Entry
from initlab.catalog._rng import Rng, Weight, checked_rng
from initlab.catalog._table import CATALOG
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import CALLABLE, EXPLICIT, INIT_ALIASES, Init, LayerSpec


def names() -> tuple[str, ...]:
    """The names of all initializers, without aliases, in the table's order.

    Example:
        >>> names()[:2]
        ('zeros', 'ones')
    """
    return tuple(CATALOG)


def get(name: str) -> Entry:
    """The table's entry of that name or alias.

    Raises:
        UnknownNameError: If there is none; the message offers the nearest name.

    Example:
        >>> get("kaiming_normal").cite
        'he2015'
    """
    canonical = INIT_ALIASES.get(name, name)
    if canonical not in CATALOG:
        raise UnknownNameError("init", name, [*CATALOG, *INIT_ALIASES])
    return CATALOG[canonical]


def placed(init: Init, *, first: bool, last: bool) -> Init:
    """The init with its layer's place filled in, where it takes that and lacks it.

    `siren` and `looks_linear` treat the ends of a network in their own way.

    Args:
        init: Of any entry, or a function.
        first: Whether the layer is the first.
        last: Whether the layer is the last.

    Example:
        >>> placed(Init.parse("siren(omega=1)"), first=True, last=False).parameters
        {'first': True, 'omega': 1.0}
    """
    if init.name not in CATALOG:
        return init
    taken = CATALOG[init.name].parameters
    place = {"first": first, "last": last}
    filled = {name: value for name, value in place.items() if name in taken}
    return init.model_copy(update={"parameters": filled | init.parameters})


def draw(
    init: str | Init | Mapping[str, Any] | Callable[..., Any],
    shape: Shape,
    *,
    rng: Rng,
) -> Weight:
    """One weight of the given shape, as an array of float64.

    Args:
        init: A name as in `initlab list`, with parameters if wanted, such as
            `"normal(std=10)"`; an `Init`; or a function of your own, called as
            `f(shape, rng)`, or as `f(shape, rng=rng)` if its `rng` is keyword-only.
            The array that it returns is copied.
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, taken for an ordinary
            layer's; or a `LayerSpec`, which knows its fans. A function of your own
            gets the bare shape.
        rng: Where the numbers come from; a RandomState gives legacy numbers.

    Raises:
        UnknownNameError: If no initializer or parameter has that name.
        InvalidValueError: If an argument or a value is not allowed, if the weights
            are not finite, or if a function returns something else than real numbers
            of that shape.

    Example:
        >>> draw("he_normal", (10, 2), rng=np.random.default_rng(0)).shape
        (10, 2)
        >>> def halves(shape, rng):
        ...     return rng.choice([-0.5, 0.5], shape)
        >>> draw(halves, (10, 2), rng=np.random.default_rng(0)).std().round(1).item()
        0.5
    """
    init = Init.of(init)
    sizes, rng = checked_shape(shape), checked_rng(rng)
    layer = shape if isinstance(shape, LayerSpec) else sizes
    function = _function(init)
    # An overflow shows up as a weight that is not finite, and is refused as that.
    with np.errstate(over="ignore", invalid="ignore"):
        weight = function(layer, rng) * init.scale
    if not np.isfinite(weight).all():
        raise InvalidValueError(
            f"init {init}: gives weights that are not finite in shape {sizes}"
        )
    return weight


def _function(init: Init) -> Callable[[Shape, Rng], Weight]:
    """Return what draws this init's weights, before its scale."""
    if init.name == EXPLICIT:
        raise InvalidValueError(
            f"init {init}: explicit weights are not drawn; use the arrays themselves"
        )
    if init.name != CALLABLE:
        entry = get(init.name)
        return lambda shape, rng: entry.draw(shape, rng=rng, **init.parameters)
    if init.draw is None:
        raise InvalidValueError(
            f"init {init}: its function is not here, as functions are not stored; "
            "give the function itself"
        )
    return _of_user(init.draw, str(init))


def _of_user(
    function: Callable[..., Any], label: str
) -> Callable[[Shape, Rng], Weight]:
    """Return the user's function behind one way to call it, its result checked."""

    def checked(given: Shape, rng: Rng) -> Weight:
        shape = checked_shape(given)
        if _binds(function, shape, rng):
            return _checked_result(function(shape, rng), shape, label)
        if _binds(function, shape, rng=rng):
            return _checked_result(function(shape, rng=rng), shape, label)
        raise InvalidValueError(
            f"init {label}: an init is called as f(shape, rng), "
            f"got {label}{inspect.signature(function)}"
        )

    return checked


def _binds(function: Callable[..., Any], *positional: Any, **keyword: Any) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # built-in functions may have none
        return True
    try:
        signature.bind(*positional, **keyword)
    except TypeError:
        return False
    return True


def _checked_result(result: Any, shape: tuple[int, ...], label: str) -> Weight:
    expected = f"init {label}: must return an array of shape {shape}"
    try:
        array = np.asarray(result)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        arrived = array.dtype if array.dtype != object else type(result).__name__
        raise InvalidValueError(f"{expected} and real numbers, got {arrived}")
    if array.shape != shape:
        raise InvalidValueError(f"{expected}, got shape {array.shape}")
    return np.array(array, dtype=np.float64)
