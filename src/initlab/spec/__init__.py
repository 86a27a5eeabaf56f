"""What to run, as frozen values; nothing numerical happens here."""

from initlab.spec._base import Spec, digest, shortened
from initlab.spec._counts import as_count, as_whole
from initlab.spec._difference import differences, extension, in_order_of
from initlab.spec._grid import GRID_FIELDS, Cell, dimension
from initlab.spec._grid import label as grid_label
from initlab.spec._inits import (
    CALLABLE,
    EXPLICIT,
    INIT_ALIASES,
    INIT_NAMES,
    INIT_PARAMETERS,
    INIT_SHARED,
    PROCEDURE_NAMES,
    Dialect,
    Distribution,
    Init,
    Mode,
)
from initlab.spec._layer import LayerKind, LayerSpec
from initlab.spec._model import BuildFacts, ModelFacts
from initlab.spec._model_text import facts_from_json, facts_to_json
from initlab.spec._names import (
    ACTIVATION_NAMES,
    LOSS_NAMES,
    OPTIMIZER_NAMES,
    PRECISION_NAMES,
    PROBLEM_NAMES,
    RECORD_NAMES,
    RECTIFIERS,
    SEEDING_NAMES,
    ActivationName,
    LossName,
    OptimizerName,
    PrecisionName,
)
from initlab.spec._network import MLP
from initlab.spec._outputs import OutputReading, PriorReading
from initlab.spec._parameter import ParameterReading
from initlab.spec._problem import ARRAYS, Problem
from initlab.spec._signal import SignalStudy
from initlab.spec._study import Study
from initlab.spec._text import (
    from_toml,
    signal_study_from_toml,
    to_dict,
    to_toml,
)
from initlab.spec._uses import AttentionUse, Block, Choice, NormUse, WeightUse

__all__ = [
    "ACTIVATION_NAMES",
    "ARRAYS",
    "CALLABLE",
    "EXPLICIT",
    "GRID_FIELDS",
    "INIT_ALIASES",
    "INIT_NAMES",
    "INIT_PARAMETERS",
    "INIT_SHARED",
    "LOSS_NAMES",
    "MLP",
    "OPTIMIZER_NAMES",
    "PRECISION_NAMES",
    "PROBLEM_NAMES",
    "PROCEDURE_NAMES",
    "RECORD_NAMES",
    "RECTIFIERS",
    "SEEDING_NAMES",
    "ActivationName",
    "AttentionUse",
    "Block",
    "BuildFacts",
    "Cell",
    "Choice",
    "Dialect",
    "Distribution",
    "Init",
    "LayerKind",
    "LayerSpec",
    "LossName",
    "Mode",
    "ModelFacts",
    "NormUse",
    "OptimizerName",
    "OutputReading",
    "ParameterReading",
    "PrecisionName",
    "PriorReading",
    "Problem",
    "SignalStudy",
    "Spec",
    "Study",
    "WeightUse",
    "as_count",
    "as_whole",
    "differences",
    "digest",
    "dimension",
    "extension",
    "facts_from_json",
    "facts_to_json",
    "from_toml",
    "grid_label",
    "in_order_of",
    "shortened",
    "signal_study_from_toml",
    "to_dict",
    "to_toml",
]
