"""Words and numbers in pictures: what users typed, units, ticks."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import xarray as xr
from matplotlib.ticker import LogLocator

from initlab.spec import Study, from_toml

MINUS = "\N{MINUS SIGN}"
_LOSSES: Mapping[str, str] = MappingProxyType(
    {
        "binary_cross_entropy": "training loss (binary cross-entropy, nats)",
        "softmax_cross_entropy": "training loss (cross-entropy, nats)",
        "mean_squared_error": "training loss (mean squared error, target units²)",
    }
)
_FEW_DECADES = 2.2


def study_of(results: xr.Dataset) -> Study:
    """Return the study that the results were made from."""
    return from_toml(results.attrs["spec"])


def plain(text: object, *, most: int = 30) -> str:
    """Return text that a picture shows as it was typed, shortened in its middle.

    Matplotlib would set what stands between two dollar signs as mathematics, and XML
    has no control characters.
    """
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    if len(shown) > most:
        tail = most // 3
        shown = f"{shown[: most - tail - 1]}…{shown[-tail:]}"
    return shown.replace("$", r"\$")


def init_names(results: xr.Dataset, *, most: int = 30) -> list[str]:
    """Return what the pictures call each init."""
    return [plain(label, most=most) for label in results["init"].values]


def loss_name(results: xr.Dataset) -> str:
    """Return which loss was trained; empty where problems of a grid differ in it."""
    return study_of(results).loss or str(results.attrs.get("loss", ""))


def loss_label(results: xr.Dataset) -> str:
    """Return the name of the loss, with its unit."""
    return _LOSSES.get(loss_name(results), "training loss")


def dimension_label(results: xr.Dataset, dim: str) -> str:
    """Return the name of a dimension, with the unit of its values, if they have one."""
    unit = results[dim].attrs.get("units", "1")
    return plain(dim if unit == "1" else f"{dim} ({unit})")


def output_name(results: xr.Dataset) -> str:
    """Return what the last layer gives: logits, or outputs in the target's unit."""
    if "loss" not in results:  # signals before any loss
        return "outputs"
    squared = study_of(results).loss == "mean_squared_error"
    return "outputs" if squared else "logits"


def compact(number: float, _position: int | None = None) -> str:
    """Return a tick's number: short powers of ten, thousands apart.

    Example:
        >>> compact(15000), compact(0.25), compact(2.2e-16), compact(-2.5e6)
        ('15,000', '0.25', '2.2e-16', '−2.5e6')
    """
    if number == 0 or 1e-3 <= abs(number) < 1e6:
        text = f"{number:,.6g}" if abs(number) < 1000 else f"{number:,.0f}"
    else:
        mantissa, exponent = f"{number:.1e}".split("e")
        text = f"{float(mantissa):g}e{int(exponent)}"
    return text.replace("-", MINUS, 1) if number < 0 else text


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten within the range, with 2 and 5 between few of them.

    Example:
        >>> log_ticks(0.06, 2000.0)
        [0.1, 1.0, 10.0, 100.0, 1000.0]
    """
    decades = math.log10(high) - math.log10(low)
    subs = (1.0, 2.0, 5.0) if decades < _FEW_DECADES else (1.0,)
    ticks = LogLocator(subs=subs, numticks=8).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]
