"""Answers as files: a picture, and the numbers behind it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from initlab.errors import OutputError
from initlab.figures import style
from initlab.results import moved_into_place


def write_answer(
    name: str,
    draw: Callable[[], Figure],
    facts: Mapping[str, Any],
    folder: Path,
) -> list[Path]:
    """Write a picture as PNG and SVG, and its numbers as JSON; return the files.

    Args:
        name: Of the files.
        draw: Gives the picture.
        facts: JSON-able.
        folder: Made if it is not there.

    Raises:
        OutputError: If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}") from None
    written = []
    with style():
        figure = draw()
        for suffix in ("png", "svg"):
            path = folder / f"{name}.{suffix}"
            # No date: the same numbers are the same bytes.
            metadata: dict[str, Any] = {"Date": None} if suffix == "svg" else {}
            with moved_into_place(path) as temporary:
                figure.savefig(temporary, dpi=150, metadata=metadata)
            written.append(path)
    path = folder / f"{name}.json"
    with moved_into_place(path) as temporary:
        text = json.dumps(facts, indent=1) + "\n"
        temporary.write_text(text, encoding="utf-8")
    return [*written, path]
