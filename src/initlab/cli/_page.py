"""`initlab page`: the laboratory in a browser tab, as one file."""

from pathlib import Path
from typing import Annotated

import typer


def page(
    file: Annotated[
        Path, typer.Argument(help="Where to write it; an existing file is replaced.")
    ] = Path("initlab.html"),
) -> None:
    """Write the laboratory as one HTML file: open it in any browser, offline.

    It trains every network to the end whenever something is changed.
    """
    from initlab.browser import write_page
    from initlab.results import PAGES, refuse_unwritable

    refuse_unwritable(file, "FILE", ends=PAGES)
    typer.echo(f"Page: {write_page(file)}")
