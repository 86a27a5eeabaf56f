"""Every entry of the catalog on any module, in the fans that its layers really have."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from initlab import capture
from initlab.errors import InvalidValueError
from initlab.pytorch._decisions import Decision, Inits, decide, inits_by_kind
from initlab.pytorch._draws import law
from initlab.pytorch._initialization import Initialization, Initialized
from initlab.pytorch._names import Names
from initlab.pytorch._norms import is_normalization, reset_normalizations
from initlab.pytorch._shards import local_part
from initlab.pytorch._sites import sites_by_type, weight_of
from initlab.pytorch._sites_read import sites_as_read
from initlab.pytorch._write import (
    drawn_bias,
    drawn_weight,
    real_parameter,
    write_values,
    write_weight,
)
from initlab.theory import gain


def initialize_(
    model: nn.Module,
    init: Inits,
    *,
    seed: int = 0,
    nonlinearity: str | None = "auto",
    batch: Any = None,
    forget_bias: float = 1.0,
    device: torch.device | str = "cpu",
    dry_run: bool = False,
) -> Initialization:
    """Start a model's weights anew, and say of every parameter what was done to it.

    Every weight is drawn in the fans of its layer (groups, strides, transposed
    convolutions, packed projections and gates one by one), from its own stream, which
    depends on the seed and the parameter's name alone: another layer, rank or order
    changes no number, and torch's own random state is not touched.

    With a batch the model is run once to read it: the activation after each layer,
    weights that no module of PyTorch's owns, projections that are packed, ends of
    residual branches. Without one, layers are known by their modules' types, and
    activations where one follows in the same `nn.Sequential`.

    Kept as they are: normalizations, frozen parameters, weights that are 0 by design
    (ends of residual branches, heads, adapters; without a batch every weight that is
    0), and single numbers and vectors that are no bias of a layer. Biases become 0, or
    what the entry or criticality says.

    Parameters on the meta device become real ones on `device`, as by `to_empty`, but
    only those that are drawn or set here; PyTorch's normalizations there are reset.
    What else is on the meta device stays there, and the notes name it.

    Args:
        model: Any module; changed in place.
        init: An entry of the catalog, as in `initlab list`; or one for each of
            `"linear"`, `"conv"` and `"embedding"`, where kinds left out are kept.
        seed: The root seed.
        nonlinearity: `"auto"`: of the activation that was found after each layer, the
            `critical` variances of weights and biases. A name: the second-moment gain
            of that activation, for all layers. None: the entry's own gain. A gain that
            the init states is kept in any case.
        batch: A tensor, or a tuple, list or dict of the model's arguments.
        forget_bias: Of an LSTM's forget gates.
        device: For parameters that are on the meta device.
        dry_run: Whether to say what would be done, and do nothing.

    Raises:
        UnknownNameError: If the init or the nonlinearity is unknown.
        InvalidValueError: If an entry cannot start a layer, as `dirac` a linear one.
            Nothing is written then.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> print(initialize_(model, "he_normal", seed=0))
        parameter  done   init       std     why
        0.weight   drawn  he_normal  0.7071  relu: critical
        0.bias     set    0                  bias
        2.weight   drawn  he_normal  0.5     its own gain: activation not known
        2.bias     set    0                  bias
    """
    inits = inits_by_kind(init)
    if nonlinearity not in ("auto", None):
        gain(str(nonlinearity))  # refuses an unknown name before anything is done
    read = batch is not None
    model = _checked(model, seed, read)
    sites = sites_as_read(model, batch) if read else sites_by_type(model)
    names = Names.of(model)
    tasks: list[_Task] = []
    for site in sites:
        weight = weight_of(model, site)
        decision = decide(site, weight, inits, nonlinearity, read=read)
        tasks += _tasks(model, names, decision, seed, forget_bias)
    notes: list[str] = []
    if not dry_run:
        differing = [
            task.row.parameter
            for task in tasks
            if task.write is not None and not task.write(torch.device(device))
        ]
        reset = reset_normalizations(model, torch.device(device))
        notes = _notes(reset, differing, model)
    of_part = {part: task.row for task in tasks for part in task.parts}
    rows = dict.fromkeys(
        of_part.get(name) or _other(model, names, name, read=read) for name in names.all
    )
    return Initialization(
        rows=tuple(rows), seed=seed, dry_run=dry_run, notes=tuple(notes)
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """A row of the report, how to make it true, and the parameters that it is of.

    Writing says whether the model now has the very numbers.
    """

    row: Initialized
    write: Callable[[torch.device], bool] | None
    parts: tuple[str, ...]


def _tasks(
    model: nn.Module, names: Names, decision: Decision, seed: int, forget_bias: float
) -> Iterator[_Task]:
    site, own = decision.site, decision.law
    weight = weight_of(model, site)
    parts = tuple(names.of_weight(site.name, weight, model))
    name = names.first.get(site.name, site.name)
    aliases = names.aliases.get(name, parts)
    biased = None if site.bias is None else names.first.get(site.bias)
    if own is None:
        kept = Initialized(
            parameter=name, action="kept", reason=decision.reason, aliases=aliases
        )
        yield _Task(kept, None, parts)
        return
    try:
        std = law(own.init, site.layer)
    except InvalidValueError as error:
        raise InvalidValueError(f"init {own.init}, {name}: {error}") from None
    row = Initialized(
        parameter=name,
        action="drawn",
        init=str(own.init),
        std=std,
        reason=decision.reason,
        aliases=aliases,
    )

    def write(device: torch.device) -> bool:
        if name in names.first:
            real_parameter(model, name, device)
        stored = model.get_submodule(site.module)
        shape = tuple(getattr(stored, site.tensor).shape)
        part = local_part(weight_of(model, site))
        values = drawn_weight(site, shape, own, name=name, seed=seed, part=part)
        return write_weight(model, site, values)

    yield _Task(row, write, parts)
    if biased is not None and model.get_parameter(biased).requires_grad:
        yield _of_bias(model, names, decision, biased, seed, forget_bias)


def _of_bias(
    model: nn.Module,
    names: Names,
    decision: Decision,
    name: str,
    seed: int,
    forget_bias: float,
) -> _Task:
    assert decision.law is not None
    make = partial(
        drawn_bias,
        decision.site,
        model.get_parameter(name).numel(),
        decision.law,
        name=name,
        seed=seed,
        forget_bias=forget_bias,
    )
    values = make()
    constant = bool((values == values[0]).all())
    forgets = decision.site.role == "recurrent" and decision.site.layer.packed == 4
    row = Initialized(
        parameter=name,
        action="set" if constant or forgets else "drawn",
        init="0, forget gates "f"{forget_bias:g}" if forgets
        else f"{values[0]:g}" if constant else "normal",
        std=math.nan if constant or forgets else float(decision.law.bias_std)
        or float(values.std()),
        reason="bias",
        aliases=names.aliases.get(name, ()),
    )  # fmt: skip

    def write(device: torch.device) -> bool:
        tensor = real_parameter(model, name, device)
        part = local_part(tensor)
        write_values(tensor, make() if part is None else make()[tuple(part)])
        return True

    return _Task(row, write, (name,))


def _other(model: nn.Module, names: Names, name: str, *, read: bool) -> Initialized:
    """Return the row of a parameter that is no layer's weight or bias."""
    path, _, _ = name.rpartition(".")
    parameter = model.get_parameter(name)
    if is_normalization(model.get_submodule(path)):
        reason = "normalization"
    elif not parameter.requires_grad:
        reason = "frozen"
    elif read or sum(size > 1 for size in parameter.shape) < 2:
        reason = "no weight of a layer"
    else:
        reason = "no layer that is known uses it; give batch= to find out which does"
    return Initialized(
        parameter=name, action="kept", reason=reason, aliases=names.aliases[name]
    )


def _checked(model: nn.Module, seed: int, read: bool) -> nn.Module:
    """Return a module out of its wrappers, whose weights have a shape."""
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise InvalidValueError(f"seed: give an int, got {seed!r}")
    if not isinstance(model, nn.Module):
        raise InvalidValueError(f"model: a torch.nn.Module, got {type(model).__name__}")
    parameters = dict(model.named_parameters())
    for name, parameter in parameters.items():
        if isinstance(parameter, UninitializedParameter):
            raise InvalidValueError(
                f"model: {name} is lazy and has no shape yet; run the model once first"
            )
    if not any(one.device.type == "meta" for one in parameters.values()):
        return capture.unwrapped(model)
    if read:
        raise InvalidValueError(
            "batch: a model on the meta device cannot be run; leave batch= out"
        )
    return model


def _notes(reset: list[str], differing: list[str], model: nn.Module) -> list[str]:
    notes = []
    if differing:
        notes.append(
            "parametrized, so that it is not just what was drawn: "
            f"{', '.join(differing)}"
        )
    if reset:
        shown = ", ".join(path or "the model" for path in reset)
        notes.append(f"reset from the meta device: {shown}")
    left = [
        name
        for name, one in (*model.named_parameters(), *model.named_buffers())
        if one.device.type == "meta"
    ]
    if left:
        notes.append(
            f"still on the meta device, as their start is the model's to say: "
            f"{', '.join(left)}"
        )
    return notes
