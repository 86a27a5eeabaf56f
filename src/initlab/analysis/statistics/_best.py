"""Each init at its own best learning rate, without flattering it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRate:
    """One init's numbers at the learning rate that suits it best.

    Attributes:
        rates: What each half of the members chose: first the even ones' choice.
        values: Final loss per member, at the rate that the other half chose.
    """

    rates: tuple[float, float]
    values: Float[np.ndarray, "member"]

    @property
    def agreed(self) -> bool:
        """Whether both halves chose the same rate."""
        return self.rates[0] == self.rates[1]


def best_rates(
    losses: Float[np.ndarray, "learning_rate member"],
    learning_rates: Float[np.ndarray, "learning_rate"],
) -> BestRate:
    """Return an init's final losses at the best of several learning rates.

    The least of several noisy medians is too low, the more so the more rates were
    tried. Therefore the even members choose the rate (least median) for the odd ones,
    and the odd ones for the even.

    Args:
        losses: Final losses; NaN where a member diverged.
        learning_rates: Tried.

    Example:
        >>> losses = np.array([[3.0, 3, 3, 3], [1, 1, 1, 2]])
        >>> best_rates(losses, np.array([0.1, 1.0])).rates
        (1.0, 1.0)

    References:
        Varma & Simon (2006), Bias in error estimation when using cross-validation for
        model selection, BMC Bioinformatics 7:91
    """
    ranked = np.where(np.isnan(losses), np.inf, losses)
    members = ranked.shape[1]
    if members == 1:
        only = int(ranked[:, 0].argmin())
        return BestRate(rates=(float(learning_rates[only]),) * 2, values=losses[only])
    even = np.arange(members) % 2 == 0
    by_even, by_odd = (
        int(np.median(ranked[:, half], axis=1).argmin()) for half in (even, ~even)
    )
    return BestRate(
        rates=(float(learning_rates[by_even]), float(learning_rates[by_odd])),
        values=np.where(even, losses[by_odd], losses[by_even]),
    )
