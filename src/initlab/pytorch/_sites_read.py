"""The weights of a model that was read by running it, as sites."""

from dataclasses import replace
from typing import Any

from torch import nn

from initlab import capture
from initlab.capture import Reading, WeightUse
from initlab.pytorch._reparametrized import computed_name
from initlab.pytorch._sites import Site, decisive
from initlab.spec import LayerSpec


def sites_as_read(model: nn.Module, batch: Any) -> list[Site]:
    """The weights in the order in which the model uses them, each once.

    Of a weight that is both embedding and head, the head decides: an embedding's
    variance would be too large for it.

    Args:
        model: Any module, out of its wrappers.
        batch: As for `initlab.capture.read`.

    Example:
        >>> import torch
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        >>> [one.activation for one in sites_as_read(model, torch.ones(2, 4))]
        ['tanh', 'identity']
    """
    return [
        _computed(model, site)
        for site in sites_of(capture.read(model, batch, step=False))
    ]


def _computed(model: nn.Module, site: Site) -> Site:
    """Return the site of a weight that a hook computes, as the weight's own."""
    name = computed_name(model.get_submodule(site.module), site.tensor)
    return site if name == site.tensor else replace(site, tensor=name, computed=False)


def sites_of(reading: Reading) -> list[Site]:
    """The sites of a reading, each weight once.

    Example:
        >>> import torch
        >>> layer = nn.Linear(3, 2)
        >>> [one.name for one in sites_of(capture.read(layer, torch.ones(1, 3)))]
        ['weight']
    """
    chosen: dict[str, Site] = {}
    joined = joined_parts(reading)
    for use in reading.uses:
        if not use.parameter:
            continue
        site = site_of(use, joined.get(use.parameter))
        chosen[site.name] = decisive(chosen.get(site.name), site)
    return list(chosen.values())


def joined_parts(reading: Reading) -> dict[str, LayerSpec]:
    """Return the geometry of weights that several uses take parts of.

    As an attention's packed projection does, whose queries are made of other inputs
    than its keys and values.
    """
    shapes = {known.name: known.shape for known in reading.parameters}
    parts: dict[str, list[LayerSpec]] = {}
    for use in reading.uses:
        parts.setdefault(use.parameter, []).append(use.layer)
    found = {}
    for name, layers in parts.items():
        rows = sum(layer.shape[0] for layer in layers)
        alike = {layer.shape[1:] for layer in layers} == {shapes.get(name, ())[1:]}
        if len(layers) > 1 and alike and (rows, *shapes[name][1:]) == shapes[name]:
            packed = sum(layer.packed for layer in layers)
            found[name] = layers[0].model_copy(
                update={"shape": shapes[name], "packed": packed}
            )
    return found


def site_of(use: WeightUse, layer: LayerSpec | None = None) -> Site:
    """The site of a use.

    Args:
        use: Of a weight.
        layer: Of the whole weight, where the use takes a part of it.

    Example:
        >>> from initlab.spec import LayerSpec
        >>> use = WeightUse(
        ...     index=0, module="0", parameter="0.weight", sources=("0.weight",),
        ...     bias=None, operation="linear", layer=LayerSpec(shape=(2, 3)),
        ... )
        >>> site_of(use).name
        '0.weight'
    """
    # A parametrized weight's parameters are 0.parametrizations.weight.original0, ...
    path, _, rest = use.parameter.partition("parametrizations.")
    if rest:
        module, tensor = path.rstrip("."), rest.split(".")[0]
    else:
        module, _, tensor = use.parameter.rpartition(".")
    return Site(
        module=module,
        tensor=tensor,
        layer=layer or use.layer,
        bias=use.bias,
        activation=None if use.activation == "unknown" else use.activation,
        negative_slope=use.negative_slope,
        role=use.role,
        stored_transposed=use.stored_transposed,
        branch_end=use.branch_end,
        head=use.head,
        stem=use.stem,
        adapter=use.adapter,
        normed=use.normed,
        computed=use.derived and len(use.sources) > 1 and not rest,
    )
