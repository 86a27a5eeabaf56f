"""Which variances a layer's weights and biases should have, from its activation."""

import math
from dataclasses import dataclass

from initlab import catalog, theory
from initlab.errors import InvalidValueError
from initlab.spec import ACTIVATION_NAMES, Init


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """An init as it is used for one layer.

    Attributes:
        init: With its gain filled in.
        bias_std: Standard deviation that the biases are drawn with; 0: they are not.
        reason: Where the gain comes from.
    """

    init: Init
    bias_std: float = 0.0
    reason: str


def adapted(
    init: Init,
    activation: str | None,
    *,
    by_name: bool,
    negative_slope: float = 0.01,
) -> Adapted:
    """The init with the gain that an activation asks for, where it takes one.

    A gain that the user stated is kept, and so is an entry whose law has none.

    Args:
        init: Of the catalog, or a function.
        activation: After the layer; None where it is not known.
        by_name: Whether the user named it. The gain is then that of the second
            moment; otherwise weights and biases become critical.
        negative_slope: Of a leaky ReLU.

    Example:
        >>> adapted(Init.of("he_normal"), "tanh", by_name=True).init.label
        'he_normal(gain=1.593)'
        >>> critical = adapted(Init.of("he_normal"), "tanh", by_name=False)
        >>> critical.init.label, round(critical.bias_std**2, 3)
        ('he_normal(gain=1.467)', 0.151)
    """
    taken = (
        catalog.CATALOG[init.name].parameters if init.name in catalog.CATALOG else {}
    )
    parameter = next((one for one in ("gain", "variance") if one in taken), None)
    if parameter is None:
        return Adapted(init=init, reason="its law takes no gain")
    if parameter in init.parameters:
        return Adapted(init=init, reason=f"{parameter} as stated")
    if activation is None:
        return Adapted(init=init, reason="its own gain: activation not known")
    if activation not in ACTIVATION_NAMES:
        return Adapted(init=init, reason=f"its own gain: no theory of {activation}")
    weight, bias, reason = _variances(activation, by_name, negative_slope)
    value = math.sqrt(weight) if parameter == "gain" else weight
    # He's gain of ReLU stays sqrt(2) to the last bit, which its entry knows.
    if math.isclose(value, float(taken[parameter]), rel_tol=1e-12):
        return Adapted(init=init, bias_std=math.sqrt(bias), reason=reason)
    shown = ", ".join(
        f"{key}={one:.4g}" if isinstance(one, float) else f"{key}={one}"
        for key, one in {**init.parameters, parameter: value}.items()
    )
    filled = Init(
        name=init.name,
        parameters=init.parameters | {parameter: value},
        scale=init.scale,
        bias=init.bias,
        label=f"{init.name}({shown})",
    )
    return Adapted(init=filled, bias_std=math.sqrt(bias), reason=reason)


def _variances(
    activation: str, by_name: bool, negative_slope: float
) -> tuple[float, float, str]:
    if activation == "leaky_relu":
        # Homogeneous: keeping the second moment is critical.
        return 2 / (1 + negative_slope**2), 0.0, f"{activation}: second moment"
    if not by_name:
        try:
            point = theory.critical(activation)
        except InvalidValueError:
            squared = theory.gain(activation) ** 2
            return squared, 0.0, f"{activation}: second moment, not critical at q = 1"
        return point.weight_variance, point.bias_variance, f"{activation}: critical"
    return theory.gain(activation) ** 2, 0.0, f"{activation}: second moment"
