"""The first update of an optimizer, taken on the model and looked at."""

import copy
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from initlab.capture._losses import shown
from initlab.capture._moments import as_real, column_norms, norm, row_norms
from initlab.capture._restoring import restoring
from initlab.errors import InvalidValueError

# A step that changes any weight by this share of it, where no optimizer was given.
_RELATIVE = 1e-2
# Singular values of larger updates cost more than the step.
_LARGEST = 1 << 22


def made_optimizer(
    optimizer: Optimizer | Callable[..., Optimizer] | None, model: nn.Module
) -> Optimizer | None:
    """Return an optimizer, made of a model's parameters where a function makes it.

    None where there is none, or nothing that a function could be given.

    Raises:
        InvalidValueError: If the function makes none, raises an exception, or is no
            function; or if the optimizer is of another model's parameters.
    """
    if optimizer is None:
        return None
    if isinstance(optimizer, Optimizer):
        _refuse_of_another(optimizer, model)
        return optimizer
    if not callable(optimizer):
        raise InvalidValueError(
            "an optimizer or a function of parameters that makes one, got "
            f"{shown(optimizer)}; give torch.optim.Adam",
            argument="optimizer",
        )
    trainable = [p for p in model.parameters() if p.requires_grad]
    if not trainable:
        return None
    try:
        made = optimizer(trainable)
    except Exception as error:
        lines = str(error).strip().splitlines() or ["no text"]
        hint = ""
        if isinstance(error, TypeError):
            hint = "; give more by functools.partial(torch.optim.SGD, lr=0.1)"
        raise InvalidValueError(
            "a function that makes one of parameters alone, got one that "
            f"raised {type(error).__name__}: {lines[0]}" + hint,
            argument="optimizer",
        ) from error
    if not isinstance(made, Optimizer):
        raise InvalidValueError(
            "a torch.optim.Optimizer, or a function that makes one of "
            f"parameters, got a function that makes {type(made).__name__}",
            argument="optimizer",
        )
    _refuse_of_another(made, model)
    return made


def _refuse_of_another(optimizer: Optimizer, model: nn.Module) -> None:
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not held & {id(p) for p in model.parameters()}:
        raise InvalidValueError(
            "holds none of the model's parameters; make it from "
            "model.parameters(), or give a function that does, as torch.optim.Adam",
            argument="optimizer",
        )


def evaluates_the_loss(optimizer: Optimizer) -> bool:
    """Whether an optimizer's step asks for a function that returns the loss: L-BFGS."""
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is closure.empty


def take_step(
    model: nn.Module,
    gradients: Mapping[str, Tensor | None],
    optimizer: Optimizer | None,
    copies: Mapping[int, Tensor],
) -> dict[str, dict[str, Any]]:
    """Update the parameters in place, and return what the update was like.

    The optimizer's own state is as before afterwards; the caller restores the model.

    Args:
        model: Whose parameters are updated.
        gradients: By name; None where nothing depends on a parameter.
        optimizer: Of these parameters; None: a small step against each gradient.
        copies: Parameters as they were, by `id`; updates of others are not looked at.
    """
    with torch.no_grad():
        if optimizer is None:
            _plain_step(model, gradients)
        else:
            _step_of(model, gradients, optimizer)
    stepped = None if optimizer is None else _stepped(optimizer)
    groups = [] if optimizer is None else optimizer.param_groups
    held = {id(p) for group in groups for p in group["params"]}
    found: dict[str, dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        before = copies.get(id(parameter))
        if stepped is not None and id(parameter) not in stepped:
            found[name] = {"left_out": id(parameter) not in held}
            continue
        if before is not None and gradients.get(name) is not None:
            change = parameter.detach() - before
            size = norm(as_real(before).float())
            moved = norm(as_real(change).float())
            if not size and parameter.dim() > 1:
                size = math.sqrt(len(parameter))  # LeCun's weights in its place
            found[name] = {"update_ratio": moved / size if size else math.nan}
    return found


def _stepped(optimizer: Optimizer) -> set[int]:
    """Return the `id` of what an optimizer changes: all it holds if all rates are 0."""
    groups = [g for g in optimizer.param_groups if float(g.get("lr", 1.0)) > 0]
    return {
        id(p) for group in groups or optimizer.param_groups for p in group["params"]
    }


def _plain_step(model: nn.Module, gradients: Mapping[str, Tensor | None]) -> None:
    for name, stored in model.named_parameters():
        gradient = gradients.get(name)
        if gradient is None or not stored.requires_grad:
            continue
        parameter, gradient = as_real(stored), as_real(gradient)
        steepness = norm(entries(gradient).float())
        if not math.isfinite(steepness) or steepness == 0:
            continue
        size = norm(parameter.float())
        # Zeros have no scale of their own: move them by that of a small weight.
        size = size if size > 0 else math.sqrt(parameter.numel()) * _RELATIVE
        # In float32: 16 bits hold neither the factor nor small steps.
        moved = parameter.float() - gradient.float() * (_RELATIVE * size / steepness)
        parameter.copy_(moved)


def _step_of(
    model: nn.Module,
    gradients: Mapping[str, Tensor | None],
    optimizer: Optimizer,
) -> None:
    state = {key: copy.deepcopy(value) for key, value in optimizer.state.items()}
    groups = [
        {key: value for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]
    groups = copy.deepcopy(groups)
    for group in optimizer.param_groups:
        if group.get("foreach", True) is None:
            group["foreach"] = False  # one tensor at a time needs less memory
    for name, parameter in model.named_parameters():
        parameter.grad = gradients.get(name) if parameter.requires_grad else None

    def restore() -> None:
        optimizer.state.clear()
        optimizer.state.update(state)
        for group, values in zip(optimizer.param_groups, groups, strict=True):
            for key in [k for k in group if k != "params" and k not in values]:
                del group[key]
            group.update(values)

    with restoring(restore):
        optimizer.step()


_FEWEST_MET = 3
# Where one direction has nearly all, each divides what is missing by thousands.
_POWER_ITERATIONS = 3


def entries(gradient: Tensor) -> Tensor:
    """Return the numbers of a gradient; of a sparse one, of the rows that were met."""
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def rank_one_share(change: Tensor | None) -> float:
    """Return the share of the squared norm in the first singular direction.

    By a few power iterations, which only ever find less than there is. Units or inputs
    that get nothing do not count; nan where fewer than three are left of either, as of
    a kernel that lies on the border with all taps but one.
    """
    if change is None or change.dim() < 2 or change.numel() > _LARGEST:
        return math.nan
    if change.is_complex():
        return math.nan
    rows = entries(change).float().flatten(1)
    sizes = [row_norms(rows), column_norms(rows)]
    total = float(torch.linalg.vector_norm(sizes[0])) ** 2
    if not (total > 0 and math.isfinite(total)):
        return math.nan
    if min(int(torch.count_nonzero(each)) for each in sizes) < _FEWEST_MET:
        return math.nan
    vector = rows[int(sizes[0].argmax())]
    for _ in range(_POWER_ITERATIONS):
        vector = rows.T @ (rows @ vector)
        vector = vector / torch.linalg.vector_norm(vector)
    share = float(torch.linalg.vector_norm(rows @ vector)) ** 2 / total
    return min(1.0, share) if share > 0 else math.nan  # 0 / 0 on the way is nan


def zero_after(
    names: Sequence[str], gradients: Sequence[Tensor | None]
) -> dict[str, bool]:
    """Return whether each gradient is exactly 0 everywhere."""
    return {
        name: gradient is None or not bool(entries(gradient).any())
        for name, gradient in zip(names, gradients, strict=True)
    }
