"""Gains: the factor that a weight's standard deviation should make up for.

Three different numbers go by that name. They are told apart by `definition`.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from initlab.activations import LEAKY_SLOPE
from initlab.errors import InvalidValueError
from initlab.theory._checks import checked_activation, checked_name
from initlab.theory._moments import activation_std, second_moment

Definition = Literal["second_moment", "standard_deviation", "pytorch"]
DEFINITIONS: tuple[Definition, ...] = get_args(Definition)

# torch.nn.init.calculate_gain, whose "linear" is our identity. Its tanh and selu are
# choices made by experience, not one of the formulas above.
_PYTORCH: Mapping[str, float] = MappingProxyType(
    {
        "identity": 1.0,
        "sigmoid": 1.0,
        "tanh": 5.0 / 3,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1 + LEAKY_SLOPE**2)),
        "selu": 3.0 / 4,
    }
)


def gain(activation: str, *, definition: Definition = "second_moment") -> float:
    """Factor for weights of standard deviation `gain / sqrt(fan_in)`.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        definition: `"second_moment"`: 1/sqrt(E f(z)^2), keeps the second moment of the
            activations at 1; the meaning of the word everywhere else in initlab.
            `"standard_deviation"`: 1/sqrt(Var f(z)), of networks whose weights have
            mean 0 over every unit's inputs (Brock et al. 2021).
            `"pytorch"`: the table of `torch.nn.init.calculate_gain`, which has six of
            the activations.

    Keeping the second moment is not the same as being critical: see `critical`.

    Raises:
        UnknownNameError: If the activation or the definition is unknown.
        InvalidValueError: If PyTorch's table lacks the activation.

    Example:
        >>> round(gain("gelu"), 4)
        1.5335
        >>> round(gain("relu", definition="standard_deviation"), 4)
        1.7129
        >>> round(gain("tanh", definition="pytorch"), 4)
        1.6667

    References:
        He et al. (2015), eq. 10, https://arxiv.org/abs/1502.01852
        Brock et al. (2021), section 4, https://arxiv.org/abs/2101.08692
        PyTorch, https://docs.pytorch.org/docs/stable/nn.init.html
    """
    checked_activation(activation)
    checked_name("definition", definition, DEFINITIONS)
    if definition == "standard_deviation":
        return 1 / float(activation_std(activation, 1.0))
    if definition == "second_moment":
        return 1 / math.sqrt(second_moment(activation, 1.0))
    if activation not in _PYTORCH:
        raise InvalidValueError(
            f"PyTorch's table of gains has {', '.join(_PYTORCH)}, "
            f"got {activation!r}; give definition='second_moment'",
            argument="activation",
        )
    return _PYTORCH[activation]
