"""Losses from logits: the value in its stable form, and the gradient.

Each function takes logits and targets `(example, output)`; gradients are of the mean
over examples, so they carry the factor 1 / examples.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Float
from scipy import special

Logits = Float[np.ndarray, "example output"]

# An output this close to 0 or 1 passes next to no gradient if it is right, and its
# loss is at least 13.8 nats if it is wrong.
CERTAIN = 1e-6
_CERTAIN_LOGIT = float(special.logit(1 - CERTAIN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss as functions of logits and targets.

    Attributes:
        value: The mean over examples, in nats or squared units.
        gradient: Its derivative with respect to the logits.
        constant: The least loss of an output that is the same for every example.
        certain: Which probabilities are within 1e-6 of 0 or 1; None without any.
    """

    value: Callable[[Logits, Logits], float]
    gradient: Callable[[Logits, Logits], Logits]
    constant: Callable[[Logits], float]
    certain: Callable[[Logits], np.ndarray] | None


def _binary_value(z: Logits, y: Logits) -> float:
    # log(1 + e^z) - y z, without overflow: infinite only where z is.
    return float(np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))))


def _binary_gradient(z: Logits, y: Logits) -> Logits:
    return (special.expit(z) - y) / len(z)


def _softmax_value(z: Logits, y: Logits) -> float:
    return float(-np.sum(special.log_softmax(z, axis=1) * y) / len(z))


def _softmax_gradient(z: Logits, y: Logits) -> Logits:
    return (special.softmax(z, axis=1) - y) / len(z)


def _softmax_certain(z: Logits) -> np.ndarray:
    return special.softmax(z, axis=1).max(axis=1) > 1 - CERTAIN


def _entropy(y: Logits) -> float:
    share = y.mean(axis=0)
    if len(share) == 1:
        share = np.append(share, 1 - share)
    return float(special.entr(share).sum())


def _squared_value(z: Logits, y: Logits) -> float:
    return float(np.sum((z - y) ** 2) / len(z))


def _squared_gradient(z: Logits, y: Logits) -> Logits:
    return 2 * (z - y) / len(z)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "binary_cross_entropy": Loss(
            value=_binary_value,
            gradient=_binary_gradient,
            constant=_entropy,
            certain=lambda z: np.abs(z) > _CERTAIN_LOGIT,
        ),
        "softmax_cross_entropy": Loss(
            value=_softmax_value,
            gradient=_softmax_gradient,
            constant=_entropy,
            certain=_softmax_certain,
        ),
        "mean_squared_error": Loss(
            value=_squared_value,
            gradient=_squared_gradient,
            constant=lambda y: float(y.var(axis=0).sum()),
            certain=None,
        ),
    }
)
