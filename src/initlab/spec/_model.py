"""Everything that is known of a user's model, as one value."""

from dataclasses import dataclass, field

from initlab.spec._outputs import OutputReading
from initlab.spec._parameter import ParameterReading
from initlab.spec._uses import AttentionUse, Block, Choice, NormUse, WeightUse


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFacts:
    """What building a model several times says of its parameters.

    Attributes:
        uninitialized: Parameters that take what was in memory before: name, and the
            share of their entries.
        overwritten: Parameters that were set to a constant and then drawn over by
            another function: name, and both functions.
    """

    uninitialized: tuple[tuple[str, float], ...] = ()
    overwritten: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Everything read of a model that is no measure of a layer.

    Attributes:
        uses, norms, attentions, blocks, parameters: In order of execution; parameters
            as registered.
        output: What came out.
        choices: Softmaxes that are no attention's.
        optimizer: Class name of the optimizer whose step was examined, or "".
        trained: Whether normalizations hold statistics or factors of a training.
        build: Where the model was built several times.
        notes: Remarks on how the model was read.
        lost_buffers: Names of buffers that hold a nan; masks may be infinite.
        stray: Weights that run, ask for gradients and are no parameters of the model.
    """

    uses: tuple[WeightUse, ...]
    norms: tuple[NormUse, ...]
    attentions: tuple[AttentionUse, ...]
    blocks: tuple[Block, ...]
    parameters: tuple[ParameterReading, ...]
    output: OutputReading
    choices: tuple[Choice, ...] = ()
    optimizer: str = ""
    trained: bool = False
    build: BuildFacts = field(default_factory=BuildFacts)
    notes: tuple[str, ...] = ()
    lost_buffers: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()
