"""All experiments by name."""

from collections.abc import Mapping
from types import MappingProxyType

from initlab.lesson.experiments._defaults import DEFAULTS
from initlab.lesson.experiments._experiment import Experiment
from initlab.lesson.experiments._histograms import HISTOGRAMS
from initlab.lesson.experiments._initial_loss import INITIAL_LOSS
from initlab.lesson.experiments._product import PRODUCT
from initlab.lesson.experiments._scale_sweep import SCALE_SWEEP
from initlab.lesson.experiments._simulation import SIMULATION
from initlab.lesson.experiments._symmetry import SYMMETRY

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        experiment.name: experiment
        for experiment in (
            HISTOGRAMS,
            PRODUCT,
            SIMULATION,
            SCALE_SWEEP,
            SYMMETRY,
            DEFAULTS,
            INITIAL_LOSS,
        )
    }
)
