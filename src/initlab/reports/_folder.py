"""The folder that a command writes: whole, or as it was before."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

from initlab.errors import OutputError
from initlab.reports._kinds import KINDS, kind_of
from initlab.reports._pictures import png_of, svg_of
from initlab.results import refuse_not_text, write_netcdf

# The file by which we recognize a folder of ours.
MANIFEST = "results.json"
# All that we ever write: nothing else is replaced or removed.
_PAGES = ("report.html", "study.toml", "results.nc", MANIFEST)
_FILES = frozenset(
    [
        *_PAGES,
        *(
            f"{name}.{end}"
            for kind in KINDS.values()
            for name in kind.pictures
            for end in ("png", "svg")
        ),
    ]
)


def refuse_foreign(folder: str | Path) -> None:
    """Make sure that results can be written there, before any work is done.

    Raises:
        OutputError: If the folder exists and is not ours, cannot be written, or has a
            path that is no text.
    """
    folder = Path(folder)
    refuse_not_text(folder, "out")
    if folder.is_symlink() and not folder.exists():
        raise OutputError(f"{folder} is a link to nothing", argument="out")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} exists and is not a folder", argument="out")
    try:
        foreign = folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder)
    except OSError as error:
        raise OutputError(
            f"cannot read {folder}: {error.strerror}", argument="out"
        ) from None
    if foreign:
        raise OutputError(
            f"{folder} exists and was not written by initlab; name another folder",
            argument="out",
        )
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise OutputError(f"{folder} is not writable", argument="out")
    with _staging(folder):
        pass


def write_folder(
    results: xr.Dataset, folder: str | Path, *, command: str | None = None
) -> Path:
    """Write page, pictures, data and study into a folder, and return it.

    Everything is made beside it first, so that a full disk leaves it as it was. Files
    of an earlier run are replaced; whatever else is in the folder is kept.

    Args:
        results: What `initlab.run` or `initlab.signal` returned.
        folder: New, empty, or written by an earlier run.
        command: What was typed, if it was.

    Raises:
        OutputError: If the folder is not ours or cannot be written.
    """
    folder = Path(folder)
    refuse_foreign(folder)
    with _staging(folder) as staged:
        _write_files(results, staged, command)
        made = {path.name for path in staged.iterdir()}
        folder.mkdir(exist_ok=True)
        # The manifest goes first, so that the folder is ours even after a crash.
        for name in sorted(made, key=lambda name: name != MANIFEST):
            os.replace(staged / name, folder / name)
        for name in _FILES - made:
            (folder / name).unlink(missing_ok=True)
    return folder


def _write_files(results: xr.Dataset, folder: Path, command: str | None) -> None:
    kind = kind_of(results)
    pictures = kind.draw(results)
    for name, figure in pictures.items():
        (folder / f"{name}.png").write_bytes(png_of(figure))
        (folder / f"{name}.svg").write_text(svg_of(figure), encoding="utf-8")
    html = kind.page(results, pictures, command)
    (folder / "report.html").write_text(html, encoding="utf-8")
    (folder / "study.toml").write_text(results.attrs["spec"], encoding="utf-8")
    write_netcdf(results, folder / "results.nc")
    answer = {"made_by": kind.command, **kind.as_json(results)}
    text = json.dumps(answer, indent=1, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Yield an empty folder in or beside the folder, on its disk; it is removed."""
    where = folder if folder.is_dir() else folder.absolute().parent
    try:
        with tempfile.TemporaryDirectory(prefix=".initlab-", dir=where) as staged:
            yield Path(staged)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"cannot write {folder}: {reason}", argument="out") from None


def _is_ours(folder: Path) -> bool:
    """Return whether an earlier run of ours wrote the folder."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        made_by = json.loads(text)["made_by"]
        return made_by in [kind.command for kind in KINDS.values()]
    except (OSError, ValueError, KeyError, TypeError):
        return False
