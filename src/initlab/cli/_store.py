"""`initlab status | export | report`: what a store holds, in other forms."""

from pathlib import Path
from typing import Annotated

import typer

from initlab.cli._spelling import command_typed

Store = Annotated[str, typer.Argument(help="A .zarr folder or address, or a .nc file.")]


def status(
    store: Store,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, for programs.")
    ] = False,
) -> None:
    """Show how far a study is: done, left, rate, time left, diverged."""
    from initlab.results import status as found_in
    from initlab.results import status_as_json

    found = found_in(store)
    if as_json:
        typer.echo(status_as_json(found))
        return
    from rich.console import Console
    from rich.table import Table

    from initlab.messages import print_whole
    from initlab.study import counted, lasting

    rate, left = "not known yet", "not known yet"
    if found.rate is not None:
        rate = f"{found.rate:,.3g} networks/s, of the last shards"
    if found.seconds_left is not None:
        left = f"about {lasting(found.seconds_left)} at this rate"
    missing = found.networks - found.networks_done
    rows = {
        "done": f"{found.networks_done:,} of {counted(found.networks, 'network')}, "
        f"{found.shards_done:,} of {counted(found.shards, 'shard')}",
        "left": f"{counted(missing, 'network')}, {left}" if missing else "nothing",
        "damaged": f"{counted(found.shards_damaged, 'shard')}; run the study again to "
        "mend them",
        "rate": rate,
        "diverged": f"{found.diverged:,}",
        "engine": found.engine,
        "written by": found.writer or "nobody now",
    }
    if not found.shards_damaged:
        del rows["damaged"]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for label, text in rows.items():
        table.add_row(label, text)
    print_whole(Console(markup=False, emoji=False, highlight=False), table)


def export(
    store: Store,
    out: Annotated[Path, typer.Argument(help="A .nc, .csv or .parquet file.")],
    table: Annotated[
        str | None,
        typer.Option(
            help="Rows of .csv and .parquet: steps (per network and record), layers "
            "(and per layer) or members (per network). Default: steps."
        ),
    ] = None,
) -> None:
    """Write a store's results as NetCDF, or as tidy rows in CSV or Parquet."""
    from initlab.errors import InitlabError
    from initlab.results import export as exported

    try:
        path = exported(store, out, table=table)
    except InitlabError as error:
        if error.argument == "out":  # not an option of this command
            error.argument = "OUT"
        raise
    typer.echo(f"{path}: {path.stat().st_size:,} bytes")


def report(
    store: Store,
    out: Annotated[
        Path | None,
        typer.Option(help="The page. Default: the store's name, ending in .html."),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(
            help="The training loss that members are timed to. Default: half the loss "
            "of the best constant guess."
        ),
    ] = None,
) -> None:
    """Write one HTML page about a study's results."""
    import shlex

    from initlab.reports import report as reported
    from initlab.results import PAGES, open_store, refuse_damaged, refuse_unwritable

    refuse_damaged(store)
    if out is not None:
        refuse_unwritable(out, "--out", ends=PAGES, inputs=[store])
    asked = command_typed()
    with open_store(store) as results:
        # Only stores have shards; a file holds the results of a run in memory.
        made = shlex.join(["initlab", "run", "study.toml", "--store", store])
        command = f"{made}\n{asked}" if "shard" in results else asked
        page = out or Path(Path(store).with_suffix(".html").name)
        path = reported(results, page, command=command, target=target)
    typer.echo(f"Page: {path}")
