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

GRID_CAVEAT = (
    "Members of all inits share their random streams, so they pair. All of this holds "
    "at the points of this grid, and for these data and this order of examples, only."
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


def orders_shown(settled: int, comparisons: int) -> str:
    """Return how many comparisons of two inits show an order.

    Example:
        >>> orders_shown(41, 108)
        'Of 108 comparisons of two inits, 41 show an order (corrected for all of them).'
    """
    return (
        f"Of {comparisons:,} comparisons of two inits, {settled:,} "
        f"{'shows' if settled == 1 else 'show'} an order (corrected for all of them)."
    )


def about_cells(*, members: int, stop_at_loss: float | None) -> str:
    """Return what a table of where training ends is of."""
    stopped = (
        f" Members stop at a loss of {stop_at_loss:g}, and those that do end alike, at "
        "that loss."
        if stop_at_loss is not None
        else ""
    )
    return (
        f"Final training loss over {members:,} members, diverged ones as infinite: "
        "median, mean of the middle half, mean; and the share of members that "
        "diverged. In brackets: 95 % confidence intervals, where there are enough "
        "members for one (6 for a median, 10 for a mean)." + stopped
    )


def about_target(
    target: float | None,
    *,
    members: int,
    every: int,
    last: int,
    reached: bool,
    stop_at_loss: float | None,
) -> str:
    """Return what the steps to a target loss are, and who chose the target.

    Args:
        target: What was asked for; None: the default.
        members: Networks that are timed, in each row.
        every: Steps between records.
        last: The run's last step.
        reached: Whether any member arrived.
        stop_at_loss: Where members stop, if they do.
    """
    stop = (
        f" (or {stop_at_loss:g}, where members stop, if more)" if stop_at_loss else ""
    )
    chosen = (
        f"half the loss of the best constant guess{stop}, which no result decides "
        "(initlab report --target sets another)"
        if target is None
        else f"{target:g}, as asked"
    )
    said = [
        f"The first record of the training loss at or under the target: {chosen}. "
        f"The loss is recorded every {every:,} steps." if every > 1 else
        f"The first step whose training loss is at or under the target: {chosen}.",
        f"Median over {members:,} members, in brackets its 95 % confidence interval; "
        f"> {last:,}: not within the run, which is all that is known of such members "
        f"(censored), diverged ones among them. Reached: the share of members that "
        f"arrived, with its interval.",
    ]  # fmt: skip
    if not reached:
        said.append("No member arrived: a larger target, or more steps, would tell.")
    return " ".join(said)


def about_profiles(*, members: int, runs: int) -> str:
    """Return what a performance profile is of, with the size of the sample."""
    points = runs // members
    return (
        f"Share of {runs:,} runs ({members:,} members at each of {points:,} points of "
        "the grid) in which an init's final training loss is at most so many times the "
        "least that any init has in that run. In brackets: 95 % confidence intervals, "
        "for which the runs of a member count as one. Other grids, or other inits to "
        "be compared with, give other shares."
    )


def needs_function(label: str, digest: str, *, weights: bool = False) -> str:
    """Return that an init of a study is in no text, and how to tell the same one."""
    kind, of = ("weights", "values") if weights else ("a Python function", "source")
    return (
        f"{label} is {kind} that no text holds: to repeat this study, give il.Study "
        f"the same among its inits (SHA-256 of its {of}: {digest})."
    )


def needs_arrays(digest: str) -> str:
    """Return that the data of a study are in no text, and how to tell the same ones."""
    return (
        "The data were handed in as arrays, which no text holds: to repeat this study, "
        f"give il.Study the same as its problem (SHA-256 of their values: {digest})."
    )


def _listed(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
