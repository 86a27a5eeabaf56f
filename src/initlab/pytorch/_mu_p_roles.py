"""Which of a parameter's axes grow with the width, and how it scales with them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from initlab.errors import InvalidValueError

Role = Literal["input", "hidden", "output", "tied", "fixed"]
TABLES = (nn.Embedding, nn.EmbeddingBag)
_LAYERS = (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase)
# What people call parameters that are added to signals, or stand for tokens.
_TABLE_NAMES = re.compile(
    r"pos(?![a-z])|position|emb|token|cls|quer(y|ies)(?![a-z_]*(proj|weight))|latent"
    r"|slots?(?![a-z])|prompt|register"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How a parameter scales with the width.

    Attributes:
        role: `"input"`: only what it makes grows with the width, as embeddings, first
            layers and biases; `"hidden"`: both grow; `"output"`: only what it reads;
            `"tied"`: an input that is the output as well; `"fixed"`: neither.
        multiplier: Width over the base's: of what it reads, else of what it makes.
    """

    role: Role
    multiplier: float

    def std(self) -> float:
        """Factor of the base's standard deviation.

        Example:
            >>> Scaling(role="hidden", multiplier=4.0).std()
            0.5
        """
        powers = {"hidden": -0.5, "output": -1.0}
        return float(self.multiplier ** powers.get(self.role, 0.0))

    def learning_rate(self, optimizer: str) -> float:
        """Factor of the base's learning rate.

        Example:
            >>> Scaling(role="output", multiplier=4.0).learning_rate("adam")
            0.25
        """
        powers = {
            "adam": {"hidden": -1.0, "output": -1.0},
            "sgd": {"input": 1.0, "tied": 1.0, "output": -1.0},
        }
        return float(self.multiplier ** powers[optimizer].get(self.role, 0.0))


def scaling_of(
    name: str,
    parameter: torch.Tensor,
    base: torch.Tensor,
    owner: nn.Module,
    transposed: Sequence[str] = (),
    tables: Sequence[str] = (),
) -> Scaling:
    """How a parameter scales, from the axes in which it is larger than the base's.

    Args:
        name: Of the parameter.
        parameter: Of the wide model.
        base: Of the narrow one.
        owner: The module that has it.
        transposed: Endings of names of weights that are stored as `(in, out)`.
        tables: Endings of names of parameters that are added or looked up.

    Raises:
        InvalidValueError: If the axes are not as many, or grow in a way that muP has no
            rule for.

    Example:
        >>> layer = nn.Linear(64, 10)
        >>> scaling_of("weight", layer.weight, nn.Linear(16, 10).weight, layer)
        Scaling(role='output', multiplier=4.0)
    """
    if parameter.dim() != base.dim():
        raise InvalidValueError(
            f"{name} has {base.dim()} axes, the model's {parameter.dim()}",
            argument="base_model",
        )
    if parameter.dim() < 2:
        grown = parameter.numel() / base.numel()
        return Scaling(role="input" if grown != 1 else "fixed", multiplier=grown)
    factors = [a / b for a, b in zip(parameter.shape, base.shape, strict=True)]
    if _is_table(name, parameter, owner, factors, tables):
        return Scaling(role="input", multiplier=factors[-1])
    into, out = 1, 0
    # Of a stack of matrices, as experts', the first axis counts them.
    if parameter.dim() == 3 and factors[0] == 1 and factors[1] == factors[2] != 1:
        into, out = 2, 1
    stored_as_in_out = isinstance(owner, nn.modules.conv._ConvTransposeNd) or (
        name.endswith(tuple(transposed))
    )
    # An embedding's rows are what it reads: (rows, features) is (in, out) too.
    if stored_as_in_out or isinstance(owner, TABLES):
        into, out = out, into
    reads, makes = factors[into], factors[out]
    rest = [one for axis, one in enumerate(factors) if axis not in (into, out)]
    if any(one != 1 for one in rest):
        shapes = f"got {tuple(parameter.shape)} over {tuple(base.shape)}"
        hint = (
            "" if isinstance(owner, _LAYERS)
            else "; if it is added or looked up, as positions are, give "
            f"tables=({name.rpartition('.')[2]!r},)"
        )  # fmt: skip
        where = "an axis" if hint else "its kernel"
        raise InvalidValueError(
            f"{name} grows in {where}, which muP has no rule for, {shapes}{hint}",
            argument="base_model",
        )
    if reads != 1 and makes != 1:
        return Scaling(role="hidden", multiplier=reads)
    if reads != 1:
        return Scaling(role="output", multiplier=reads)
    return Scaling(role="input" if makes != 1 else "fixed", multiplier=makes)


def _is_table(
    name: str,
    parameter: torch.Tensor,
    owner: nn.Module,
    factors: Sequence[float],
    tables: Sequence[str],
) -> bool:
    """Whether a parameter is added or looked up, and only its last axis grows."""
    if factors[-1] == 1 or any(one != 1 for one in factors[:-1]):
        return False
    if name.endswith(tuple(tables)):
        return True
    if isinstance(owner, (*_LAYERS, *TABLES)):
        return False
    named = _TABLE_NAMES.search(name.rpartition(".")[2].lower()) is not None
    return named or (parameter.dim() > 2 and 1 in parameter.shape[:-1])
