"""The page in a notebook: seeded from Python, readable from Python."""

from pathlib import Path
from typing import Any

import xarray as xr

from initlab.browser._link import link_of, study_of
from initlab.browser._page import page_html
from initlab.errors import InvalidValueError, MissingExtraError
from initlab.spec import Study, from_toml

_HEIGHT = 900  # pixels


def page(shown: Study | xr.Dataset | None = None, *, height: int = _HEIGHT) -> Any:
    """Return the page as a widget of a notebook.

    What the person changes can be read: `.study` is the study that the page shows,
    ready for `initlab.run`.

    Args:
        shown: A study, or what `initlab.run` returned; None: the classic lesson.
        height: Of the frame, in pixels.

    Raises:
        InvalidValueError: If it is no study, or one that the page cannot show.
        MissingExtraError: If anywidget is not installed.

    Example:
        >>> widget = page(Study(inits=["he_normal"], members=16))
        >>> widget.study.members
        16
    """
    study = shown
    if isinstance(shown, xr.Dataset):
        study = from_toml(shown.attrs["spec"])
    if not isinstance(study, Study | None):
        raise InvalidValueError(
            f"a Study, or what initlab.run returned, got {type(study).__name__}",
            argument="shown",
        )
    text = page_html(study)
    return _widget_class()(
        html=text, height=height, link="" if study is None else link_of(study)
    )


def _widget_class() -> Any:
    """Return the class; anywidget is imported only where a notebook asks for it."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise MissingExtraError(
            "page: a notebook's widget needs anywidget; "
            "install it: pip install 'initlab[notebook]'"
        ) from None

    class PageWidget(anywidget.AnyWidget):
        """The page, and the link that says what it shows."""

        _esm = Path(__file__).parent / "widget.js"
        html = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int(_HEIGHT).tag(sync=True)
        link = traitlets.Unicode().tag(sync=True)

        @property
        def study(self) -> Study:
            """The study that the page shows now."""
            return study_of(self.link)

    return PageWidget
