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


def grid_title(labels: Sequence[str], grid: Sequence[str]) -> str:
    """Return the title of a page about a study with a grid.

    Example:
        >>> grid_title(["zeros", "he_normal"], ["depth", "learning_rate"])
        '2 inits over depth and learning_rate'
    """
    what = f"{len(labels)} inits" if len(labels) > 1 else labels[0]
    return f"{what} over {_listed(grid)}"


def grid_question(grid: Sequence[str]) -> str:
    """Return the question that a study with a grid answers."""
    return (
        f"From which starting weights does the network train, and how far, when "
        f"{_listed(grid)} {'varies' if len(grid) == 1 else 'vary'}?"
    )


def _listed(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
