"""Signals at initialization for people and machines: table, pictures, page, JSON."""

import io
import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import xarray as xr
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from initlab import analysis, figures
from initlab.analysis import SignalVerdict, Summary
from initlab.messages import (
    SIGNAL_CAVEAT,
    SIGNAL_QUESTION,
    print_whole,
    signal_sentence,
    signal_title,
)
from initlab.reports._html import render
from initlab.reports._json import finite
from initlab.reports._pictures import laid_out, svg_of
from initlab.spec import SignalStudy, signal_study_from_toml, to_dict

_REPEAT = """\
import initlab as il
from initlab.spec import signal_study_from_toml
from pathlib import Path

# study.toml holds the study below
study = signal_study_from_toml(Path("study.toml").read_text())
il.report(il.signal(study), "signals.html")
"""
# Columns that medians beside their spreads need, with a label of some length.
_ROOM = 100
_HEADERS = (
    "init",
    "gradient norm, layer 1 : last",
    "activations, last hidden : 1",
    "cosine of two inputs",
    "what happens",
)
SIGNAL_PICTURES = ("signal_profiles", "activation_histograms")


@dataclass(frozen=True, slots=True)
class SignalTable:
    """What each init does to signals, to print in a terminal or a notebook.

    Attributes:
        verdicts: The numbers behind the text.
        headers: One per column; the last is what happens.
        rows: Cells as text.
    """

    verdicts: tuple[SignalVerdict, ...]
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        """Return the table as text of 100 columns."""
        console = Console(width=100, file=io.StringIO(), record=True)
        self.print_to(console)
        return console.export_text().rstrip()

    def print_to(self, console: Console) -> None:
        """Print the numbers as a table, and below it a sentence for each init."""
        # Spreads go below their medians where lines are short.
        gap = " [" if console.width >= _ROOM else "\n["
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for number, header in enumerate(self.headers[:-1]):
            table.add_column(
                # Two lines leave room for the numbers in 80 columns.
                header.replace(" ", "\n", 1) if number else header,
                justify="right" if number else "left",
                no_wrap=number > 0,
            )
        for row in self.rows:
            cells = [row[0], *(cell.replace(" [", gap) for cell in row[1:-1])]
            table.add_row(*map(Text, cells))
        print_whole(console, table)
        for row in self.rows:
            console.print(Text.assemble((row[0], "bold"), f": {row[-1]}"))
        console.print()


def signal_table(signals: xr.Dataset) -> SignalTable:
    """Return what each init does to signals, as a table of medians and spreads.

    Args:
        signals: What `initlab.signal` returned.

    Example:
        >>> from initlab.spec import MLP
        >>> from initlab.study import signal
        >>> table = signal_table(signal(MLP(widths=(40,) * 5), ["zeros"]))
        >>> table.rows[0][-1]
        'all 40 units of layer 1 are copies of each other: 1 distinct unit'
    """
    verdicts = analysis.signal_verdicts(signals)
    rows = [
        (
            verdict.init,
            _shown(verdict.norm_factor),
            _shown(verdict.activation_ratio),
            _shown(verdict.cosine),
            signal_sentence(verdict.id, verdict.evidence),
        )
        for verdict in verdicts
    ]
    return SignalTable(tuple(verdicts), _HEADERS, tuple(rows))


def _shown(summary: Summary) -> str:
    low, high = summary.spread
    if not math.isfinite(summary.median):
        return "none"
    if low == high:
        return f"{summary.median:.3g}"
    return f"{summary.median:.2g} [{low:.2g}, {high:.2g}]"


def draw_signals(signals: xr.Dataset) -> dict[str, Figure]:
    """Return every picture of signals, by name."""
    return {
        "signal_profiles": laid_out(figures.signal_profiles(signals).flat[0]),
        "activation_histograms": laid_out(
            figures.activation_histograms(signals).flat[0]
        ),
    }


def signal_page(
    signals: xr.Dataset, pictures: dict[str, Figure], command: str | None
) -> str:
    """Return the page; pictures are drawn once, for the page and as files."""
    study = signal_study_from_toml(signals.attrs["spec"])
    table = signal_table(signals)
    described = {
        "signal_profiles": ("Layer by layer", SIGNAL_CAVEAT),
        "activation_histograms": (
            "What each layer gives out",
            "Outputs of the units of member 0 of each init, evenly sampled over the "
            "inputs. Each histogram is scaled to its tallest bin, and heights are "
            "square roots, so that small shares stay visible: compare shapes and "
            "ranges, not areas. Scales differ between panels.",
        ),
    }
    return render(
        title=signal_title(study.network.activation, study.network.layers),
        question=SIGNAL_QUESTION,
        headers=table.headers,
        rows=table.rows,
        lessons=[],
        pairs=[],
        pictures={
            name: (*described[name], svg_of(figure))
            for name, figure in pictures.items()
        },
        notes=json.loads(signals.attrs["notes"]),
        facts=_facts(signals, study),
        spec=signals.attrs["spec"],
        command=command or "",
        python=_REPEAT,
    )


def _facts(signals: xr.Dataset, study: SignalStudy) -> dict[str, str]:
    """Return how the numbers were made, as label and text."""
    widths = _widths(study)
    versions = json.loads(signals.attrs["versions"])
    inputs = study.problem.name if study.problem else "standard normal"
    return {
        "Network": f"{widths}, {study.network.activation}",
        "Inputs": f"{inputs}, {signals.attrs['examples']} examples",
        "Members per init": str(signals.sizes["member"]),
        "Seeds": f"{study.seeding}, seed {study.seed}",
        "Precision": study.precision,
        "Versions": ", ".join(f"{name} {v}" for name, v in versions.items()),
    }


def _widths(study: SignalStudy) -> str:
    widths = study.network.widths or ()
    if len(set(widths)) == 1:
        return f"{len(widths) - 1} layers of {widths[0]} units"
    return "-".join(str(units) for units in widths)


def signals_as_json(signals: xr.Dataset) -> dict[str, Any]:
    """Return `spec` and `results`, one entry per init, as plain values.

    What is measured is listed layer by layer as medians over members, beside what is
    expected of a wide network.
    """
    study = signal_study_from_toml(signals.attrs["spec"])
    measured = [
        name
        for name, values in signals.data_vars.items()
        if values.dims == ("init", "member", "step", "layer")
    ]
    expected = [name for name in signals.data_vars if "predicted_" in str(name)]
    medians = signals[measured].isel(step=0).median("member", skipna=False)
    return finite(
        {
            "spec": to_dict(study),
            "results": [
                {
                    **asdict(verdict),
                    "what_happens": signal_sentence(verdict.id, verdict.evidence),
                    "layers": {
                        str(name): medians[name].values[i].tolist() for name in measured
                    },
                    "expected": {
                        str(name): signals[name].values[i].tolist() for name in expected
                    },
                }
                for i, verdict in enumerate(analysis.signal_verdicts(signals))
            ],
            "versions": json.loads(signals.attrs["versions"]),
            "notes": json.loads(signals.attrs["notes"]),
        }
    )
