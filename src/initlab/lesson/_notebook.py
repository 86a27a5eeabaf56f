"""Notebooks and scripts of any age, read as one kind of notebook."""

import json
import re
import tokenize
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initlab.errors import DataError, MissingExtraError
from initlab.lesson._python2 import compiles, with_print_calls

if TYPE_CHECKING:
    from nbformat import NotebookNode

try:
    import nbformat
except ImportError:
    raise MissingExtraError(
        "notebooks need nbformat, nbclient and ipykernel: pip install 'initlab[lesson]'"
    ) from None

_CELL_TYPES = ("code", "heading", "html", "markdown", "raw")
# Where exporters and editors begin a new cell.
_CELL = re.compile(r"^# (?:In\s?\[[\d ]*\]:|%%.*|<codecell>)\s*$", re.MULTILINE)


def read(path: Path) -> "NotebookNode":
    """Return a notebook or script as a notebook of format 4, outputs included.

    Raises:
        DataError: If the file cannot be read, or holds no Python program.
    """
    if path.suffix == ".py":
        return _script(path)
    if path.suffix != ".ipynb":
        raise DataError(f"{path}: must end in .ipynb or .py")
    content = _json(path)
    language = _language(content)
    if language not in ("python", "python2", "python3", "ipython", ""):
        raise DataError(f"{path}: a notebook in {language}; only Python's run here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # missing and double ids are mended below
        try:
            notebook = nbformat.reads(json.dumps(_mended(content)), as_version=4)
        except Exception as error:  # whatever a broken structure provokes
            raise DataError(
                f"{path}: is JSON, but no notebook ({type(error).__name__}: {error})"
            ) from None
    notebook.nbformat_minor = 5  # whose cells have ids
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number + 1}"
    notebook.metadata.pop("widgets", None)  # states of widgets that are gone
    return notebook


def source_of(cell: Any) -> str:
    """Return a cell's source as one string."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _json(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: is no notebook (not UTF-8 text)") from None
    if not text.strip():
        raise DataError(f"{path}: is empty")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no notebook (no JSON: {error})") from None
    if not isinstance(content, dict) or not (
        isinstance(content.get("cells"), list)
        or isinstance(content.get("worksheets"), list)
    ):
        raise DataError(f"{path}: is JSON, but no notebook (it has no cells)")
    return content


def _language(content: dict[str, Any]) -> str:
    metadata = content.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    kernel = metadata.get("kernelspec") or {}
    info = metadata.get("language_info") or {}
    return str(kernel.get("language") or info.get("name") or "").lower()


def _mended(content: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook with what hand edits and old programs leave out filled in."""
    if not isinstance(content.get("metadata"), dict):
        content["metadata"] = {}
    major = content.get("nbformat")
    if not isinstance(major, int):
        major = content["nbformat"] = 4 if "cells" in content else 3
    content.setdefault("nbformat_minor", 0)
    sheets = content.get("worksheets", []) if major < 4 else [content]
    for sheet in sheets:
        for cell in sheet.get("cells", []):
            if cell["cell_type"] not in _CELL_TYPES:
                raise ValueError(f"no cell type: {cell['cell_type']!r}")
            cell.setdefault("metadata", {})
            if cell.get("cell_type") == "code":
                _mend_outputs(cell, major)
    return content


def _mend_outputs(cell: dict[str, Any], major: int) -> None:
    cell["outputs"] = [
        output for output in cell.get("outputs") or [] if isinstance(output, dict)
    ]
    if major < 4:
        cell.setdefault("language", "python")
        cell.setdefault("input", "")
        return
    cell.setdefault("source", "")
    cell.setdefault("execution_count", None)
    for output in cell["outputs"]:
        if output.get("output_type") in ("display_data", "execute_result"):
            output.setdefault("data", {})
            output.setdefault("metadata", {})
        if output.get("output_type") == "execute_result":
            output.setdefault("execution_count", None)
        if output.get("output_type") == "stream":
            output.setdefault("name", "stdout")
            output.setdefault("text", "")
        if output.get("output_type") == "error":
            for key, default in (("ename", ""), ("evalue", ""), ("traceback", [])):
                output.setdefault(key, default)


def _script(path: Path) -> "NotebookNode":
    try:
        with tokenize.open(path) as file:  # honours a coding line and a BOM
            text = file.read()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is no Python text ({error})") from None
    if not text.strip():
        raise DataError(f"{path}: is empty")
    cells = [part for part in _CELL.split(text) if part.strip()]
    # A mark may stand inside a function or a string: then the script is one cell.
    if not all(compiles(_modern(cell)) for cell in cells):
        cells = [text]
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell.strip("\n")) for cell in cells]
    return notebook


def _modern(cell: str) -> str:
    return "".join(with_print_calls(cell.splitlines(keepends=True)))
