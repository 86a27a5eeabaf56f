"""What is said of every variable of the dataset, and the dimensions that many have."""

from dataclasses import dataclass

RUN = ("init", "member")
TRACE = (*RUN, "step")
LAYER = (*TRACE, "layer")
HISTOGRAM = ("init", "stage", "layer")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's dimensions, unit, and what it is."""

    dims: tuple[str, ...]
    units: str
    about: str
