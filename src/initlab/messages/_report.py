"""What the report says besides causes."""

from collections.abc import Sequence

ASK_MORE_MEMBERS = (
    "This is one network per init, from one seed, and one seed decides nothing: "
    "add --members 20 to see what stays true over many."
)
PAIRED_CAVEAT = (
    "Spread: quantiles over the members, 5 % to 95 %. Interval: 95 % confidence in the "
    "median. Members of all inits share their random streams, so they pair; all hold "
    "for this learning rate, data set and order of examples only."
)


def title_of(problem: str) -> str:
    """Return the page's title."""
    return f"Where should training on {problem} start?"


def question_of(problem: str, labels: Sequence[str]) -> str:
    """Return the question that a comparison answers."""
    if len(labels) == 1:
        return (
            f"Does the same network learn {problem} when its weights start from "
            f"{labels[0]}, how fast, and why?"
        )
    listed = f"{', '.join(labels[:-1])} or {labels[-1]}"
    return (
        f"The same network learns {problem}, and only its starting weights differ: "
        f"{listed}. From which of them does it train, how fast, and why?"
    )
