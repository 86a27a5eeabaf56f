"""Every entry of the catalog on any module, with the fans its layers really have."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from initlab import capture
from initlab.errors import InvalidValueError
from initlab.pytorch._decisions import (
    Decision,
    Inits,
    Nonlinearity,
    decide,
    inits_by_kind,
)
from initlab.pytorch._devices import as_device
from initlab.pytorch._initialization import Initialization
from initlab.pytorch._names import Names
from initlab.pytorch._norms import reset_normalizations, unset_normalizations
from initlab.pytorch._numbers import as_flag, as_number, as_seed
from initlab.pytorch._reparametrized import at_rest, unwritable
from initlab.pytorch._sites import Site, sites_by_type, weight_of
from initlab.pytorch._sites_read import sites_as_read
from initlab.pytorch._tables import evened
from initlab.pytorch._tasks import Task, tasks_of, untouched
from initlab.spec import Init

_BLANK = (
    "every weight was 0, as memory is after to_empty(): none was kept as 0 by design"
)


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
    """Start a model's weights anew, and report what was done to every parameter.

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
    what the entry or criticality says. Where every weight is 0, as after `to_empty`,
    none is so by design: all are drawn, and PyTorch's normalizations are reset.

    GELU and SiLU are critical at q = 1, but do not stay there: an error of q grows by
    7 and 10 % a layer, so that 30 plain layers of SiLU, 256 wide, put out 23 where they
    should put out 1. Stacks as deep without normalizations or skips keep it at
    `initlab.theory.half_stable_point`, if weights and biases are drawn at that.

    An embedding that is the head as well is drawn as a head. Other embeddings of its
    width that would be over 4 times as loud, as those of positions, are brought down to
    it, unless the init is given by kind.

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
            of that activation, for all layers; a slope may follow, as in
            `leaky_relu(0.2)`. None: the entry's own gain. A gain that
            the init states is kept in any case.
        batch: A tensor, or a tuple, list or dict of the model's arguments.
        forget_bias: Of an LSTM's forget gates.
        device: For parameters that are on the meta device.
        dry_run: Whether to say what would be done, and do nothing.

    Raises:
        UnknownNameError: If the init or the nonlinearity is unknown.
        InvalidValueError: If an argument cannot be used, or an entry cannot start a
            layer, as `dirac` a linear one. Nothing is written then; nor if a function
            given as `init` raises.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> print(initialize_(model, "he_normal", seed=0))
        parameter  done   init       std     why
        0.weight   drawn  he_normal  0.7071  relu: critical
        0.bias     set    0                  bias
        2.weight   drawn  he_normal  0.5     its own gain: activation not known
        2.bias     set    0                  bias
    """
    inits, seed = inits_by_kind(init), as_seed(seed)
    forget_bias = as_number("forget_bias", forget_bias)
    place, dry_run = as_device(device), as_flag("dry_run", dry_run)
    chosen = Nonlinearity.of(nonlinearity)
    read = batch is not None
    model = _checked(model, read)
    names = Names.of(model)
    with at_rest(model):
        sites = sites_as_read(model, batch) if read else sites_by_type(model)
        blank = _is_blank(model, sites)
        decisions = [
            _decided(model, site, inits, chosen, read, blank) for site in sites
        ]
        if not isinstance(init, Mapping):  # otherwise the user said how to draw tables
            decisions = evened(decisions)
        tasks: list[Task] = []
        for decision in decisions:
            tasks += tasks_of(model, names, decision, seed, forget_bias)
    of_part = {part: task for task in tasks for part in task.parts}
    written = {part for part, task in of_part.items() if task.write is not None}
    norms = unset_normalizations(model, all_of_them=blank)
    notes = [_BLANK] if blank else []
    notes += _left_notes(model, names, written, norms)
    if not dry_run:
        differing = [
            task.row.aliases[0]  # the weight, which is computed of parameters
            for task in tasks
            if task.write is not None and not task.write(place)
        ]
        reset_normalizations(model, norms, place)
        if differing:
            notes.append(
                "parametrized, so that it is not just what was drawn: "
                f"{', '.join(differing)}"
            )
    rows = dict.fromkeys(
        of_part[name].row if name in of_part
        else untouched(model, names, name, read=read, reset=norms)
        for name in names.all
    )  # fmt: skip
    return Initialization(
        rows=tuple(rows), seed=seed, dry_run=dry_run, notes=tuple(notes)
    )


def _is_blank(model: nn.Module, sites: Sequence[Site]) -> bool:
    """Whether every weight is 0, which is no design, but memory without numbers."""
    weights = [weight_of(model, site) for site in sites]
    return bool(weights) and all(
        one.device.type != "meta" and not bool(one.detach().any()) for one in weights
    )


def _decided(
    model: nn.Module,
    site: Site,
    inits: Mapping[str, Init],
    nonlinearity: Nonlinearity | None,
    read: bool,
    blank: bool,
) -> Decision:
    decision = decide(
        site, weight_of(model, site), inits, nonlinearity, read=read, blank=blank
    )
    reason = unwritable(model.get_submodule(site.module), site.tensor)
    if reason and decision.law is not None:
        return replace(decision, law=None, reason=reason)
    return decision


def _checked(model: nn.Module, read: bool) -> nn.Module:
    """Return a module out of its wrappers, whose weights have a shape."""
    if not isinstance(model, nn.Module):
        raise InvalidValueError(
            f"a torch.nn.Module, got {type(model).__name__}", argument="model"
        )
    capture.refuse_lazy(model)
    capture.refuse_unwritable(model)
    if not any(one.device.type == "meta" for one in model.parameters()):
        return capture.unwrapped(model)
    if read:
        raise InvalidValueError(
            "a model on the meta device cannot be run; leave batch= out",
            argument="batch",
        )
    return model


def _left_notes(
    model: nn.Module, names: Names, written: Collection[str], norms: Collection[str]
) -> list[str]:
    """Return notes on normalizations that are reset, and on what stays without numbers.

    Args:
        model: Before anything is written.
        names: Its parameters'.
        written: First names of parameters that are drawn or set.
        norms: Paths of normalizations that are reset.
    """
    notes = []
    if norms:
        shown = ", ".join(path or "the model" for path in norms)
        notes.append(f"normalizations reset, as they had no numbers: {shown}")
    kept = [
        (name, tensor)
        for name, tensor in (*model.named_parameters(), *model.named_buffers())
        if names.first.get(name, name) not in written
        and name.rpartition(".")[0] not in norms
        and ".parametrizations." not in f".{name}"
    ]
    left = [name for name, one in kept if one.device.type == "meta"]
    if left:
        notes.append(
            f"still on the meta device, as their start is the model's to say: "
            f"{', '.join(left)}"
        )
    odd = [
        name
        for name, one in kept
        if one.device.type != "meta" and not bool(torch.isfinite(one.detach()).all())
    ]
    if odd:
        notes.append(
            f"not finite, and kept: {', '.join(odd)}; call reset_parameters() of "
            "their modules if nothing was written there"
        )
    return notes
