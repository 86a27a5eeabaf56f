"""The folder that `initlab compare` writes: whole, or as it was before."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

from initlab.errors import OutputError
from initlab.reports._json import as_json
from initlab.reports._pictures import draw_pictures, png_of, svg_of
from initlab.reports._report import page
from initlab.results import write_netcdf

# The file that tells a folder of ours from anybody's, and lists what we put there.
MANIFEST = "results.json"


def refuse_foreign(folder: str | Path) -> None:
    """Make sure that results can be written there, before any work is done.

    Raises:
        OutputError: If the folder exists and is not ours, or cannot be written.
    """
    folder = Path(folder)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"out: {folder} exists and is not a folder")
    try:
        foreign = folder.is_dir() and any(folder.iterdir()) and not _manifest(folder)
    except OSError as error:
        raise OutputError(f"out: cannot read {folder}: {error.strerror}") from None
    if foreign:
        raise OutputError(
            f"out: {folder} exists and was not written by initlab; name another folder"
        )
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise OutputError(f"out: {folder} is not writable")
    with _staging(folder):
        pass


def write_folder(
    results: xr.Dataset, folder: str | Path, *, command: str | None = None
) -> Path:
    """Write page, pictures, data and study into a folder, and return it.

    Everything is made beside it first, so that a full disk leaves it as it was. Files
    of an earlier run are replaced; whatever else is in the folder is kept.

    Args:
        results: What `initlab.run` returned.
        folder: New, empty, or written by an earlier run.
        command: What was typed, if it was.

    Raises:
        OutputError: If the folder is not ours or cannot be written.
    """
    folder = Path(folder)
    refuse_foreign(folder)
    with _staging(folder) as staged:
        _write_files(results, staged, command)
        made = sorted(path.name for path in staged.iterdir())
        old = _manifest(folder)
        folder.mkdir(exist_ok=True)
        # The manifest goes first: what it lists is ours, even after a crash.
        for name in [MANIFEST, *(name for name in made if name != MANIFEST)]:
            os.replace(staged / name, folder / name)
        for name in set(old) - set(made):
            (folder / name).unlink(missing_ok=True)
    return folder


def _write_files(results: xr.Dataset, folder: Path, command: str | None) -> None:
    pictures = draw_pictures(results)
    for name, figure in pictures.items():
        (folder / f"{name}.png").write_bytes(png_of(figure))
        (folder / f"{name}.svg").write_text(svg_of(figure), encoding="utf-8")
    html = page(results, pictures, command)
    (folder / "report.html").write_text(html, encoding="utf-8")
    (folder / "study.toml").write_text(results.attrs["spec"], encoding="utf-8")
    write_netcdf(results, folder / "results.nc")
    files = sorted([*(path.name for path in folder.iterdir()), MANIFEST])
    text = json.dumps({**as_json(results), "files": files}, indent=1, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside the folder, on the same disk; it does not stay."""
    try:
        with tempfile.TemporaryDirectory(
            prefix=".initlab-", dir=folder.absolute().parent
        ) as staged:
            yield Path(staged)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"out: cannot write {folder}: {reason}") from None


def _manifest(folder: Path) -> list[str]:
    """Return the files that we wrote into the folder; none if it is not ours."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        listed = json.loads(text)["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [
        name for name in listed if isinstance(name, str) and Path(name).name == name
    ]
