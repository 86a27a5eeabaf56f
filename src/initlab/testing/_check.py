"""The suite: which property is judged where, in which order, and how often.

An unlikely sample is drawn again, four times as large: a correct initializer fails
only if both samples are unlikely.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from initlab.errors import InvalidValueError
from initlab.spec import Init
from initlab.testing import (
    _haar,
    _independence,
    _moments,
    _signals,
    _sparse,
    _streams,
    _structure,
)
from initlab.testing._calls import Initializer, Sampler
from initlab.testing._law import Law, law_of
from initlab.testing._layers import Target, layer_of
from initlab.testing._report import BrokenPropertyError, Outcome, Report

UNLIKELY = 1e-4
BROKEN = 1e-6
LARGER = 4

Group: TypeAlias = Callable[..., list[Outcome]]


def check_initializer(
    function: Initializer,
    *,
    law: Law | Init | str | None = None,
    layers: bool = False,
    rng_seed: int = 0,
    dtype: str | None = None,
    accepts: Callable[[Any], bool] | None = None,
    global_streams: bool = False,
) -> Report:
    """Report of everything that holds, or an error that names what does not.

    Args:
        function: Called as `f(shape)`, or as `f(shape, rng)` with a NumPy Generator
            if it takes one (`rng`, `generator`, ..., or any second argument without
            a default). It returns an array or tensor of any framework. Shapes are
            `(fan_out, fan_in)` and `(out, in, *kernel)`; for `(in, out)` see
            `channels_last`.
        law: What it promises: a `Law`, or a name of the catalog that makes the same
            promise, such as `"he_normal"`. Without one, only what every random
            initializer owes is checked.
        layers: Whether it takes an `initlab.spec.LayerSpec` instead of a shape:
            groups, strides and transposed convolutions are checked too.
        rng_seed: Seed of the streams that it is given.
        dtype: The type that its results must have, such as `"bfloat16"`.
        accepts: Which shapes (or layers) it is for, if not for all.
        global_streams: Whether it may draw from a global stream.

    Raises:
        BrokenPropertyError: An `AssertionError` with the first broken property.

    Example:
        >>> def mine(shape, rng):
        ...     return rng.standard_normal(shape) * (2 / shape[1]) ** 0.5
        >>> def is_matrix(shape):
        ...     return len(shape) == 2
        >>> check_initializer(mine, law="he_normal", accepts=is_matrix).broken
        ()
    """
    report = _examine(
        function,
        law=law,
        layers=layers,
        rng_seed=rng_seed,
        dtype=dtype,
        accepts=accepts,
        global_streams=global_streams,
        stop=True,
    )
    if report.broken:
        raise BrokenPropertyError(report.broken[0])
    return report


def examine_initializer(
    function: Initializer,
    *,
    law: Law | Init | str | None = None,
    layers: bool = False,
    rng_seed: int = 0,
    dtype: str | None = None,
    accepts: Callable[[Any], bool] | None = None,
    global_streams: bool = False,
) -> Report:
    """Report of everything, broken or not, to the last check.

    Args:
        function: As in `check_initializer`, as are all others.
        law: What it promises.
        layers: Whether it takes a `LayerSpec`.
        rng_seed: Seed of the streams that it is given.
        dtype: The type that its results must have.
        accepts: Which shapes (or layers) it is for.
        global_streams: Whether it may draw from a global stream.

    Example:
        >>> def dead(shape, rng):
        ...     weight = rng.standard_normal(shape)
        ...     weight[-1] = 0
        ...     return weight
        >>> examine_initializer(dead).broken_names[0]
        'zero units'
    """
    return _examine(
        function,
        law=law,
        layers=layers,
        rng_seed=rng_seed,
        dtype=dtype,
        accepts=accepts,
        global_streams=global_streams,
        stop=False,
    )


def _examine(
    function: Initializer,
    *,
    law: Law | Init | str | None,
    layers: bool,
    rng_seed: int,
    dtype: str | None,
    accepts: Callable[[Any], bool] | None,
    global_streams: bool,
    stop: bool,
) -> Report:
    if not callable(function):
        raise InvalidValueError(
            f"function: give a function of a shape, got {type(function).__name__}"
        )
    named = law if isinstance(law, str | Init) else None
    stated = law_of(named) if named else law or Law(mean=None)
    assert isinstance(stated, Law)
    sampler = Sampler(function=function, seed=rng_seed, dtype=dtype, accepts=accepts)
    outcomes: list[Outcome] = []
    broken: list[Outcome] = []
    repeated = 0
    with _streams.preserved_global_states():
        for group, target in _plan(stated, layers):
            if accepts is not None and not accepts(target):
                continue
            there = law_of(named, target) if named else stated
            found, failed, again = _judge(sampler, there, group, target)
            if global_streams:
                failed = [o for o in failed if not o.name.startswith("global random")]
            outcomes += found
            broken += failed
            repeated += again
            if broken and stop:
                break
        else:
            last = _streams.replayed(sampler, stated)
            outcomes += last
            broken += [outcome for outcome in last if outcome.p < BROKEN]
    return Report(outcomes=tuple(outcomes), broken=tuple(broken), repeated=repeated)


def _plan(law: Law, layers: bool) -> list[tuple[Group, Target]]:
    """The groups of checks with their targets, in the order of the checks."""
    plan: list[tuple[Group, Sequence[Target]]] = [
        (_streams.streams, _streams.SHAPES),
        (_structure.structure, _structure.SHAPES),
    ]
    # Dependence before moments: it spoils them too, and is the better name.
    if law.random:
        plan.append((_independence.independence, _independence.SHAPES))
        plan.append((_independence.members, (_independence.MEMBERS,)))
    if law.orthogonal:
        kernels = law.distribution == "delta_orthogonal"
        packed = _haar.LAYERS if layers else ()
        plan.append((_haar.orthogonality, (*_haar.ORTHOGONAL, *packed)))
        plan.append((_haar.haar, _haar.KERNELS if kernels else _haar.UNIFORM))
    if law.distribution == "sparse_normal":
        plan.append((_sparse.sparse, _sparse.SHAPES))
    if law.std is not None or law.mode is not None or law.independent:
        plan.append((_moments.moments, _moments.SHAPES))
        plan.append((_moments.million, (_moments.MILLION,)))
    # After moments: widths that are wrong in every layer are a wrong std.
    if law.independent:
        plan.append((_independence.network, (_independence.NETWORK[0],)))
    if law.random:
        signals = _signals.LAYERS if layers else _signals.SHAPES
        plan.append((_signals.variances, signals))
    if layers and (law.std is not None or law.mode is not None or law.independent):
        plan.append((_moments.moments, _moments.LAYERS))
    return [
        (group, layer_of(target) if layers else target)
        for group, targets in plan
        for target in targets
    ]


def _judge(
    sampler: Sampler, law: Law, group: Group, target: Target
) -> tuple[list[Outcome], list[Outcome], int]:
    """What a group found, what of it is broken, and whether it was repeated."""
    name = f"{group.__name__} {target}"
    try:
        found = group(sampler, law, target, 1, name, 1)
        unlikely = {o.name for o in found if o.p < UNLIKELY and not o.certain}
        broken = [o for o in found if o.certain and o.p < BROKEN]
        if unlikely and not broken:
            found = group(sampler, law, target, LARGER, name, LARGER)
            broken = [o for o in found if o.name in unlikely and o.p < BROKEN]
            broken += [o for o in found if o.certain and o.p < BROKEN]
    except BrokenPropertyError as error:
        return [error.outcome], [error.outcome], 0
    broken.sort(key=lambda outcome: outcome.p)  # the strongest evidence first
    return found, broken, len(unlikely)
