"""Each activation's value and derivative, and what is known of it.

`spec` owns the names; a test proves that this table has the same ones.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy import special

Elementwise = Callable[[np.ndarray], np.ndarray]

LEAKY_SLOPE = 0.01
# Klambauer et al. (2017), eq. 14: mean 0 and variance 1 are a fixed point.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """An activation function on arrays of any shape.

    Attributes:
        f: The value at z.
        derivative: f' at z; 0 at the kink of ReLU, as in the lesson.
        steepest: The largest |f'|.
        saturates: Whether f levels off on both sides.
    """

    f: Elementwise
    derivative: Elementwise
    steepest: float = 1.0
    saturates: bool = False


def _phi(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def _sigmoid_slope(z: np.ndarray) -> np.ndarray:
    return special.expit(z) * special.expit(-z)


def _silu_slope(z: np.ndarray) -> np.ndarray:
    return special.expit(z) * (1 + z * special.expit(-z))


def _elu(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _elu_slope(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))


def _selu(z: np.ndarray) -> np.ndarray:
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def _selu_slope(z: np.ndarray) -> np.ndarray:
    return SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(z, 0)))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "relu": Activation(
            f=lambda z: np.maximum(z, 0.0), derivative=lambda z: (z > 0) * 1.0
        ),
        "leaky_relu": Activation(
            f=lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
            derivative=lambda z: np.where(z > 0, 1.0, LEAKY_SLOPE),
        ),
        "tanh": Activation(
            f=np.tanh, derivative=lambda z: 1 - np.tanh(z) ** 2, saturates=True
        ),
        "sigmoid": Activation(
            f=special.expit, derivative=_sigmoid_slope, steepest=0.25, saturates=True
        ),
        "erf": Activation(
            f=special.erf,
            derivative=lambda z: 2 / math.sqrt(math.pi) * np.exp(-z * z),
            steepest=2 / math.sqrt(math.pi),
            saturates=True,
        ),
        # Hendrycks & Gimpel (2016), exact; f' is largest at z = sqrt 2.
        "gelu": Activation(
            f=lambda z: z * special.ndtr(z),
            derivative=lambda z: special.ndtr(z) + z * _phi(z),
            steepest=1.1289,
        ),
        "silu": Activation(
            f=lambda z: z * special.expit(z), derivative=_silu_slope, steepest=1.0998
        ),
        "elu": Activation(f=_elu, derivative=_elu_slope),
        "selu": Activation(
            f=_selu, derivative=_selu_slope, steepest=SELU_SCALE * SELU_ALPHA
        ),
        "softplus": Activation(
            f=lambda z: np.logaddexp(0.0, z), derivative=special.expit
        ),
        "sin": Activation(f=np.sin, derivative=np.cos),
        "identity": Activation(f=lambda z: z, derivative=np.ones_like),
    }
)

# Their E f^2 and E f'^2 at q = 1 differ by 0 (relu6), 6 (mish) and 7 % (hardswish).
_KIN: Mapping[str, str] = MappingProxyType(
    {"relu6": "relu", "mish": "gelu", "hardswish": "silu"}
)


def akin(name: str) -> str | None:
    """The activation of the table whose moments another one has, or nearly.

    Args:
        name: Of a function of a user's model; one of the table is its own.

    Returns:
        None where there is none.

    Example:
        >>> akin("relu6"), akin("tanh"), akin("softsign")
        ('relu', 'tanh', None)
    """
    return name if name in ACTIVATIONS else _KIN.get(name)
