"""A study made whole: widths and loss that fit the problem's data."""

import numpy as np

from initlab.engine import Examples
from initlab.errors import InvalidValueError
from initlab.problems import Data
from initlab.spec import Study

_HIDDEN = (10, 5)


def fitted(study: Study, data: Data) -> Study:
    """Return the study with its widths and loss filled in.

    Raises:
        InvalidValueError: If widths, loss or batch size do not fit the data.
    """
    loss = study.loss or _natural_loss(study, data)
    outputs = _outputs(study, data, loss)
    hidden = study.network.hidden or _HIDDEN
    widths = study.network.widths or (data.features, *hidden, outputs)
    if widths[0] != data.features:
        raise InvalidValueError(
            f"the first is the number of features, {data.features} for "
            f"{study.problem.name}, got {widths[0]}",
            argument="widths",
        )
    if widths[-1] != outputs:
        raise InvalidValueError(
            f"the last is the number of outputs, {outputs} for "
            f"{study.problem.name} with {loss}, got {widths[-1]}",
            argument="widths",
        )
    examples = len(data.train_x)
    if study.batch_size is not None and study.batch_size > examples:
        raise InvalidValueError(
            f"at most the {examples} training examples, got {study.batch_size}",
            argument="batch_size",
        )
    sized = {"widths": widths, "depth": None, "width": None}
    network = study.network.model_copy(update=sized)
    return study.model_copy(update={"network": network, "loss": loss})


def _natural_loss(study: Study, data: Data) -> str:
    if data.classes is None:
        return "mean_squared_error"
    two_outputs = study.network.widths is not None and study.network.widths[-1] == 2
    if len(data.classes) == 2 and not two_outputs:
        return "binary_cross_entropy"
    return "softmax_cross_entropy"


def _outputs(study: Study, data: Data, loss: str) -> int:
    if data.classes is None:
        if loss != "mean_squared_error":
            raise InvalidValueError(
                f"{loss} needs classes, and the targets of "
                f"{study.problem.name} are numbers; use mean_squared_error",
                argument="loss",
            )
        return data.outputs
    classes = len(data.classes)
    if loss == "binary_cross_entropy":
        if classes != 2:
            raise InvalidValueError(
                f"binary_cross_entropy needs 2 classes, {study.problem.name} "
                f"has {classes}; use softmax_cross_entropy",
                argument="loss",
            )
        return 1
    if loss == "softmax_cross_entropy":
        return classes
    two_outputs = study.network.widths is not None and study.network.widths[-1] == 2
    return 1 if classes == 2 and not two_outputs else classes


def examples_of(study: Study, data: Data) -> Examples:
    """Return the data as an engine wants it: targets as one number per output.

    Classes become 0 and 1 for one output, one-hot rows for several.
    """
    assert study.network.widths is not None
    outputs = study.network.widths[-1]
    return Examples(
        train_x=data.train_x,
        train_y=_targets(data.train_y, outputs, data),
        test_x=data.test_x,
        test_y=_targets(data.test_y, outputs, data),
        is_classification=data.classes is not None,
    )


def _targets(y: np.ndarray, outputs: int, data: Data) -> np.ndarray:
    if data.classes is None:
        return y
    if outputs == 1:
        return y[:, None].astype(np.float64)
    return np.eye(outputs)[y]
