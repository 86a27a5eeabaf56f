"""Tables whose rows are added up: none may drown one that is tied to a head.

By its fan an embedding is drawn with a deviation of 1, but one that is the head as well
with 1 / sqrt(width): in their sum, positions would be all that the model sees.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from initlab.errors import InvalidValueError
from initlab.pytorch._decisions import Decision
from initlab.pytorch._draws import law

# Half of what `check` calls loud.
_LOUD = 4.0


def evened(decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions in which loud tables are brought down to a tied one of their width.

    Example:
        >>> from initlab.pytorch._decisions import decide, inits_by_kind
        >>> from initlab.pytorch._sites import sites_by_type, weight_of
        >>> from torch import nn
        >>> model = nn.ModuleDict(
        ...     dict(words=nn.Embedding(99, 64), places=nn.Embedding(8, 64),
        ...          head=nn.Linear(64, 99, bias=False))
        ... )
        >>> model["head"].weight = model["words"].weight
        >>> inits = inits_by_kind("lecun_normal")
        >>> [one.law.init.label for one in evened([
        ...     decide(site, weight_of(model, site), inits, None, read=False)
        ...     for site in sites_by_type(model)
        ... ])]
        ['lecun_normal', 'lecun_normal, x 0.125']
    """  # fmt: skip
    tied = {one.site.layer.shape[1]: one for one in decisions if one.site.tied}
    return list(_brought(decisions, tied))


def _brought(
    decisions: Sequence[Decision], tied: Mapping[int, Decision]
) -> Iterator[Decision]:
    for one in decisions:
        table = tied.get(one.site.layer.shape[1], one)
        own, wanted = _std(one), _std(table)
        loud = one.site.layer.kind == "embedding" and own > _LOUD * wanted > 0
        if not loud or one.law is None:
            yield one
            continue
        init, factor = one.law.init, wanted / own
        scaled = init.model_copy(
            update={"scale": init.scale * factor, "label": f"{init}, x {factor:.3g}"}
        )
        reason = f"as loud as {table.site.name}, a table that is a head, too"
        yield replace(
            one, law=replace(one.law, init=scaled, reason=reason), reason=reason
        )


def _std(one: Decision) -> float:
    """Return the deviation that a weight is drawn with; 0 where that is not known."""
    if one.law is None:
        return 0.0
    try:
        return law(one.law.init, one.site.layer)
    except InvalidValueError:  # the error is raised where it is drawn
        return 0.0
