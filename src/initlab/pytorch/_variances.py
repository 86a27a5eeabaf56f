"""Which variances a layer's weights and biases should have, from its activation."""

import math
from dataclasses import dataclass

from initlab import catalog, theory
from initlab.activations import akin
from initlab.errors import InvalidValueError
from initlab.spec import Init


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
    if akin(activation) is None:
        return Adapted(init=init, reason=f"its own gain: no theory of {activation}")
    weight, bias, reason = variances(
        activation, by_name=by_name, negative_slope=negative_slope
    )
    value = math.sqrt(weight) if parameter == "gain" else weight
    # He's gain of ReLU stays sqrt(2) to the last bit, which its entry knows.
    if math.isclose(value, float(taken[parameter]), rel_tol=1e-12):
        return Adapted(init=init, bias_std=math.sqrt(bias), reason=reason)
    shown = ", ".join(
        f"{key}={one:.4g}" if isinstance(one, float) else f"{key}={one}"
        for key, one in {**init.parameters, parameter: value, **_beside(init)}.items()
    )
    filled = Init(
        name=init.name,
        parameters=init.parameters | {parameter: value},
        scale=init.scale,
        bias=init.bias,
        label=f"{init.name}({shown})",
    )
    return Adapted(init=filled, bias_std=math.sqrt(bias), reason=reason)


def _beside(init: Init) -> dict[str, float]:
    """Return what an init states beside its law's parameters."""
    stated = {"scale": (init.scale, 1.0), "bias": (init.bias, 0.0)}
    return {key: one for key, (one, usual) in stated.items() if one != usual}


def variances(
    activation: str, *, negative_slope: float, by_name: bool = False
) -> tuple[float, float, str]:
    """Weight and bias variance that an activation asks for, and by which rule.

    Args:
        activation: Of `initlab.activations`, or akin to one.
        negative_slope: Of a leaky ReLU.
        by_name: Whether the second moment is to be kept, also where an activation is
            critical at other variances.

    Example:
        >>> variances("relu6", negative_slope=0.0)
        (2.0, 0.0, 'relu6: critical, as relu')
        >>> variances("sigmoid", negative_slope=0.0)[2]
        'sigmoid: second moment, not critical at q = 1'
    """
    name = akin(activation)
    assert name is not None, activation
    as_another = "" if name == activation else f", as {name}"
    if name == "leaky_relu":
        # Homogeneous: keeping the second moment is critical.
        return 2 / (1 + negative_slope**2), 0.0, f"{activation}: second moment"
    squared = theory.gain(name) ** 2
    if by_name:
        return squared, 0.0, f"{activation}: second moment{as_another}"
    try:
        point = theory.critical(name)
    except InvalidValueError:
        rule = f"{activation}: second moment{as_another}, not critical at q = 1"
        return squared, 0.0, rule
    rule = f"{activation}: critical{as_another}"
    return point.weight_variance, point.bias_variance, rule
