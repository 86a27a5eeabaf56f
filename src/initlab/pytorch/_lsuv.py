"""LSUV on a PyTorch model: layers scaled by their outputs for a batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from initlab import capture, catalog
from initlab.catalog import LsuvLayer
from initlab.pytorch._initialization import Initialization
from initlab.pytorch._numbers import as_count, as_flag, as_number, as_seed
from initlab.pytorch._plan import Plan
from initlab.pytorch._sites import Site, sites_by_type, weight_of
from initlab.rng import stream
from initlab.spec import Init


def lsuv_(
    model: nn.Module,
    batch: Any,
    *,
    seed: int = 0,
    start: str | Init | None = "orthogonal",
    tolerance: float = 0.1,
    attempts: int = 10,
    dry_run: bool = False,
) -> Initialization:
    """Orthonormal weights, each divided by its layer's standard deviation on a batch.

    In the order in which the model runs its layers, by `initlab.catalog.lsuv`. Linear
    layers and convolutions are scaled, behind a normalization too; weights that are 0,
    frozen or parametrized, and layers that run as functions, are left alone.

    Args:
        model: Any module; changed in place.
        batch: A tensor, or a tuple, list or dict of the model's arguments: a few
            hundred examples. Dropout is off.
        seed: The root seed.
        start: Init of the start; None keeps the weights and only scales them.
        tolerance: Of the standard deviation around 1.
        attempts: Divisions per layer, at most.
        dry_run: Whether to say what would be done, and do nothing.

    Raises:
        InvalidValueError: If the tolerance or the number of attempts is not allowed.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        >>> inputs = torch.randn(64, 4)
        >>> print(lsuv_(model, 3 * inputs).of("0.weight").reason)
        outputs scaled from std 2.10 to 1.04

    References:
        Mishkin and Matas (2016), algorithm 1, https://arxiv.org/abs/1511.06422
    """
    model, seed = capture.unwrapped(model), as_seed(seed)
    dry_run = as_flag("dry_run", dry_run)
    attempts = as_count("attempts", attempts, least=1)
    tolerance = as_number("tolerance", tolerance, above=0)
    capture.refuse_lazy(model)
    capture.refuse_unwritable(model)
    sites = {
        site.name: site
        for site in sites_by_type(model)
        if site.layer.kind != "embedding" and _is_scaled(model, site)
    }
    weights = {
        name: weight_of(model, site).detach().double().cpu().numpy()
        for name, site in sites.items()
    }
    with capture.preserved(model):
        call = capture.as_call(model, batch, None, with_loss=False)
        model.train()
        for module in model.modules():
            if "Dropout" in type(module).__name__:
                module.training = False
        # What runs as a function is seen by no hook, and stays as it is.
        seen = {name for name, _ in _outputs(model, call, sites, weights)}
        scaled = catalog.lsuv(
            {name: weight for name, weight in weights.items() if name in seen},
            lambda current: _outputs(model, call, sites, current),
            rng=stream(seed, "initialize", "lsuv"),
            start=start,
            shapes={name: sites[name].layer for name in seen},
            tolerance=tolerance,
            attempts=attempts,
        )
    plan = Plan(model)
    left = dict.fromkeys(sites.keys() - seen, "unused")
    for layer in scaled.layers:
        is_scaled = layer.std_before is not None
        if not is_scaled and (start is None or layer.outcome == "zero"):
            left[layer.name] = layer.outcome
            continue
        new = torch.from_numpy(scaled.weights[layer.name])
        done = [str(start)] * bool(start) + ["scaled"] * is_scaled
        plan.set(
            layer.name,
            new.clone,
            init=", ".join(done),
            reason=_reason(layer),
            action="drawn" if start else "set",
            std=float(new.std(correction=0)),
        )
    for name, outcome in left.items():
        plan.set(name, None, init="", reason=f"left alone: {outcome}", action="kept")
    return plan.run(seed=seed, dry_run=dry_run)


def _is_scaled(model: nn.Module, site: Site) -> bool:
    module = model.get_submodule(site.module)
    known = isinstance(module, nn.Linear | nn.modules.conv._ConvNd)
    return known and site.tensor in module._parameters and (
        weight_of(model, site).requires_grad
    )  # fmt: skip


def _outputs(
    model: nn.Module,
    call: capture.Call,
    sites: dict[str, Site],
    current: dict[str, Any],
) -> Iterator[tuple[str, np.ndarray]]:
    """Run the model with these weights; yield the outputs of its layers, in order."""
    found: list[tuple[str, np.ndarray]] = []
    hooks = []
    for name, weight in current.items():
        module = model.get_submodule(sites[name].module)

        def look(_m: nn.Module, _i: Any, output: Any, name: str = name) -> None:
            # A copy, since an activation in place would overwrite it.
            found.append((name, output.detach().double().cpu().numpy().copy()))

        with torch.no_grad():
            weight_of(model, sites[name]).copy_(torch.from_numpy(weight))
        hooks.append(module.register_forward_hook(look))
    try:
        torch.clear_autocast_cache()  # casts hold the old weights
        with torch.no_grad():
            model(*call.args, **call.kwargs)
    finally:
        for hook in hooks:
            hook.remove()
    yield from found


def _reason(layer: LsuvLayer) -> str:
    if layer.std_before is None:
        return f"not scaled: {layer.outcome}"
    return (
        f"outputs {layer.outcome} from std {layer.std_before:.2f} "
        f"to {layer.std_after:.2f}"
    )
