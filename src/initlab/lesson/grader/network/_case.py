"""Small networks with data, and the values that functions must give on them."""

from dataclasses import dataclass

import numpy as np

from initlab.lesson.grader._expected import Parameters

# (features, hidden, hidden, examples): square layers would hide a transposition.
NETWORKS = ((2, 4, 3, 7), (3, 5, 2, 1), (4, 2, 6, 11))
EXACT = 1e-9  # sums in another order


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One small network with data."""

    X: np.ndarray
    Y: np.ndarray
    parameters: Parameters

    @property
    def text(self) -> str:
        """What it is, in a finding."""
        widths = [self.X.shape[0], *(len(self.parameters[f"b{n}"]) for n in (1, 2, 3))]
        return f"a {'-'.join(map(str, widths))} network and {self.X.shape[1]} examples"


def cases() -> list[Case]:
    """Return networks whose units are partly active, with biases that matter."""
    rng = np.random.default_rng(20)
    made = []
    for features, first, second, examples in NETWORKS:
        widths = (features, first, second, 1)
        parameters = {}
        for layer in (1, 2, 3):
            shape = (widths[layer], widths[layer - 1])
            parameters[f"W{layer}"] = rng.standard_normal(shape)
            parameters[f"b{layer}"] = 0.5 * rng.standard_normal((widths[layer], 1))
        X = rng.standard_normal((features, examples))
        made.append(
            Case(X=X, Y=rng.integers(0, 2, (1, examples)), parameters=parameters)
        )
    return made
