"""The lesson's modules as files, for notebooks that run in Jupyter itself."""

import re
from pathlib import Path

from initlab.errors import OutputError
from initlab.lesson._surroundings import DROP_INS, drop_in
from initlab.results import moved_into_place

# Always written; others where a notebook of the folder imports them.
BASIC = ("init_utils", "public_tests", "test_utils", "dlai_tools.testing_utils")
_IMPORT = re.compile(r"\b(?:from|import)\s+([A-Za-z_][\w.]*)")
_MOST = 4 * 2**20  # bytes of a notebook that are searched for imports


def here(folder: str | Path = ".") -> tuple[list[Path], list[Path]]:
    """Write the modules that are missing in a folder; never replace a file.

    Returns:
        The files written, and those that were there and stay as they are.

    Raises:
        OutputError: If the folder does not exist or cannot be written.
    """
    place = Path(folder)
    if not place.is_dir():
        raise OutputError(f"{place} is no folder", argument="folder")
    written, kept = [], []
    for name in sorted({*BASIC, *_imported_in(place)}):
        path = place / f"{name.replace('.', '/')}.py"
        if path.exists() or (place / name).is_dir():
            kept.append(path)
            continue
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from None
        with moved_into_place(path) as temporary:
            temporary.write_text(_text(name), encoding="utf-8")
        written.append(path)
    return written, kept


def _imported_in(place: Path) -> set[str]:
    """Return which of our modules the folder's notebooks and scripts import."""
    found = set()
    for path in (*place.glob("*.ipynb"), *place.glob("*.py")):
        with path.open(encoding="utf-8", errors="replace") as file:
            names = _IMPORT.findall(file.read(_MOST))
        found |= {name for name in names if drop_in(name) and name != "dlai_tools"}
    return found - {"termcolor"}


def _text(name: str) -> str:
    module = DROP_INS.get(name) or drop_in(name)
    return (
        f'"""The lesson\'s `{name}`, from initlab: pip install initlab."""\n\n'
        f"from initlab.lesson.modules.{module} import *\n"
    )
