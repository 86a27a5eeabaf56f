"""Results as one self-contained HTML page in a file."""

from pathlib import Path

import xarray as xr

from initlab import analysis
from initlab.errors import InvalidValueError
from initlab.reports._kinds import kind_of
from initlab.results import PAGES, as_path, moved_into_place, refuse_unwritable


def report(
    results: xr.Dataset,
    path: str | Path,
    *,
    command: str | None = None,
    target: float | None = None,
) -> Path:
    """Write one self-contained HTML page about a run, and return its path.

    Args:
        results: What `initlab.run` or `initlab.signal` returned, or a selection of it.
        path: The page, ending in .html; an existing file is replaced when the new one
            is whole.
        command: What was typed, if it was.
        target: The training loss that members are timed to; None: half the least loss
            of a constant output.

    Raises:
        InvalidValueError: If the path ends in something else, networks of the study
            have not run yet, the target is no loss, the results have none, or are
            something else, as a mean over members.
        OutputError: If the page cannot be written.

    Example:
        >>> import tempfile
        >>> import initlab as il
        >>> results = il.run(il.Study(inits=["zeros", "he_normal"], steps=10))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = il.report(results, Path(folder, "study.html"))
        ...     page.name, "he_normal" in page.read_text()
        ('study.html', True)
    """
    path = as_path(path, "path")
    refuse_unwritable(path, "path", ends=PAGES)
    results = analysis.selected(results)
    analysis.refuse_unfinished(results)
    kind = kind_of(results)
    asked = {}
    if target is not None:
        _refuse_targetless(results, target)
        asked["target"] = target
    html = kind.page(results, kind.draw(results), command, **asked)
    with moved_into_place(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def _refuse_targetless(results: xr.Dataset, target: float) -> None:
    """Make sure that a target is asked for where there are losses, before drawing."""
    if results.attrs.get("kind", "run") not in ("run", "grid"):
        raise InvalidValueError(
            "is of a trained study; these results have no training", argument="target"
        )
    analysis.target_losses(results, target)
