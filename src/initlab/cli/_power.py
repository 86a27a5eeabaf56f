"""`initlab power`: how many members settle the order of two inits."""

from typing import Annotated

import typer


def power(
    store: Annotated[
        str | None,
        typer.Argument(help="A .zarr folder or address, or a .nc file, of a study."),
    ] = None,
    share: Annotated[
        float | None,
        typer.Option(
            help="Instead: the share of members in which one init truly ends below "
            "the other, from 0 to 1.",
        ),
    ] = None,
    certainty: Annotated[
        float,
        typer.Option(
            "--power",
            help="How often so many members shall settle the order.",
        ),
    ] = 0.9,
) -> None:
    """Say how many members it takes until the order of two inits is settled."""
    from initlab.analysis.statistics import members_needed
    from initlab.errors import InvalidValueError

    if (store is None) == (share is None):
        raise InvalidValueError("STORE or --share: give one of the two")
    if not 0 < certainty < 1:
        raise InvalidValueError(f"between 0 and 1, got {certainty}", argument="--power")
    if share is not None:
        if not 0 <= share <= 1:
            raise InvalidValueError(f"from 0 to 1, got {share}", argument="--share")
        needed = members_needed(share, power=certainty)
        typer.echo("over a million" if needed is None else f"{needed:,}")
        return
    from rich.console import Console

    from initlab.messages import print_whole
    from initlab.reports import power_tables
    from initlab.results import open_store, refuse_damaged

    assert store is not None
    refuse_damaged(store)
    with open_store(store) as results:
        tables = power_tables(results, power=certainty)
    console = Console(markup=False, emoji=False, highlight=False)
    for table in tables:
        print_whole(console, table)
    typer.echo(
        f"members needed: for the share that was seen, and at the ends of its "
        f"interval; settled in {certainty:.0%} of such studies. Orders are settled "
        "among all comparisons of the study (Holm), as in initlab report"
    )
