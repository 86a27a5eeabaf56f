"""Results as one self-contained HTML page in a file."""

from pathlib import Path

import xarray as xr

from initlab.reports._kinds import kind_of
from initlab.results import moved_into_place


def report(
    results: xr.Dataset, path: str | Path, *, command: str | None = None
) -> Path:
    """Write one self-contained HTML page about a run, and return its path.

    Args:
        results: What `initlab.run` or `initlab.signal` returned.
        path: The page; an existing file is replaced when the new one is whole.
        command: What was typed, if it was.

    Raises:
        OutputError: If the page cannot be written.
    """
    path = Path(path)
    kind = kind_of(results)
    html = kind.page(results, kind.draw(results), command)
    with moved_into_place(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path
