"""docs/trainability.md: its numbers follow from its rows, its rows from training."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

ROOT = Path(__file__).parents[2]
ROWS = ROOT / "docs/trainability.json"
PAGE = (ROOT / "docs/trainability.md").read_text(encoding="utf-8")
KEPT = json.loads(ROWS.read_text(encoding="utf-8"))
NETWORKS = [dict(zip(KEPT["columns"], row, strict=True)) for row in KEPT["rows"]]
OPTIMIZERS = ("gradient_descent", "adam")


@pytest.fixture(scope="module", autouse=True)
def _benchmarks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        yield


def published(table, predictor):
    """Return a row's cells, of the table whose second heading this is."""
    lines = PAGE.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(table))
    rows = (line.strip("| ").split(" | ") for line in lines[start:])
    return next(row[1:] for row in rows if row[0] == predictor)


def best(network, optimizers=OPTIMIZERS):
    """Return the best test accuracy; what diverged has none."""
    tried = [each for name in optimizers for each in network[f"{name}_test"]]
    return max(0.0 if each is None else each for each in tried)


def values(name, networks):
    found = [network[name] for network in networks]
    return np.array([1e300 if each is None else each for each in found])


PREDICTORS = {
    "gradient_budget": "gradient budget",
    "log_chi_1": "L abs(ln chi_1)",
    "correlation_budget": "correlation budget",
    "gradient_ratio": "weight-gradient ratio, abs(ln)",
    "cosine": "mean cosine, last hidden layer",
    "activation_ratio": "activation ratio, abs(ln)",
    "initial_loss": "initial loss - ln 10",
}
every_predictor = pytest.mark.parametrize(("name", "label"), PREDICTORS.items())


@every_predictor
def test_published_areas_are_those_of_the_rows(name, label):
    failed = [best(network) < 0.5 for network in NETWORKS]

    area = roc_auc_score(failed, values(name, NETWORKS))

    assert published("| predictor | all |", label)[0].split()[0] == f"{area:.3f}"


@every_predictor
def test_held_out_rates_are_those_of_the_rows(name, label):
    held = [network for network in NETWORKS if network["held_out"]]
    failed = np.array([best(network) < 0.5 for network in held])

    threshold, true_rate, false_rate = published("| predictor | threshold |", label)

    flagged = values(name, held) >= float(threshold)
    assert true_rate.split()[0] == f"{flagged[failed].mean():.2f}"
    assert false_rate.split()[0] == f"{flagged[~failed].mean():.2f}"


@pytest.mark.slow
def test_every_table_is_what_the_rows_give():
    import trainability_tables

    rows = trainability_tables.rows_of(ROWS)

    for name, make in trainability_tables.TABLES.items():
        assert make(rows) in PAGE, name


def test_no_network_over_the_threshold_learned_by_gradient_descent():
    over = [network for network in NETWORKS if network["gradient_budget"] > 12]

    learned = {
        name: sum(best(network, [name]) >= 0.5 for network in over)
        for name in OPTIMIZERS
    }

    assert (len(over), learned) == (196, {"gradient_descent": 0, "adam": 88})
    assert "All 196 networks with a budget over\n  12 failed" in PAGE
    assert "Of the same 196 networks 88 learned" in PAGE


# Budgets of 4.8, 46 and 14; 4, 13 and 15 layers.
@pytest.mark.slow
@pytest.mark.parametrize(("number", "learns"), [(13, True), (15, False), (325, False)])
def test_a_network_trained_again_does_as_its_row_says(number, learns):
    import trainability

    row = NETWORKS[number]

    again = trainability.row_of(number)

    assert list(again) == list(row)
    for name in ("activation", "widths", "gradient_budget", "held_out"):
        assert again[name] == row[name]
    for name in ("cosine", "gradient_ratio"):  # kept with five digits
        assert again[name] == pytest.approx(row[name], rel=1e-4)
    assert [best(each) >= 0.5 for each in (row, again)] == [learns, learns]
