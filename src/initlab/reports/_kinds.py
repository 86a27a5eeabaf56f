"""What is written about a dataset, by its kind: a trained study, or signals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from initlab.reports._finding_page import (
    FINDING_PICTURES,
    draw_findings,
    finding_page,
)
from initlab.reports._findings import findings_as_json
from initlab.reports._grid_page import (
    GRID_PICTURES,
    draw_grid,
    grid_as_json,
    grid_page,
)
from initlab.reports._json import as_json
from initlab.reports._pictures import PICTURES, draw_pictures
from initlab.reports._run_page import run_page
from initlab.reports._signals import (
    SIGNAL_PICTURES,
    draw_signals,
    signal_page,
    signals_as_json,
)

Figures = dict[str, Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of dataset is shown.

    Attributes:
        command: The command that writes it into a folder.
        pictures: Every name that `draw` may give.
        draw: Its pictures, by name.
        page: Its page, from the dataset, the pictures, and what was typed, if it was.
            A run's page also takes a target loss, where one was asked for.
        as_json: Its numbers, as plain values.
    """

    command: str
    pictures: tuple[str, ...]
    draw: Callable[[xr.Dataset], Figures]
    page: Callable[..., str]
    as_json: Callable[[xr.Dataset], dict[str, Any]]


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "run": Kind(
            command="initlab compare",
            pictures=PICTURES,
            draw=draw_pictures,
            page=run_page,
            as_json=as_json,
        ),
        "grid": Kind(
            command="initlab report",
            pictures=GRID_PICTURES,
            draw=draw_grid,
            page=grid_page,
            as_json=grid_as_json,
        ),
        "signal": Kind(
            command="initlab signal",
            pictures=SIGNAL_PICTURES,
            draw=draw_signals,
            page=signal_page,
            as_json=signals_as_json,
        ),
        "check": Kind(
            command="initlab check",
            pictures=FINDING_PICTURES,
            draw=draw_findings,
            page=finding_page,
            as_json=findings_as_json,
        ),
    }
)


def kind_of(results: xr.Dataset) -> Kind:
    """Return how this dataset is shown."""
    return KINDS[results.attrs.get("kind", "run")]
