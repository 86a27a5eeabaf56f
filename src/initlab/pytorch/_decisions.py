"""Which parameters are drawn, from what, and which are kept, and why."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import torch
from torch import nn

from initlab import catalog
from initlab.activations import akin
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.pytorch._sites import Site
from initlab.pytorch._variances import Adapted, adapted
from initlab.spec import ACTIVATION_NAMES, Init, LayerKind

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


# A slope may follow, as in leaky_relu(0.2).
_NAMED = re.compile(r"(\w+)(?:\(([0-9.eE+-]+)\))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonlinearity:
    """What layers' gains are taken from.

    Attributes:
        activation: Of the table, or akin to one of it; None: the one found after each.
        negative_slope: Of a leaky ReLU.
    """

    activation: str | None = None
    negative_slope: float = 0.01

    @classmethod
    def of(cls, given: str | None) -> "Nonlinearity | None":
        """Return what the user's `nonlinearity` means; None of None.

        Raises:
            UnknownNameError: If it names no activation that there is theory of.

        Example:
            >>> Nonlinearity.of("leaky_relu(0.2)").negative_slope
            0.2
        """
        if given is None:
            return None
        if given == "auto":
            return cls()
        named = _NAMED.fullmatch(given) if isinstance(given, str) else None
        name, slope = named.groups() if named else ("", None)
        sloped = slope is None or (name == "leaky_relu" and _is_number(slope))
        if akin(name) is None or not sloped:
            known = ["auto", "None", "leaky_relu(0.2)", *ACTIVATION_NAMES]
            raise UnknownNameError(
                "nonlinearity", str(given), known, argument="nonlinearity"
            )
        return cls(
            activation=name, negative_slope=0.01 if slope is None else float(slope)
        )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


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
        return dict.fromkeys(KINDS, _init_of(init))
    if not init:
        raise InvalidValueError(
            f"an init, or one for each of {', '.join(KINDS)}; got an empty dict",
            argument="init",
        )
    for kind in init:
        if kind not in KINDS:
            raise UnknownNameError("kind of layer", str(kind), KINDS)
    return {kind: _init_of(one) for kind, one in init.items()}


def _init_of(given: Any) -> Init:
    """Return the init that the user means.

    Raises:
        InvalidValueError: If it is none, or one that needs a batch.
        UnknownNameError: If its name is unknown.
    """
    _refuse_torchs(given)
    if given == "lsuv":
        raise InvalidValueError(
            "an entry of the catalog that needs no data, got 'lsuv'; call "
            "initlab.pytorch.lsuv_(model, batch)",
            argument="init",
        )
    return Init.of(given)


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
    nonlinearity: Nonlinearity | None,
    *,
    read: bool,
    blank: bool = False,
) -> Decision:
    """What is done with the weight at a site.

    Args:
        site: Where it is.
        weight: The tensor there.
        inits: By kind of layer.
        nonlinearity: That the user chose; None: the entry's own gain.
        read: Whether the model was run, so that zeros by design are known.
        blank: Whether all weights are 0, so that none is by design.
    """
    if reason := _kept(site, weight, inits, read, blank):
        return Decision(site=site, law=None, reason=reason)
    init = catalog.placed(inits[site.layer.kind], first=site.stem, last=site.head)
    if nonlinearity is None:
        law = Adapted(init=init, reason="its own gain")
    else:
        chosen = nonlinearity.activation
        law = adapted(
            init,
            site.activation if chosen is None else chosen,
            by_name=chosen is not None,
            negative_slope=(
                site.negative_slope if chosen is None else nonlinearity.negative_slope
            ),
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
