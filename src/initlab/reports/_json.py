"""The comparison for machines: plain values, null for what is not finite."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from initlab import analysis
from initlab.analysis import Cause, Comparison, Row
from initlab.messages import cause_sentence
from initlab.spec import Study, from_toml, to_dict

# The lesson prints every thousandth cost; records in between make smooth curves.
PRINTED_EVERY = 1000


def printed_records(study: Study) -> list[int]:
    """Return which records are listed: steps 0, 1000, ..., and the last.

    Where the study says how often to record, all records are listed.
    """
    return _printed(study, study.recorded_steps)


def _printed(study: Study, steps: Sequence[int]) -> list[int]:
    return [
        record
        for record, step in enumerate(steps)
        if study.record_every or step % PRINTED_EVERY == 0 or step == steps[-1]
    ]


def as_json(results: xr.Dataset) -> dict[str, Any]:
    """Return `spec` and `results`, one entry per init, as plain values.

    Losses are medians over members where there are several; each member's own are
    under `members`. A selection has entries for what was selected, under their original
    numbers.
    """
    results = analysis.selected(results)
    study = from_toml(results.attrs["spec"])
    comparison = analysis.compare(results)
    return finite(
        {
            "spec": to_dict(study),
            "results": [
                _entry(results, study, comparison, i, row)
                for i, row in enumerate(comparison.rows)
            ],
            "pairs": [
                {
                    "first": pair.first,
                    "second": pair.second,
                    "quantity": pair.quantity,
                    "first_below_second": pair.below,
                    "ties": pair.ties,
                    "member_count": pair.members,
                    "interval_95": pair.interval,
                }
                for pair in comparison.pairs
            ],
            "engine": results.attrs["engine"],
            "versions": json.loads(results.attrs["versions"]),
            "notes": json.loads(results.attrs["notes"]),
        }
    )


def _entry(
    results: xr.Dataset, study: Study, comparison: Comparison, i: int, row: Row
) -> dict[str, Any]:
    steps = results["step"].values.tolist()
    records = _printed(study, steps)
    losses = results["loss"].values[i][:, records]
    # A diverged member is worse than any loss, so that medians stay honest.
    ranked = np.where(np.isnan(losses), np.inf, losses)
    score = comparison.score
    cause, count = row.cause_counts[0]
    entry: dict[str, Any] = {
        "init": row.init,
        "member_count": comparison.members,
        "steps": [steps[record] for record in records],
        "losses": np.median(ranked, axis=0).tolist(),
        "first_loss": row.first_loss.median,
        "final_loss": row.final_loss.median,
        f"train_{score}": row.train_score.median,
        f"test_{score}": row.test_score.median,
        "diverged_count": row.diverged,
        **_cause(cause),
    }
    if score != "accuracy":
        entry |= {"train_accuracy": None, "test_accuracy": None}
    if comparison.members == 1:
        return entry
    finals = {
        "final_loss": row.final_loss,
        f"train_{score}": row.train_score,
        f"test_{score}": row.test_score,
    }
    return entry | {
        "spread_5_95": {name: summary.spread for name, summary in finals.items()},
        "interval_95": {name: summary.interval for name, summary in finals.items()},
        "cause_count": count,
        "cause_counts": {cause.id: count for cause, count in row.cause_counts},
        "members": [
            {
                "member": label,
                "losses": losses[member].tolist(),
                "final_loss": float(losses[member, -1]),
                f"train_{score}": _final(results, f"train_{score}", i, member),
                f"test_{score}": _final(results, f"test_{score}", i, member),
                "diverged_step": int(results["diverged_step"].values[i, member]),
                **_cause(row.causes[member]),
            }
            for member, label in enumerate(row.members)
        ],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "cause": cause.id,
        "evidence": cause.evidence,
        "what_happened": cause_sentence(cause.id, cause.evidence),
    }


def _final(results: xr.Dataset, name: str, i: int, member: int) -> float:
    return float(results[name].values[i, member, -1])


def finite(value: Any) -> Any:
    """Return the value with null for every number that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
