"""The classic experiments that need no training: one run, one sentence, one picture.

Each is a value of `EXPERIMENTS`: what it asks, how to run it, what its data says, and
how to draw it. They are asked for by name: `initlab signal --preset NAME`.
"""

from initlab.lesson.experiments._experiment import Answer, Experiment
from initlab.lesson.experiments._table import EXPERIMENTS

__all__ = ["EXPERIMENTS", "Answer", "Experiment"]
