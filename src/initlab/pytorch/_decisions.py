"""Which parameters are drawn, from what, and which are kept, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import torch
from torch import nn

from initlab import catalog
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.pytorch._sites import Site
from initlab.pytorch._variances import Adapted, adapted
from initlab.spec import Init, LayerKind

# What torch.nn.init calls them; its functions fill a tensor, ours return an array.
_OF_TORCH = {
    "constant": "constant(value=...)",
    "dirac": "dirac",
    "eye": "identity",
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "normal": "normal(std=...)",
    "ones": "ones",
    "orthogonal": "orthogonal",
    "sparse": "sparse",
    "trunc_normal": "truncated_normal(std=...)",
    "uniform": "uniform(low=..., high=...)",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
    "zeros": "zeros",
}

Inits = str | Init | Mapping[str, str | Init]
KINDS: tuple[LayerKind, ...] = get_args(LayerKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done with a weight.

    Attributes:
        site: Where it is.
        law: What it is drawn from; None: it is kept.
        reason: Why.
    """

    site: Site
    law: Adapted | None
    reason: str


def inits_by_kind(init: Inits) -> dict[str, Init]:
    """The init for each kind of layer; kinds without one are missing.

    Raises:
        UnknownNameError: If an init or a kind is unknown.

    Example:
        >>> inits_by_kind({"conv": "dirac"})["conv"].name
        'dirac'
    """
    if not isinstance(init, Mapping):
        _refuse_torchs(init)
        one = Init.of(init)
        return dict.fromkeys(KINDS, one)
    if not init:
        raise InvalidValueError(
            f"an init, or one for each of {', '.join(KINDS)}; got an empty dict",
            argument="init",
        )
    for kind in init:
        if kind not in KINDS:
            raise UnknownNameError("kind of layer", str(kind), KINDS)
        _refuse_torchs(init[kind])
    return {kind: Init.of(one) for kind, one in init.items()}


def _refuse_torchs(init: Any) -> None:
    """Refuse a function of `torch.nn.init`, also with arguments bound to it.

    Raises:
        InvalidValueError: If it is one, with the entry that draws the same.
    """
    function = init.func if isinstance(init, partial) else init
    name = getattr(function, "__name__", "").rstrip("_")
    if getattr(function, "__module__", "") == nn.init.__name__ and name in _OF_TORCH:
        raise InvalidValueError(
            "a name of the catalog, or a function of (shape, rng) that returns an "
            f"array, got torch.nn.init.{function.__name__}, which fills a tensor; give "
            f"{_OF_TORCH[name]!r}",
            argument="init",
        )


def decide(
    site: Site,
    weight: torch.Tensor,
    inits: Mapping[str, Init],
    nonlinearity: str | None,
    *,
    read: bool,
    blank: bool = False,
) -> Decision:
    """What is done with the weight at a site.

    Args:
        site: Where it is.
        weight: The tensor there.
        inits: By kind of layer.
        nonlinearity: As for `initialize_`.
        read: Whether the model was run, so that zeros by design are known.
        blank: Whether all weights are 0, so that none is by design.
    """
    if reason := _kept(site, weight, inits, read, blank):
        return Decision(site=site, law=None, reason=reason)
    init = catalog.placed(inits[site.layer.kind], first=site.stem, last=site.head)
    if nonlinearity is None:
        law = Adapted(init=init, reason="its own gain")
    else:
        by_name = nonlinearity != "auto"
        law = adapted(
            init,
            nonlinearity if by_name else site.activation,
            by_name=by_name,
            negative_slope=site.negative_slope,
        )
    return Decision(site=site, law=law, reason=law.reason)


def _kept(
    site: Site,
    weight: torch.Tensor,
    inits: Mapping[str, Init],
    read: bool,
    blank: bool,
) -> str:
    """Return why a weight is kept; "" where it is drawn."""
    if not weight.requires_grad:
        return "frozen"
    if site.computed:
        return "computed from several parameters: start those"
    if site.layer.kind not in inits:
        return f"no init for a layer of kind {site.layer.kind}"
    if blank or weight.device.type == "meta" or bool(weight.detach().any()):
        return ""
    if not read:
        return "all 0: by design, or give batch= to know"
    roles = {
        "end of a residual branch": site.branch_end,
        "head": site.head,
        "adapter": site.adapter,
    }
    role = next((name for name, holds in roles.items() if holds), "")
    return f"0 by design: {role}" if role else ""
