"""Recipes that follow a model's residual structure: zero ends, Fixup, T-Fixup."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from initlab import capture
from initlab.capture import Block, Reading, WeightUse
from initlab.errors import InvalidValueError
from initlab.pytorch._draws import law
from initlab.pytorch._initialization import Initialization
from initlab.pytorch._numbers import as_flag, as_seed
from initlab.pytorch._padding import padding_rows
from initlab.pytorch._plan import Plan
from initlab.pytorch._sites_read import joined_parts, site_of
from initlab.pytorch._variances import Adapted
from initlab.pytorch._write import drawn_weight
from initlab.spec import Init, LayerSpec


def zero_branch_ends_(
    model: nn.Module, batch: Any, *, dry_run: bool = False
) -> Initialization:
    """Let every residual block start as the identity, with 0 at the end of its branch.

    Where a normalization ends the branch, its factor becomes 0 (Goyal et al. 2017),
    else the last layer's weight and bias. Blocks whose branch is already multiplied by
    a factor of 0 (SkipInit, ReZero) are left alone.

    Args:
        model: Any module with residual blocks; changed in place.
        batch: A tensor, or a tuple, list or dict of the model's arguments.
        dry_run: Whether to say what would be done, and do nothing.

    Raises:
        InvalidValueError: If no residual block was found.

    Example:
        >>> class Block(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.first, self.last = nn.Linear(4, 8), nn.Linear(8, 4)
        ...     def forward(self, x):
        ...         return x + self.last(torch.relu(self.first(x)))
        >>> model = nn.Sequential(Block(), nn.Linear(4, 2))
        >>> report = zero_branch_ends_(model, torch.randn(3, 4))
        >>> [row.parameter for row in report.rows if row.action == "set"]
        ['0.last.weight', '0.last.bias']

    References:
        Goyal et al. (2017), section 5.1, https://arxiv.org/abs/1706.02677
    """
    dry_run = as_flag("dry_run", dry_run)
    model, reading = _read(model, batch)
    plan, notes = Plan(model), []
    for block in _blocks(reading, "zero_branch_ends_"):
        if _starts_at_nothing(model, block):
            notes.append(f"{block.module}: its factor {block.scales[0]} is 0 already")
            continue
        reason = f"end of the branch of {block.module or 'the model'}"
        gammas = [
            reading.norms[number].parameter
            for number in block.norms
            if reading.norms[number].branch_end
        ]
        for gamma in filter(None, gammas):
            plan.set(gamma, None, init="0", reason=reason)
        if not any(gammas):
            for use in (reading.uses[number] for number in block.ends):
                _set_zero(plan, use, reason)
    return plan.run(seed=0, dry_run=dry_run, notes=notes)


def fixup_(
    model: nn.Module, batch: Any, *, seed: int = 0, dry_run: bool = False
) -> Initialization:
    """Fixup: residual networks without normalization, whose steps do not grow with L.

    Of L residual blocks with m layers in a branch: the branch's last layer and the
    head 0, its other layers He's times L^(-1 / (2 m - 2)), everything else He's. Fixup
    also has a factor and biases, single numbers, in every branch: they are the
    model's to have; the notes say where factors were not found.

    Args:
        model: A module with residual blocks and without normalizations.
        batch: A tensor, or a tuple, list or dict of the model's arguments.
        seed: The root seed.
        dry_run: Whether to say what would be done, and do nothing.

    Raises:
        InvalidValueError: If there is no residual block, or a normalization: Fixup
            takes its place, and its scales mean nothing beside one.

    Example:
        >>> try:
        ...     fixup_(nn.Linear(2, 2), torch.ones(1, 2))
        ... except InvalidValueError as error:
        ...     print(error)
        model: fixup_ needs residual blocks, and none was found

    References:
        Zhang, Dauphin and Ma (2019), section 3.2, https://arxiv.org/abs/1901.09321
    """
    seed, dry_run = as_seed(seed), as_flag("dry_run", dry_run)
    model, reading = _read(model, batch)
    blocks = _blocks(reading, "fixup_")
    _refuse_norms(reading, "fixup_")
    plan = Plan(model)
    for use in _weights(reading):
        _draw(plan, use, Init.of("he_normal"), "outside of branches", seed)
    for block in blocks:
        inner = [reading.uses[n] for n in block.uses if n not in block.ends]
        scale = len(blocks) ** (-1 / (2 * len(inner))) if inner else 1.0
        init = Init(
            name="he_normal", scale=scale, label=f"he_normal(scale={scale:.4g})"
        )
        for use in inner:
            reason = f"1 of {len(inner) + 1} layers of a branch, {len(blocks)} blocks"
            _draw(plan, use, init, reason, seed)
        for use in (reading.uses[number] for number in block.ends):
            _set_zero(plan, use, f"end of the branch of {block.module or 'the model'}")
    for use in reading.uses:
        if use.head:
            _set_zero(plan, use, "head")
    bare = [block.module for block in blocks if not block.scales]
    notes = [f"no factor in {len(bare)} of {len(blocks)} branches, first "
             f"{bare[0] or 'the model'}: Fixup multiplies each by one that starts at 1"
             ] if bare else []  # fmt: skip
    return plan.run(seed=seed, dry_run=dry_run, notes=notes)


def t_fixup_(
    model: nn.Module,
    batch: Any,
    *,
    decoder: bool = False,
    seed: int = 0,
    dry_run: bool = False,
) -> Initialization:
    """T-Fixup: transformers without layer norm, which need no warm-up.

    Of N layers: Glorot's everywhere; values, ends of attention and the MLPs' weights
    times .67 N^(-1/4), in a decoder (9 N)^(-1/4); embeddings N(0, 1 / width) times
    (9 N)^(-1/4).

    Args:
        model: A transformer without normalizations.
        batch: A tensor, or a tuple, list or dict of the model's arguments.
        decoder: Whether its layers are a decoder's.
        seed: The root seed.
        dry_run: Whether to say what would be done, and do nothing.

    Raises:
        InvalidValueError: If there is no attention, or a normalization: T-Fixup takes
            its place; of a post-LN stack see docs, of a pre-LN one there is no need.

    References:
        Huang et al. (2020), section 3.2,
        https://proceedings.mlr.press/v119/huang20f.html
    """
    seed, dry_run = as_seed(seed), as_flag("dry_run", dry_run)
    decoder = as_flag("decoder", decoder)
    model, reading = _read(model, batch)
    if not reading.attentions:
        raise InvalidValueError(
            "t_fixup_ needs attention, and none was found", argument="model"
        )
    blocks = _blocks(reading, "t_fixup_")
    _refuse_norms(reading, "t_fixup_")
    inside = _in_branches(reading, blocks)
    layers = _depth(reading, blocks)
    small = (9 * layers) ** -0.25
    branch = small if decoder else 0.67 * layers**-0.25
    plan = Plan(model)
    joined = joined_parts(reading)
    for use in _weights(reading):
        scale, reason = 1.0, "Glorot's"
        if use.index in inside and use.attends not in ("query", "key"):
            scale, reason = branch, f"in a branch, {layers} layers"
            if use.attends == "packed":
                reason = f"values: {reason}; queries and keys: Glorot's"
        init = Init(name="glorot_normal", scale=scale)
        if use.layer.kind == "embedding":
            std = small / math.sqrt(use.layer.shape[1])
            init, reason = Init.of(f"normal(std={std!r})"), "embedding"
        _draw(
            plan, use, init, reason, seed, layer=joined.get(use.parameter),
            only_values=use.attends == "packed",
        )  # fmt: skip
    return plan.run(seed=seed, dry_run=dry_run)


def _in_branches(reading: Reading, blocks: Sequence[Block]) -> set[int]:
    """Return the uses in branches, with what else their attentions attend to."""
    inside = {number for block in blocks for number in block.uses}
    for attention in reading.attentions:
        if inside & set(attention.uses):
            inside |= set(attention.uses)
    return inside


def _depth(reading: Reading, blocks: Sequence[Block]) -> int:
    """Return how many layers there are: each has one branch without attention.

    If none has, attention and MLP share a branch: then as many as there are attentions.
    """
    attend = {number for one in reading.attentions for number in one.uses}
    plain = [block for block in blocks if not attend & set(block.uses)]
    return len(plain) or len(reading.attentions)


def _read(model: nn.Module, batch: Any) -> tuple[nn.Module, Reading]:
    """Return the model out of its wrappers, and what was read of it."""
    model = capture.unwrapped(model)
    capture.refuse_lazy(model)
    return model, capture.read(model, batch, step=False)


def _weights(reading: Reading) -> list[WeightUse]:
    """Return the uses of weights that are the model's own, once each."""
    found = {use.parameter: use for use in reading.uses if use.parameter}
    return [use for use in found.values() if not use.derived]


def _blocks(reading: Reading, recipe: str) -> Sequence[Block]:
    found = [block for block in reading.blocks if block.outer is None and block.uses]
    if not found:
        raise InvalidValueError(
            f"{recipe} needs residual blocks, and none was found", argument="model"
        )
    return found


def _refuse_norms(reading: Reading, recipe: str) -> None:
    if reading.norms:
        named = ", ".join(norm.module or norm.kind for norm in reading.norms[:3])
        raise InvalidValueError(
            f"{recipe} takes the place of normalization, and the model has "
            f"{len(reading.norms)} ({named}{', ...' if len(reading.norms) > 3 else ''})"
            "; remove them, or use zero_branch_ends_",
            argument="model",
        )


def _starts_at_nothing(model: nn.Module, block: Block) -> bool:
    return any(not model.get_parameter(name).detach().any() for name in block.scales)


def _set_zero(plan: Plan, use: WeightUse, reason: str) -> None:
    for name in (use.parameter, use.bias):
        if name:
            plan.set(name, None, init="0", reason=reason)


def _draw(
    plan: Plan,
    use: WeightUse,
    init: Init,
    reason: str,
    seed: int,
    *,
    layer: LayerSpec | None = None,
    only_values: bool = False,
) -> None:
    """Enter a draw; of a packed projection the scale may be the values' alone."""
    name = plan.names.first[use.parameter]
    site, parameter = site_of(use, layer), plan.model.get_parameter(name)
    whole = init.model_copy(update={"scale": 1.0}) if only_values else init
    adapted = Adapted(init=whole, reason=reason)
    padding = padding_rows(plan.model, parameter)

    def values() -> torch.Tensor:
        shape = tuple(parameter.shape)
        drawn = drawn_weight(site, shape, adapted, name=name, seed=seed)
        if only_values:
            rows = len(drawn) // site.layer.packed
            drawn[(site.layer.packed - 1) * rows :] *= init.scale
        drawn[padding] = 0
        return torch.from_numpy(drawn)

    plan.set(
        name,
        values,
        init=str(init),
        reason=reason,
        action="drawn",
        std=law(init, site.layer),
    )
    if use.bias:
        plan.set(use.bias, None, init="0", reason="bias")
