"""A study with a grid as one self-contained HTML page."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from initlab import analysis, figures
from initlab.messages import (
    PAIRED_CAVEAT,
    grid_question,
    grid_title,
    statement_sentence,
)
from initlab.reports._html import render
from initlab.reports._json import finite
from initlab.reports._pictures import laid_out, quiet, svg_of
from initlab.spec import from_toml, to_dict

GRID_PICTURES = ("loss_heatmaps", "grid_curves")
# A longer list is read by nobody; JSON has all of it.
_MOST_STATEMENTS = 40
_MOST_ROWS = 400

_REPEAT = """\
import initlab as il
from pathlib import Path

# study.toml holds the study below
study = il.from_toml(Path("study.toml").read_text())
results = il.run(study, store="study.zarr")
il.report(results, "study.html")
"""


def draw_grid(results: xr.Dataset) -> dict[str, Figure]:
    """Return the pictures of a study with a grid, by name."""
    with figures.style(), quiet():
        return {
            "loss_heatmaps": laid_out(figures.loss_heatmaps(results)[0]),
            "grid_curves": laid_out(figures.grid_curves(results)[0]),
        }


def grid_page(
    results: xr.Dataset, pictures: dict[str, Figure], command: str | None
) -> str:
    """Return the page; pictures are drawn once, for the page and as files."""
    study = from_toml(results.attrs["spec"])
    grid = analysis.grid_of(results)
    sentences = list(_sentences(results))
    lessons = [PAIRED_CAVEAT]
    if len(sentences) > _MOST_STATEMENTS:
        lessons.append(
            f"The first {_MOST_STATEMENTS} of {len(sentences)} comparisons are listed."
        )
    rows = list(_rows(results))
    return render(
        title=grid_title([init.label for init in study.inits], grid),
        question=grid_question(grid),
        headers=[*grid, "init", "median final loss", "95 % interval", "diverged"],
        rows=rows[:_MOST_ROWS],
        lessons=lessons,
        pairs=sentences[:_MOST_STATEMENTS],
        pictures={
            name: (*_CAPTIONS[name], svg_of(figure))
            for name, figure in pictures.items()
        },
        notes=json.loads(results.attrs["notes"]),
        facts=_facts(results),
        spec=results.attrs["spec"],
        command=command or "",
        python=_REPEAT,
    )


_CAPTIONS = {
    "loss_heatmaps": (
        "Where training ends",
        "Median over members of the final training loss, one panel per init (and per "
        "value of further dimensions), all on one logarithmic scale: light is low. "
        "Grey: at least half of the members diverged.",
    ),
    "grid_curves": (
        "How the loss fell",
        "Training loss against the step, one panel per point of the grid "
        f"(the first {figures.MOST_PANELS}): median over members and, shaded, their "
        "spread from 5 % to 95 %. A line ends where its median is no longer finite; "
        "the axis ends at 20 times the loss of a constant output.",
    ),
}


def _rows(results: xr.Dataset) -> Iterator[list[str]]:
    found = analysis.cell_statistics(results).sel(estimate="median")
    grid = analysis.grid_of(results)
    members = results.sizes["member"]
    shape = tuple(results.sizes[dim] for dim in (*grid, "init"))
    for index in np.ndindex(shape):
        at = [results[d].values[i] for d, i in zip((*grid, "init"), index, strict=True)]
        low, high = found["final_loss_interval"].values[index]
        share = float(found["diverged"].values[index])
        yield [
            *(str(value) for value in at),
            f"{float(found['final_loss'].values[index]):.4g}",
            "too few members" if np.isnan(low) else f"{low:.4g} to {high:.4g}",
            f"{round(share * members)} of {members}",
        ]


def _sentences(results: xr.Dataset) -> Iterator[str]:
    study = from_toml(results.attrs["spec"])
    for each in analysis.statements(results, learning_rate=study.learning_rate):
        yield statement_sentence(each.id, each.evidence, each.at)


def _facts(results: xr.Dataset) -> dict[str, str]:
    study = from_toml(results.attrs["spec"])
    versions = json.loads(results.attrs["versions"])
    grid = {
        f"Grid, {name}": ", ".join(map(str, results[name].values.tolist()))
        for name in analysis.grid_of(results)
    }
    return grid | {
        "Training": f"{study.optimizer}, {study.steps:,} steps",
        "Members per init and point": str(study.members),
        "Seeds": f"{study.seeding}, seed {study.seed}",
        "Engine": str(results.attrs["engine"]),
        "Versions": ", ".join(f"{name} {v}" for name, v in versions.items()),
    }


def grid_as_json(results: xr.Dataset) -> dict[str, Any]:
    """Return `spec`, the cells' statistics and statements as plain values."""
    headers = [*analysis.grid_of(results), "init", "median", "interval", "diverged"]
    return finite(
        {
            "spec": to_dict(from_toml(results.attrs["spec"])),
            "results": [dict(zip(headers, row, strict=True)) for row in _rows(results)],
            "statements": list(_sentences(results)),
            "engine": results.attrs["engine"],
            "versions": json.loads(results.attrs["versions"]),
            "notes": json.loads(results.attrs["notes"]),
        }
    )
