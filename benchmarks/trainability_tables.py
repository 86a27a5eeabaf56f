"""The tables of docs/trainability.md, from the rows of docs/trainability.json.

A network fails if its best accuracy over the learning rates is under one half; unless
said otherwise, its test accuracy, with the better of both optimizers. A predictor is
good if it is larger for networks that fail.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

OPTIMIZERS = {"gradient_descent": "gradient descent", "adam": "Adam"}
PREDICTORS = {
    "gradient_budget": "gradient budget",
    "log_chi_1": "L abs(ln chi_1)",
    "correlation_budget": "correlation budget",
    "gradient_ratio": "weight-gradient ratio, abs(ln)",
    "cosine": "mean cosine, last hidden layer",
    "activation_ratio": "activation ratio, abs(ln)",
    "initial_loss": "initial loss - ln 10",
}
# Of the gradient on its way back, where its budget is used up.
DIRECTIONS = {-1: "shrinks", 1: "grows"}
FAILS_UNDER = 0.5
BUDGETS = (0, 3, 6, 12, 24, np.inf)
LAYERS = (4, 8, 16, 32)
RESAMPLES = 2000

Numbers = np.ndarray


def rows_of(path: Path) -> pd.DataFrame:
    """Return one row per network, with best accuracies; what has no number is inf."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    rows = pd.DataFrame(kept["rows"], columns=kept["columns"])
    names = list(PREDICTORS)
    rows[names] = rows[names].astype(float).fillna(np.inf)
    for part in ("train", "test"):
        for name in OPTIMIZERS:
            tried = np.array(rows[f"{name}_{part}"].tolist(), dtype=float)
            # What diverged has learned nothing.
            rows[f"{name}_{part}"] = np.nan_to_num(tried).max(axis=1)
        rows[part] = rows[[f"{name}_{part}" for name in OPTIMIZERS]].max(axis=1)
    rows["layers"] = rows["widths"].map(len) + 1
    return rows


def fails(rows: pd.DataFrame, accuracy: str = "test") -> Numbers:
    """Return which networks fail by this accuracy: a column's name."""
    return (rows[accuracy] < FAILS_UNDER).to_numpy()


def subsets(rows: pd.DataFrame) -> dict[str, tuple[pd.DataFrame, Numbers]]:
    """Return the networks and outcomes that areas are reported for."""
    return {
        "all": (rows, fails(rows)),
        "without sigmoid": (
            (others := rows[rows["activation"] != "sigmoid"]),
            fails(others),
        ),
        "gradient descent": (rows, fails(rows, "gradient_descent_test")),
        "Adam": (rows, fails(rows, "adam_test")),
        "training accuracy": (rows, fails(rows, "train")),
    }


def area(failed: Numbers, predictor: pd.Series) -> float:
    """Return the area under the ROC curve: the chance that a failure is larger."""
    return float(roc_auc_score(failed, finite(predictor)))


def finite(predictor: pd.Series) -> Numbers:
    """Return the same order of networks, without inf, which scikit-learn refuses."""
    return stats.rankdata(predictor)


def area_interval(
    failed: Numbers, predictor: pd.Series, minus: pd.Series | None = None
) -> tuple[float, float]:
    """Return 95 % of bootstrap areas, failures and successes resampled apart.

    With `minus`, of the difference of two predictors' areas on the same resamples.
    """

    def areas(values: Numbers, bad: Numbers, good: Numbers) -> Numbers:
        found = stats.mannwhitneyu(
            values[bad], values[good], axis=-1, method="asymptotic"
        )
        return found.statistic / (bad.shape[-1] * good.shape[-1])

    one = finite(predictor)
    other = None if minus is None else finite(minus)

    def statistic(bad: Numbers, good: Numbers, axis: int) -> Numbers:
        assert axis == -1
        found = areas(one, bad, good)
        return found if other is None else found - areas(other, bad, good)

    interval = stats.bootstrap(
        (np.flatnonzero(failed), np.flatnonzero(~failed)), statistic,
        vectorized=True, axis=-1, n_resamples=RESAMPLES, method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return float(interval.low), float(interval.high)


def youden(failed: Numbers, predictor: pd.Series) -> float:
    """Return the threshold with the largest true- less false-positive rate.

    Networks at the threshold or above are flagged.
    """
    false_rate, true_rate, thresholds = roc_curve(
        failed, predictor.clip(upper=1e300), drop_intermediate=False
    )
    return float(thresholds[np.argmax(true_rate - false_rate)])


def rate(flagged: Numbers) -> str:
    """Return a share and its Clopper-Pearson interval."""
    if not len(flagged):
        return "-"
    found = stats.binomtest(int(flagged.sum()), len(flagged))
    low, high = found.proportion_ci()
    return f"{found.statistic:.2f} ({low:.2f}-{high:.2f})"


def areas_table(rows: pd.DataFrame) -> str:
    return areas_of(subsets(rows))


def directions_table(rows: pd.DataFrame) -> str:
    return areas_of(
        {
            f"the gradient {label}": (
                (some := rows[rows["budget_sign"] == sign]),
                fails(some),
            )
            for sign, label in DIRECTIONS.items()
        }
    )


def areas_of(cases: dict[str, tuple[pd.DataFrame, Numbers]]) -> str:
    lines = [
        [
            label,
            *(
                "{:.3f} ({:.3f}-{:.3f})".format(
                    area(failed, some[name]), *area_interval(failed, some[name])
                )
                for some, failed in cases.values()
            ),
        ]
        for name, label in PREDICTORS.items()
    ]
    counts = [f"{failed.sum()} of {len(failed)}" for _, failed in cases.values()]
    return table(["predictor", *cases], [["failed", *counts], *lines])


def differences_table(rows: pd.DataFrame) -> str:
    cases = subsets(rows)
    lines = []
    for name, label in list(PREDICTORS.items())[1:]:
        line = [label]
        for case in cases:
            some, failed = cases[case]
            budget, other = some["gradient_budget"], some[name]
            low, high = area_interval(failed, budget, minus=other)
            line.append(
                f"{area(failed, budget) - area(failed, other):+.3f} "
                f"({low:+.3f} to {high:+.3f})"
            )
        lines.append(line)
    return table(["area of the gradient budget, less that of", *cases], lines)


def thresholds_table(rows: pd.DataFrame) -> str:
    chosen, held = rows[~rows["held_out"]], rows[rows["held_out"]]
    failed = fails(held)
    lines = []
    for name, label in PREDICTORS.items():
        threshold = youden(fails(chosen), chosen[name])
        flagged = (held[name] >= threshold).to_numpy()
        lines.append(
            [label, f"{threshold:g}", rate(flagged[failed]), rate(flagged[~failed])]
        )
    return table(
        ["predictor", "threshold", "true-positive rate", "false-positive rate"], lines
    )


def fixed_thresholds_table(rows: pd.DataFrame) -> str:
    lines = []
    for name in ("log_chi_1", "gradient_budget"):
        for threshold in (6, 12):
            line = [f"{PREDICTORS[name]} over {threshold}"]
            for accuracy in ("test", "gradient_descent_test", "adam_test"):
                failed = fails(rows, accuracy)
                flagged = (rows[name] > threshold).to_numpy()
                line += [rate(flagged[failed]), rate(flagged[~failed])]
            lines.append(line)
    heads = [
        f"{who}, {what}"
        for who in ("either", *OPTIMIZERS.values())
        for what in ("true", "false")
    ]
    return table(["flagged if", *heads], lines)


def budgets_table(rows: pd.DataFrame) -> str:
    """How many fail, by the gradient budget and by where the gradient goes."""
    lines = []
    bins = pd.cut(rows["gradient_budget"], BUDGETS, include_lowest=True)
    for sign, label in DIRECTIONS.items():
        for interval, some in rows[rows["budget_sign"] == sign].groupby(
            bins, observed=True
        ):
            low, high = max(interval.left, 0), interval.right
            span = f"over {low:g}" if np.isinf(high) else f"{low:g}-{high:g}"
            lines.append([label, span, str(len(some)), *failed_shares(some)])
    heads = ["the gradient, on its way back", "gradient budget", "networks"]
    return table([*heads, *SHARES], lines)


SHARES = {
    "fail": "test",
    "with gradient descent": "gradient_descent_test",
    "with Adam": "adam_test",
    "in training accuracy": "train",
}


def failed_shares(rows: pd.DataFrame) -> list[str]:
    return [rate(fails(rows, accuracy)) for accuracy in SHARES.values()]


def who_trains_table(rows: pd.DataFrame) -> str:
    """Networks that learn, of how many: activations by phase."""
    phases = [phase for phase in ("ordered", "critical", "chaotic")
              if (rows["phase"] == phase).any()]  # fmt: skip
    lines = [
        [name, *(learned(some[some["phase"] == phase]) for phase in phases)]
        for name, some in rows.groupby("activation", sort=False)
    ]
    lines.append(["all", *(learned(rows[rows["phase"] == p]) for p in phases)])
    return table(["activation", *phases], lines)


def depths_table(rows: pd.DataFrame) -> str:
    """Networks that learn, of how many: phases by the number of layers."""
    spans = pd.cut(rows["layers"], LAYERS, include_lowest=True)
    names = ["4-8", "9-16", "17-32"]
    lines = [
        [phase, *(learned(some[spans[some.index] == s]) for s in spans.cat.categories)]
        for phase, some in rows.groupby("phase", sort=False)
    ]
    return table(["phase", *(f"{name} layers" for name in names)], lines)


def learned(rows: pd.DataFrame) -> str:
    return f"{(~fails(rows)).sum()} of {len(rows)}" if len(rows) else "-"


def table(heads: Iterable[str], lines: Sequence[Sequence[Any]]) -> str:
    heads = list(heads)
    return "\n".join(
        "| " + " | ".join(map(str, line)) + " |"
        for line in (heads, *lines)
    ).replace("\n", "\n|" + "---|" * len(heads) + "\n", 1)  # fmt: skip


TABLES = {
    "Who learns, by activation": who_trains_table,
    "Who learns, by depth": depths_table,
    "Areas": areas_table,
    "Areas by direction": directions_table,
    "Differences": differences_table,
    "Thresholds": thresholds_table,
    "Thresholds of the small study": fixed_thresholds_table,
    "Failures by budget": budgets_table,
}


def all_tables(path: Path) -> str:
    """Return every table under its name."""
    rows = rows_of(path)
    return "\n\n".join(f"{name}\n\n{make(rows)}" for name, make in TABLES.items())
