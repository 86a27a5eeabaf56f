"""The two values of this room: `Data`, which leaves it, and the `Table` it comes from.

Axes:
    example  rows of the data; `train` and `test` are its two parts
    feature  columns of the inputs
    output   columns of the targets of a regression
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Training and test examples of one problem, ready for an engine.

    Attributes:
        train_x: Inputs, C-contiguous.
        test_x: Inputs held out; may have no rows.
        train_y: Labels `0..K-1` as int64 `(example,)`, or the targets of a regression
            as float64 `(example, output)`.
        test_y: The same of the examples held out.
        classes: Names of the classes, in the order of the labels; None for regression.
        feature_names: Names of the columns of the inputs.
        notes: What was done to the data on the way, in sentences for the user.

    Example:
        >>> from initlab.problems import load
        >>> from initlab.spec import Problem
        >>> data = load(Problem(name="wine"))
        >>> data.features, data.outputs, data.is_classification
        (13, 3, True)
    """

    train_x: Float[np.ndarray, "train feature"]
    test_x: Float[np.ndarray, "test feature"]
    train_y: np.ndarray
    test_y: np.ndarray
    classes: tuple[str, ...] | None
    feature_names: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def features(self) -> int:
        """Units of the input layer."""
        return self.train_x.shape[1]

    @property
    def outputs(self) -> int:
        """Units of the output layer: 1 for two classes, K for more, or the columns."""
        if self.classes is None:
            return self.train_y.shape[1]
        return 1 if len(self.classes) == 2 else len(self.classes)

    @property
    def is_classification(self) -> bool:
        """Whether the targets are labels."""
        return self.classes is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Examples as they were found: checked, in float64, but not yet split.

    Attributes:
        label: How messages name the problem.
        x: Inputs, finite.
        y: Targets, finite: bool, integers, float64, or str objects.
        feature_names: Names of the columns of `x`.
        class_names: Names of the classes `0..K-1`, if the source tells them.
        trained: How many of the first rows are the training set of a source that comes
            with a test set of its own; None leaves the split to the problem.
        notes: What was done on the way.
    """

    label: str
    x: Float[np.ndarray, "example feature"]
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...] | None = None
    trained: int | None = None
    notes: tuple[str, ...] = ()


def listed(items: Sequence[str], most: int = 8) -> str:
    """Return the items joined by commas, cut after the first few.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        'a, b, ... (3 in all)'
    """
    if len(items) <= most:
        return ", ".join(items)
    return f"{', '.join(items[:most])}, ... ({len(items)} in all)"


def clipped(text: str, limit: int = 40) -> str:
    r"""Return the text as one printable line of bounded length.

    Example:
        >>> clipped("two\nlines")
        'two lines'
    """
    line = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(line.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
