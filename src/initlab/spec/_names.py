"""The closed vocabularies of a study: every name that a user may type."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator

from initlab.spec._base import known_name

_Activation = Literal[
    "relu", "leaky_relu", "tanh", "sigmoid", "erf", "gelu",
    "silu", "elu", "selu", "softplus", "sin", "identity",
]  # fmt: skip
_Loss = Literal["binary_cross_entropy", "softmax_cross_entropy", "mean_squared_error"]
_Optimizer = Literal["gradient_descent", "momentum", "adam"]
_Problem = Literal[
    "circles", "moons", "spirals", "xor", "blobs",
    "digits", "breast_cancer", "wine", "diabetes",
]  # fmt: skip
_Precision = Literal["float64", "float32"]
_Seeding = Literal["legacy", "stream"]
_Record = Literal["scores", "layers", "pictures", "weights"]

ACTIVATION_NAMES: tuple[str, ...] = get_args(_Activation)
LOSS_NAMES: tuple[str, ...] = get_args(_Loss)
OPTIMIZER_NAMES: tuple[str, ...] = get_args(_Optimizer)
PRECISION_NAMES: tuple[str, ...] = get_args(_Precision)
PROBLEM_NAMES: tuple[str, ...] = get_args(_Problem)
SEEDING_NAMES: tuple[str, ...] = get_args(_Seeding)
RECORD_NAMES: tuple[str, ...] = get_args(_Record)

# Of the functions that a user's model may have: f' is 0 on one whole side, so that a
# unit can be off for every example.
RECTIFIERS = frozenset({"relu", "relu6", "threshold"})

ActivationName = Annotated[
    _Activation, BeforeValidator(known_name("activation", ACTIVATION_NAMES))
]
LossName = Annotated[_Loss, BeforeValidator(known_name("loss", LOSS_NAMES))]
OptimizerName = Annotated[
    _Optimizer, BeforeValidator(known_name("optimizer", OPTIMIZER_NAMES))
]
PrecisionName = Annotated[
    _Precision, BeforeValidator(known_name("precision", PRECISION_NAMES))
]
SeedingName = Annotated[_Seeding, BeforeValidator(known_name("seeding", SEEDING_NAMES))]
RecordName = Annotated[_Record, BeforeValidator(known_name("record", RECORD_NAMES))]
