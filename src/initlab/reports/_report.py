"""Results as one self-contained HTML page in a file."""

from pathlib import Path

import xarray as xr

from initlab.errors import InvalidValueError
from initlab.reports._kinds import kind_of
from initlab.results import NOT_RUN, moved_into_place


def report(
    results: xr.Dataset, path: str | Path, *, command: str | None = None
) -> Path:
    """Write one self-contained HTML page about a run, and return its path.

    Args:
        results: What `initlab.run` or `initlab.signal` returned.
        path: The page; an existing file is replaced when the new one is whole.
        command: What was typed, if it was.

    Raises:
        InvalidValueError: If networks of the study have not run yet.
        OutputError: If the page cannot be written.
    """
    path = Path(path)
    _refuse_unfinished(results)
    kind = kind_of(results)
    html = kind.page(results, kind.draw(results), command)
    with moved_into_place(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def _refuse_unfinished(results: xr.Dataset) -> None:
    """Make sure that no network that has not run is taken for one that diverged."""
    if "shard" not in results:
        return
    missing = int((results["diverged_step"] == NOT_RUN).sum())
    if missing:
        raise InvalidValueError(
            f"report: {missing:,} of {results['diverged_step'].size:,} networks have "
            "not run yet; run the study to its end first"
        )
