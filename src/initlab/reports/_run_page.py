"""A trained study as one self-contained HTML page."""

import json

import xarray as xr
from matplotlib.figure import Figure

from initlab.messages import (
    ASK_MORE_MEMBERS,
    PAIRED_CAVEAT,
    question_of,
    title_of,
)
from initlab.reports._html import render
from initlab.reports._number_tables import steps_table
from initlab.reports._pictures import captions, svg_of
from initlab.reports._repeat import what_text_lacks
from initlab.reports._table import compare
from initlab.spec import Study, from_toml

_REPEAT = """\
import initlab as il
from pathlib import Path

# study.toml holds the study below
study = il.from_toml(Path("study.toml").read_text())
results = il.run(study)
print(il.compare(results))
"""


def run_page(
    results: xr.Dataset,
    pictures: dict[str, Figure],
    command: str | None,
    target: float | None = None,
) -> str:
    """Return the page; pictures are drawn once, for the page and as files."""
    study = from_toml(results.attrs["spec"])
    lacking = what_text_lacks(study)
    table = compare(results)
    described = captions(results)
    members = results.sizes["member"]
    timed = members > 1 or target is not None
    return render(
        title=title_of(study.problem.name),
        question=question_of(
            study.problem.name, list(map(str, results["init"].values))
        ),
        headers=table.headers,
        rows=table.rows,
        lessons=[ASK_MORE_MEMBERS if members == 1 else PAIRED_CAVEAT],
        pairs=table.pairs,
        pictures={
            name: (*described[name], svg_of(figure))
            for name, figure in pictures.items()
        },
        notes=[*json.loads(results.attrs["notes"]), *lacking],
        facts=_facts(results, study),
        spec=results.attrs["spec"],
        command=command or "",
        python="" if lacking else _REPEAT,
        tables=[steps_table(results, target)] if timed else [],
    )


def _facts(results: xr.Dataset, study: Study) -> dict[str, str]:
    """Return how the numbers were made, as label and text."""
    widths = "-".join(str(units) for units in study.network.widths or ())
    norm = ", batch norm" if study.network.batch_norm else ""
    batch = f"batches of {study.batch_size}" if study.batch_size else "full batch"
    versions = json.loads(results.attrs["versions"])
    seeds = f"{study.seeding}, seed {study.seed}"
    if study.seeding == "legacy" and study.members > 1:
        seeds += f" to {study.seed + study.members - 1}, one per member"
    return {
        "Network": f"{widths}, {study.network.activation}{norm}",
        "Data": f"{study.problem.name}: {results.attrs['train_examples']} training, "
        f"{results.attrs['test_examples']} test examples (data seed "
        f"{study.problem.seed})",
        "Training": f"{study.optimizer}, learning rate {study.learning_rate:g}, "
        f"{batch}, {study.steps:,} steps, {study.loss}",
        "Members per init": str(results.sizes["member"]),
        "Seeds": seeds,
        "Engine": str(results.attrs["engine"]),
        "Versions": ", ".join(f"{name} {v}" for name, v in versions.items()),
    }
