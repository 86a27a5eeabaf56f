"""A study with a grid as one self-contained HTML page."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from initlab import analysis, figures
from initlab.messages import (
    GRID_CAVEAT,
    grid_question,
    grid_title,
    orders_shown,
    statement_sentence,
)
from initlab.reports._html import PageTable, render
from initlab.reports._json import finite
from initlab.reports._number_tables import cell_table, profile_table, steps_table
from initlab.reports._numbers import grid_numbers, profile_numbers, target_numbers
from initlab.reports._pictures import laid_out, quiet, svg_of
from initlab.reports._repeat import what_text_lacks
from initlab.spec import Study, from_toml, grid_label, to_dict

GRID_PICTURES = (
    "loss_heatmaps",
    "grid_curves",
    "grid_medians",
    "performance_curves",
)
# A longer list is read by nobody; the statements on demand are analysis.statements.
_MOST_STATEMENTS = 400
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
        axes = {
            "loss_heatmaps": figures.loss_heatmaps(results)[0],
            "grid_curves": figures.grid_curves(results)[0],
        }
        if results.sizes["member"] >= figures.FEWEST_FOR_AN_INTERVAL:
            axes["grid_medians"] = figures.grid_curves(results, band="interval")[0]
        if _has_profiles(results):
            axes["performance_curves"] = figures.performance_curves(results)
        return {name: laid_out(ax) for name, ax in axes.items()}


def _has_profiles(results: xr.Dataset) -> bool:
    """Return whether there is a best of several inits, and more than one cell."""
    return results.sizes["init"] > 1 and points_of(results) > 1


def grid_page(
    results: xr.Dataset,
    pictures: dict[str, Figure],
    command: str | None,
    target: float | None = None,
) -> str:
    """Return the page; pictures are drawn once, for the page and as files."""
    results = analysis.in_grid_order(results)
    study = from_toml(results.attrs["spec"])
    lacking = what_text_lacks(study)
    grid = analysis.grid_of(results)
    found = _statements(results, study)
    lessons = [GRID_CAVEAT]
    if found:
        settled = sum(each.id == "ends_below" for each in found)
        lessons.append(orders_shown(settled, len(found)))
    tables = [cell_table(results), steps_table(results, target)]
    if _has_profiles(results):
        tables.append(profile_table(results))
    described = grid_captions(results)
    return render(
        title=grid_title(list(map(str, results["init"].values)), grid),
        question=grid_question(grid),
        headers=(),
        rows=(),
        lessons=lessons,
        pairs=[
            statement_sentence(each.id, each.evidence, each.at)
            for each in found[:_MOST_STATEMENTS]
        ]
        + _left_out(len(found), _MOST_STATEMENTS, "comparisons"),
        pictures={
            name: (*described[name], svg_of(figure))
            for name, figure in pictures.items()
        },
        notes=[*json.loads(results.attrs["notes"]), *lacking],
        facts=_facts(results, study),
        spec=results.attrs["spec"],
        command="" if lacking else command or "",
        python="" if lacking else _REPEAT,
        tables=[_shortened(table) for table in tables],
    )


def _statements(results: xr.Dataset, study: Study) -> list[analysis.Statement]:
    """Return what may be said, each init at its own best learning rate first."""
    found = analysis.statements(results, learning_rate=study.learning_rate)
    return sorted(found, key=lambda each: not each.best_rate)


def _shortened(table: PageTable) -> PageTable:
    more = _left_out(len(table.rows), _MOST_ROWS, "rows")
    about = " ".join([table.about, *more])
    return replace(table, about=about, rows=table.rows[:_MOST_ROWS])


def _left_out(count: int, most: int, what: str) -> list[str]:
    if count <= most:
        return []
    return [f"The first {most:,} of {count:,} {what} are listed."]


def _facts(results: xr.Dataset, study: Study) -> dict[str, str]:
    versions = json.loads(results.attrs["versions"])
    grid = {
        f"Grid, {name}": ", ".join(map(str, results[name].values.tolist()))
        for name in analysis.grid_of(results)
    }
    return grid | {
        "The same at every point": ", ".join(_fixed(results, study)),
        "Training": f"{study.steps:,} steps, losses recorded at "
        f"{results.sizes['step']} of them",
        "Members per init and point": str(results.sizes["member"]),
        "Seeds": f"{study.seeding}, seed {study.seed}",
        "Engine": str(results.attrs["engine"]),
        "Versions": ", ".join(f"{name} {v}" for name, v in versions.items()),
    }


def _fixed(results: xr.Dataset, study: Study) -> list[str]:
    """Return what the grid leaves alone, in words."""
    network = study.network
    units = "-".join(map(str, network.widths or network.hidden or ()))
    batch = f"batches of {study.batch_size}" if study.batch_size else "full batch"
    parts = {
        "widths": f"units {units}" if network.widths else "",
        "depth": f"depth {network.depth}" if network.depth else "",
        "width": f"width {network.width}" if network.width else "",
        "activation": f"activation {network.activation}",
        "batch_norm": "batch norm" if network.batch_norm else "",
        "problem": f"problem {grid_label(study.problem)}",
        "seed": f"data seed {study.problem.seed}",
        "loss": figures.loss_name(results).replace("_", " "),
        "optimizer": study.optimizer.replace("_", " "),
        "learning_rate": f"learning rate {study.learning_rate:g}",
        "batch_size": batch,
        "precision": study.precision,
    }
    return [
        text for name, text in parts.items() if text and name not in study.dimensions
    ]


def grid_captions(results: xr.Dataset) -> dict[str, tuple[str, str]]:
    """Return each picture's heading, and what is seen in it and how to read it."""
    members, points = results.sizes["member"], points_of(results)
    *_, panel_dims = figures.map_dims(results)
    maps = int(np.prod([results.sizes[dim] for dim in panel_dims]))
    curves = (
        f"Training loss against the step, one panel per point of the grid"
        f"{_of_panels(points)}. Lines: medians over {members} members, of "
        "which a diverged one counts as infinite; a line ends where its median does. "
    )
    axis = (
        f" Of the loss, the axis shows no more than {figures.GRID_CEILING:g} times the "
        "best constant guess's, and nothing under a tenth of the least median."
    )
    return {
        "loss_heatmaps": (
            "Where training ends",
            f"Median over {members} members of the final training loss, one panel per "
            f"init (and per value of further dimensions){_of_panels(maps)}, all on one "
            "logarithmic scale: light is low. Grey, div.: at least half of the members "
            "diverged. Intervals are in the table.",
        ),
        "grid_curves": (
            "How the loss fell, and how members differ",
            curves + "Shaded: the spread, from the 5 % to the 95 % quantile of the "
            "members, which says nothing of how well the median is known." + axis,
        ),
        "grid_medians": (
            "How well the medians are known",
            curves + "Shaded: the 95 % confidence interval of the median, each record "
            "on its own, which says nothing of how different members are." + axis,
        ),
        "performance_curves": (
            "How often an init is near the best",
            f"Share of the {members * points:,} runs ({members} members at each of "
            f"{points} points of the grid) that end within a factor of the least final "
            "training loss that any init has in that run; at 1, how often it is the "
            "best itself. A line that stays under 100 % has runs that are further "
            "away, or diverged. Shaded: 95 % confidence intervals (Wilson; "
            "the runs of a member count as one).",
        ),
    }


def _of_panels(panels: int) -> str:
    if panels <= figures.MOST_PANELS:
        return ""
    return f" (the first {figures.MOST_PANELS} of {panels:,})"


def points_of(results: xr.Dataset) -> int:
    """Return how many points the grid has."""
    return int(np.prod([results.sizes[dim] for dim in analysis.grid_of(results)]))


def grid_as_json(results: xr.Dataset) -> dict[str, Any]:
    """Return `spec`, the cells' statistics and statements as plain values."""
    study = from_toml(results.attrs["spec"])
    return finite(
        {
            "spec": to_dict(study),
            "results": grid_numbers(results),
            "steps_to_target": target_numbers(results),
            "profiles": profile_numbers(results) if _has_profiles(results) else [],
            "statements": [
                statement_sentence(each.id, each.evidence, each.at)
                for each in _statements(results, study)
            ],
            "engine": results.attrs["engine"],
            "versions": json.loads(results.attrs["versions"]),
            "notes": json.loads(results.attrs["notes"]),
        }
    )
