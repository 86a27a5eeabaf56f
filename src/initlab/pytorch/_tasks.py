"""What is done to each parameter: a row of the report, and how to make it true."""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from initlab import catalog
from initlab.errors import InvalidValueError
from initlab.pytorch._decisions import Decision
from initlab.pytorch._draws import law
from initlab.pytorch._initialization import Initialized
from initlab.pytorch._names import Names
from initlab.pytorch._norms import is_normalization
from initlab.pytorch._reparametrized import real_buffers
from initlab.pytorch._shards import local_part
from initlab.pytorch._sites import Site, weight_of
from initlab.pytorch._write import (
    drawn_bias,
    drawn_complex,
    drawn_weight,
    has_both_parts,
    real_parameter,
    refuse_other_layout,
    write_values,
    write_weight,
)
from initlab.spec import Init, LayerSpec


@dataclass(frozen=True, slots=True)
class Task:
    """A row of the report, how to make it true, and the parameters that it is about.

    Writing returns whether the model now holds exactly these numbers.
    """

    row: Initialized
    write: Callable[[torch.device], bool] | None
    parts: tuple[str, ...]


def tasks_of(
    model: nn.Module, names: Names, decision: Decision, seed: int, forget_bias: float
) -> Iterator[Task]:
    """Yield what is done with a weight, and with the biases beside it.

    Args:
        model: That has them.
        names: Its parameters'.
        decision: Of the weight.
        seed: The root seed.
        forget_bias: Of an LSTM's forget gates.

    Raises:
        InvalidValueError: If the entry cannot start the layer.
    """
    site, own = decision.site, decision.law
    weight = weight_of(model, site)
    parts = tuple(names.of_weight(site.name, weight, model))
    name = names.first.get(site.name, site.name)
    module = model.get_submodule(site.module)
    shape = tuple(getattr(module, site.tensor).shape)
    shown, aliases = _shown_as(model, names, name, parts, shape)
    if own is None:
        kept = Initialized(
            parameter=shown, action="kept", reason=decision.reason, aliases=aliases
        )
        yield Task(kept, None, parts)
        for first in _biases(names, site):
            row = Initialized(
                parameter=first, action="kept", reason="bias of a weight that is kept",
                aliases=names.aliases[first],
            )  # fmt: skip
            yield Task(row, None, (first,))
        return
    std = _std(own.init, site.layer, name)
    is_real = not weight.is_complex() or has_both_parts(own)
    row = Initialized(
        parameter=shown,
        action="drawn",
        init=str(own.init),
        std=std,
        reason=decision.reason + ("" if is_real else "; the imaginary part is 0"),
        aliases=aliases,
    )

    draw = partial(
        drawn_complex if weight.is_complex() else drawn_weight,
        site,
        shape,
        own,
        name=name,
        seed=seed,
        part=local_part(weight),
    )
    # The catalog's draws are not held, as they are as large as the model.
    held: np.ndarray | None = None
    if own.init.name in catalog.CATALOG:
        refuse_other_layout(site, shape, own, name)
    else:  # a user's function may raise, when nothing is written yet
        held = draw()

    def write(device: torch.device) -> bool:
        for part in parts:
            real_parameter(model, part, device)
        if name not in names.first:
            real_buffers(module, site.tensor, device)
        values = draw() if held is None else held
        return write_weight(model, site, values, name=name, seed=seed)

    yield Task(row, write, parts)
    for first in _biases(names, site):
        if model.get_parameter(first).requires_grad:
            yield _of_bias(model, names, decision, first, seed, forget_bias)


def _biases(names: Names, site: Site) -> list[str]:
    """Return the first names of a weight's biases that are parameters."""
    known = filter(None, (site.bias, *site.more_biases))
    return [names.first[one] for one in known if one in names.first]


def _shown_as(
    model: nn.Module,
    names: Names,
    name: str,
    parts: tuple[str, ...],
    shape: tuple[int, ...],
) -> tuple[str, tuple[str, ...]]:
    """Return under which name a weight is reported, and its others.

    A weight that is computed is no parameter; the one in its shape stands for it.
    """
    if name in names.first or not parts:
        return name, names.aliases.get(name, parts)
    alike = [one for one in parts if model.get_parameter(one).shape == shape]
    shown = (alike or parts)[0]
    return shown, (name, *(one for one in parts if one != shown))


def _std(init: Init, layer: LayerSpec, name: str) -> float:
    """Return the deviation by the law, or refuse an entry that has none for a layer."""
    try:
        return law(init, layer)
    except InvalidValueError as error:
        raise InvalidValueError(
            f"init {init}, {name}: {error}; inits may differ by kind of layer, "
            'as in {"conv": ..., "linear": ...}'
        ) from None


def _of_bias(
    model: nn.Module,
    names: Names,
    decision: Decision,
    name: str,
    seed: int,
    forget_bias: float,
) -> Task:
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
    init, std = decision.law.init, float(decision.law.bias_std)
    if forgets:
        shown, std = f"0, forget gates {forget_bias:g}", math.nan
    elif constant:
        shown, std = f"{values[0]:g}", math.nan
    elif std:
        shown = "normal"
    else:  # the entry's own biases, which are drawn as its weights are
        shown, std = str(init), _std(init, decision.site.layer, name)
    row = Initialized(
        parameter=name,
        action="set" if constant or forgets else "drawn",
        init=shown,
        std=std,
        reason="bias",
        aliases=names.aliases.get(name, ()),
    )

    def write(device: torch.device) -> bool:
        tensor = real_parameter(model, name, device)
        part = local_part(tensor)
        write_values(tensor, make() if part is None else make()[tuple(part)])
        return True

    return Task(row, write, (name,))


def untouched(
    model: nn.Module, names: Names, name: str, *, read: bool, reset: Collection[str]
) -> Initialized:
    """Return the row of a parameter that is no layer's weight or bias.

    Args:
        model: That has it.
        names: Its parameters'.
        name: Of the parameter.
        read: Whether the model was run.
        reset: Paths of normalizations that start anew.
    """
    path, _, own = name.rpartition(".")
    parameter, aliases = model.get_parameter(name), names.aliases[name]
    if path in reset:
        return Initialized(
            parameter=name, action="set", init="0" if own == "bias" else "1",
            reason="normalization", aliases=aliases,
        )  # fmt: skip
    if is_normalization(model.get_submodule(path)):
        reason = "normalization"
    elif not parameter.requires_grad:
        reason = "frozen"
    elif read or sum(size > 1 for size in parameter.shape) < 2:
        reason = "no weight of a layer"
    else:
        reason = "no layer that is known uses it; give batch= to find out which does"
    return Initialized(parameter=name, action="kept", reason=reason, aliases=aliases)
