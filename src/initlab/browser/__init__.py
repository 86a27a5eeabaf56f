"""The laboratory in a browser tab: one file, no server; sources in `page/`."""

from initlab.browser._link import link_of, study_of
from initlab.browser._page import page_html, write_page
from initlab.browser._widget import page

__all__ = ["link_of", "page", "page_html", "study_of", "write_page"]
