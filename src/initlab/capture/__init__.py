"""A user's model, read by running it: layers with their true fans, and their effects.

`read` runs any `torch.nn.Module` on a batch and returns a `Reading`: values that hold
no tensor and need no torch. Nothing of the model, its gradients or any random state is
changed.
"""

from initlab.capture._batch import (
    Call,
    as_call,
    ends_with_targets,
    most_arguments,
    tensors_in,
)
from initlab.capture._failures import (
    IndicesError,
    ModelRunError,
    OptimizerRunError,
    exit_call,
)
from initlab.capture._losses import TargetsError, read_loss
from initlab.capture._preserved import ALONE, preserved
from initlab.capture._read import read
from initlab.capture._unwrap import refuse_lazy, refuse_unwritable, unwrapped
from initlab.capture._values import Reading
from initlab.spec import (
    AttentionUse,
    Block,
    NormUse,
    OutputReading,
    ParameterReading,
    WeightUse,
)

__all__ = [
    "ALONE",
    "AttentionUse",
    "Block",
    "Call",
    "IndicesError",
    "ModelRunError",
    "NormUse",
    "OptimizerRunError",
    "OutputReading",
    "ParameterReading",
    "Reading",
    "TargetsError",
    "WeightUse",
    "as_call",
    "ends_with_targets",
    "exit_call",
    "most_arguments",
    "preserved",
    "read",
    "read_loss",
    "refuse_lazy",
    "refuse_unwritable",
    "tensors_in",
    "unwrapped",
]
