"""muP: scales and learning rates that carry a narrow model's tuning over to a wide one.

A parameter's axes are told apart by comparing the model with a narrower base: those
whose sizes differ grow with the width.
"""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from initlab import capture
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.pytorch._mu_p_roles import TABLES, Role, Scaling, scaling_of
from initlab.pytorch._names import Names
from initlab.pytorch._numbers import as_number
from initlab.pytorch._reparametrized import weight_of_directions

_OPTIMIZERS = ("adam", "sgd")


def mu_p(
    model: nn.Module,
    base_model: nn.Module,
    *,
    optimizer: str = "adam",
    learning_rate: float = 1e-3,
    transposed: tuple[str, ...] = (),
    tables: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """Scale a wide model's tensors by a narrow base, and give its parameter groups.

    Tensors are rescaled in place to the base's standard deviation times the factor of
    their role: hidden ones by width^(-1/2), outputs by 1 / width. (Whatever variance
    the model was started with by fan_in, hidden ones are there already.) The learning
    rates of the groups are the base's times the factor of the role and optimizer.
    Repeated calls change nothing more.

    Two things are the model's own affair: attention logits must be divided by the
    width of a head, not its square root, where heads grow; and a tied head needs its
    outputs divided by the width, as no one variance fits both of its uses. A tensor
    that modules share as embedding and head is scaled and stepped as the embedding; its
    group has the role `"tied"`, and says by what the model must multiply its logits.

    Args:
        model: The wide model, started; rescaled in place.
        base_model: The same model, narrower, started in the same way.
        optimizer: `"adam"` (or another that normalizes gradients), or `"sgd"`.
        learning_rate: That was found for the base.
        transposed: Endings of names of linear weights that are stored as `(in, out)`.
        tables: Endings of names of parameters that are added or looked up, not
            multiplied with, as positions of `(length, width)`. They scale as inputs do.
            Of parameters that no module of PyTorch's owns, those are known without it
            that have an axis of 1 or a usual name, such as `pos_embed` or `query`.

    Returns:
        Parameter groups with `params`, `lr`, `role`, `multiplier` and `names`; a tied
        one also with `output_multiplier`, of the logits, base width over width.

    Raises:
        UnknownNameError: If the optimizer is none of the two.
        InvalidValueError: If an argument is of another kind, the learning rate not
            above 0, the two models do not have the same parameters, or axes
            grow by different factors in a way that muP has no rule for.

    Example:
        >>> def build(width):
        ...     return nn.Sequential(
        ...         nn.Linear(3, width), nn.Linear(width, width), nn.Linear(width, 2)
        ...     )
        >>> groups = mu_p(build(64), build(16))
        >>> {one["role"]: one["lr"] for one in groups}
        {'input': 0.001, 'hidden': 0.00025, 'output': 0.00025, 'fixed': 0.001}

    References:
        Yang et al. (2022), tables 3 and 8, https://arxiv.org/abs/2203.03466
    """
    _refuse_no_name(optimizer)
    learning_rate = as_number("learning_rate", learning_rate, above=0)
    for argument, one in (("model", model), ("base_model", base_model)):
        if not isinstance(one, nn.Module):
            raise InvalidValueError(
                f"a torch.nn.Module, got {type(one).__name__}", argument=argument
            )
        capture.refuse_lazy(one)
    model, base_model = capture.unwrapped(model), capture.unwrapped(base_model)
    capture.refuse_unwritable(model)
    for argument, endings in (("transposed", transposed), ("tables", tables)):
        _refuse_unmatched(argument, endings, model)
    names, base = Names.of(model), dict(base_model.named_parameters())
    if set(names.all) != set(base):
        odd = sorted(set(names.all) ^ set(base))
        raise InvalidValueError(
            f"must have the same parameters, got a difference in {odd[0]}",
            argument="base_model",
        )
    groups: dict[tuple[Role, float], dict[str, Any]] = {}
    scalings = {
        name: _of_ties(
            model,
            (name, *names.aliases[name]),
            parameter,
            base[name],
            transposed,
            tables,
        )
        for name, parameter in model.named_parameters()
    }
    for name, scaling in scalings.items():
        parameter = model.get_parameter(name)
        _rescale(model, base_model, name, scaling)
        key = (scaling.role, scaling.multiplier)
        group = groups.setdefault(
            key,
            {
                "params": [],
                "lr": learning_rate * scaling.learning_rate(optimizer),
                "role": scaling.role,
                "multiplier": scaling.multiplier,
                "names": [],
            },
        )
        if scaling.role == "tied":
            group["output_multiplier"] = 1 / scaling.multiplier
        group["params"].append(parameter)
        group["names"].append(name)
    return list(groups.values())


def _refuse_no_name(optimizer: Any) -> None:
    """Refuse what names none of the two kinds of optimizers, as their classes do."""
    if isinstance(optimizer, str):
        if optimizer not in _OPTIMIZERS:
            raise UnknownNameError("optimizer", optimizer, _OPTIMIZERS)
        return
    kind = optimizer if isinstance(optimizer, type) else type(optimizer)
    name = "sgd" if kind.__name__ == "SGD" else "adam"
    raise InvalidValueError(
        f"the name of a kind, {' or '.join(map(repr, _OPTIMIZERS))}, got "
        f"{kind.__name__}; give {name!r}, and the groups to the optimizer",
        argument="optimizer",
    )


def _refuse_unmatched(argument: str, endings: Any, model: nn.Module) -> None:
    """Refuse endings that no parameter's name has."""
    if isinstance(endings, str) or not isinstance(endings, tuple | list):
        raise InvalidValueError(
            f"a tuple of endings of names, as in ('pos',), got {endings!r}",
            argument=argument,
        )
    names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    for ending in endings:
        if not any(name.endswith(ending) for name in names):
            raise InvalidValueError(
                f"endings of the model's parameters, got {ending!r}, which none has",
                argument=argument,
            )


def _owner(model: nn.Module, name: str) -> nn.Module:
    return model.get_submodule(name.rpartition(".")[0])


def _of_ties(
    model: nn.Module,
    names: tuple[str, ...],
    parameter: torch.Tensor,
    base: torch.Tensor,
    transposed: tuple[str, ...],
    tables: tuple[str, ...],
) -> Scaling:
    """Return the scaling of a tensor by all its names: of an embedding, that one's."""
    owners = {name: _owner(model, name) for name in names}
    looked_up = [n for n, owner in owners.items() if isinstance(owner, TABLES)]
    name = (looked_up or names)[0]
    scaling = scaling_of(name, parameter, base, owners[name], transposed, tables)
    if scaling.role == "input" and 0 < len(looked_up) < len(names):
        return replace(scaling, role="tied")
    return scaling


def _rescale(
    model: nn.Module, base_model: nn.Module, name: str, scaling: Scaling
) -> None:
    """Bring a matrix to its deviation; vectors and zeros stay as they are.

    Of a weight-normed one that is the weight's, which its lengths decide.
    """
    changed, weight, base = (
        model.get_parameter(name), model.get_parameter(name),
        base_model.get_parameter(name),
    )  # fmt: skip
    if weight.dim() < 2 or scaling.role == "fixed":
        return
    normed = weight_of_directions(model, name)
    if normed is not None:
        path, tensor, lengths = normed
        changed = model.get_parameter(lengths)
        weight = getattr(model.get_submodule(path), tensor)
        base = getattr(base_model.get_submodule(path), tensor)
    own, wanted = _rms(weight), _rms(base) * scaling.std()
    # The deviation of so few numbers is mostly chance; within it nothing is rescaled.
    chance = 3 / math.sqrt(2 * min(weight.numel(), base.numel()))
    if own == 0 or wanted == 0 or abs(own / wanted - 1) < chance:
        return
    with torch.no_grad():
        changed.mul_(wanted / own)


def _rms(tensor: torch.Tensor) -> float:
    return float(tensor.detach().double().pow(2).mean().sqrt())
