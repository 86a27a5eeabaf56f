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
    from initlab.errors import InvalidValueError

    if file.suffix.lower() not in (".html", ".htm"):
        raise InvalidValueError(f"FILE: must end in .html, got {str(file)!r}")
    typer.echo(f"Page: {write_page(file)}")
