"""The page as a file, and with a study in it."""

from functools import cache
from pathlib import Path

from initlab.browser._link import link_of
from initlab.results import PAGES, moved_into_place, refuse_unwritable
from initlab.spec import Study

FILE = Path(__file__).parent / "page.html"
_STUDY = '<script type="text/plain" id="study"></script>'


def page_html(study: Study | None = None) -> str:
    """Return the page: it opens from disk, offline, and needs nothing else.

    Args:
        study: What it shows first; None: the classic lesson.

    Raises:
        InvalidValueError: If the page cannot show the study.

    Example:
        >>> page_html().startswith("<!doctype html>")
        True
    """
    if study is None:
        return _template()
    link = link_of(study)
    assert "<" not in link  # an address has no character that a script would end at
    return _template().replace(_STUDY, _STUDY.replace("></", f">{link}</"))


@cache
def _template() -> str:
    return FILE.read_text(encoding="utf-8")


def write_page(path: str | Path, study: Study | None = None) -> Path:
    """Write the page, and return its path.

    Args:
        path: A file that ends in .html, replaced whole if it exists.
        study: What it shows first; None: the classic lesson.

    Raises:
        InvalidValueError: If the path ends in something else, or the page cannot show
            the study.
        OutputError: If the file cannot be written.
    """
    text = page_html(study)
    target = Path(path)
    refuse_unwritable(target, "path", ends=PAGES)
    with moved_into_place(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target
