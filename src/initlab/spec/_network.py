"""Networks as values."""

from typing import Annotated

from pydantic import Field, PositiveInt, model_validator

from initlab.errors import InvalidValueError
from initlab.spec._base import Spec
from initlab.spec._names import ActivationName

Units = Annotated[PositiveInt, Field(le=10**7)]


class MLP(Spec):
    """A fully connected network: an activation after each layer but the last.

    Attributes:
        widths: Units per layer, input first. `(2, 10, 5, 1)` has three layers with
            weights. None: hidden layers as `depth` and `width` say, or of 10 and 5
            units; input and output fitted to the problem.
        depth: Hidden layers, instead of `widths`; 2 where only `width` is given.
        width: Units of each hidden layer; 10 where only `depth` is given.
        activation: One of `initlab.spec.ACTIVATION_NAMES`, on every hidden layer.
        batch_norm: Normalize the hidden pre-activations: batch statistics in
            training, running ones after. Each hidden layer then has a scale that
            starts at 1, and its bias is added after the normalization.

    Example:
        >>> MLP(widths=(2, 10, 5, 1)).layers
        3
    """

    widths: Annotated[tuple[Units, ...], Field(min_length=2)] | None = None
    depth: Annotated[PositiveInt, Field(le=10**4)] | None = None
    width: Units | None = None
    activation: ActivationName = "relu"
    batch_norm: bool = False

    @model_validator(mode="after")
    def _says_its_size_once(self) -> "MLP":
        if self.widths is not None and (self.depth or self.width):
            raise InvalidValueError(
                "widths says all of a network's size; give it, or depth and width",
                argument="depth",
                part=", width",
            )
        return self

    @property
    def hidden(self) -> tuple[int, ...] | None:
        """The hidden layers' units, as far as the spec tells them."""
        if self.widths is not None:
            return self.widths[1:-1]
        if self.depth or self.width:
            return (self.width or 10,) * (self.depth or 2)
        return None

    @property
    def layers(self) -> int:
        """The number of layers with weights."""
        assert self.widths is not None, "widths are fitted by the conductor first"
        return len(self.widths) - 1
