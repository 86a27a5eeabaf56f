"""Networks as values."""

from typing import Annotated

from pydantic import Field, PositiveInt

from initlab.spec._base import Spec
from initlab.spec._names import ActivationName

Units = Annotated[PositiveInt, Field(le=10**7)]


class MLP(Spec):
    """A fully connected network: an activation after each layer but the last.

    Attributes:
        widths: Units per layer, input first. `(2, 10, 5, 1)` has three layers with
            weights. None: hidden layers of 10 and 5 units, input and output fitted
            to the problem.
        activation: One of `initlab.spec.ACTIVATION_NAMES`, on every hidden layer.
        batch_norm: Normalize the hidden pre-activations: batch statistics in
            training, running ones after. Each hidden layer then has a scale that
            starts at 1, and its bias is added after the normalization.

    Example:
        >>> MLP(widths=(2, 10, 5, 1)).layers
        3
    """

    widths: Annotated[tuple[Units, ...], Field(min_length=2)] | None = None
    activation: ActivationName = "relu"
    batch_norm: bool = False

    @property
    def layers(self) -> int:
        """The number of layers with weights."""
        assert self.widths is not None, "widths are fitted by the conductor first"
        return len(self.widths) - 1
