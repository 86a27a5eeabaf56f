"""A model, read: facts, and one number per use and variable."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from initlab.spec import (
    AttentionUse,
    Block,
    Choice,
    ModelFacts,
    NormUse,
    OutputReading,
    ParameterReading,
    WeightUse,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A model, read by running it once.

    Attributes:
        uses: Weights in order of execution.
        norms, attentions, blocks: What else has a part in the signal's way.
        parameters: Every parameter, used or not.
        output: What came out.
        choices: Softmaxes that are no attention's.
        measures: One number per use, by the dataset's variables.
        optimizer: Class name of the optimizer whose first step was examined, or "".
        trained: Whether normalizations hold statistics or factors of a training.
        notes: Remarks on how the model was read.
        lost_buffers: Names of buffers with entries that are nan.
        stray: Names of weights that run and are no parameters.
        blank: Whether all that the model was given is 0, and its first layers read it.
    """

    uses: tuple[WeightUse, ...]
    norms: tuple[NormUse, ...]
    attentions: tuple[AttentionUse, ...]
    blocks: tuple[Block, ...]
    parameters: tuple[ParameterReading, ...]
    output: OutputReading
    measures: Mapping[str, np.ndarray] = field(repr=False)
    choices: tuple[Choice, ...] = ()
    optimizer: str = ""
    trained: bool = False
    notes: tuple[str, ...] = ()
    lost_buffers: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()
    blank: bool = False

    @property
    def facts(self) -> ModelFacts:
        """All but the measures."""
        return ModelFacts(
            uses=self.uses,
            norms=self.norms,
            attentions=self.attentions,
            blocks=self.blocks,
            parameters=self.parameters,
            output=self.output,
            choices=self.choices,
            optimizer=self.optimizer,
            trained=self.trained,
            notes=self.notes,
            lost_buffers=self.lost_buffers,
            stray=self.stray,
        )
