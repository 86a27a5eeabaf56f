"""Which of many random networks learn, and what of it shows before training.

Draws networks, measures them as they start, trains each from its own weights with both
optimizers at several learning rates, and writes one row per network to
docs/trainability.json; then the picture, and the tables of docs/trainability.md. With
`--tables`, only these, from the rows that are there. A quarter of an hour on one core.
"""

import json
import math
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress, TimeElapsedColumn
from threadpoolctl import threadpool_limits
from trainability_picture import draw_picture
from trainability_tables import all_tables

import initlab as il
from initlab import engine, problems, theory
from initlab.engine import Examples, Weights
from initlab.engine._signals import SignalMeter, input_cosine
from initlab.spec import ACTIVATION_NAMES

DOCS = Path(__file__).parent.parent / "docs"
ROWS = DOCS / "trainability.json"

SEED = 2026
NETWORKS = 54 * len(ACTIVATION_NAMES)
LAYERS, WIDTHS = (4, 32), (20, 90)
WEIGHT_VARIANCES, BIAS_VARIANCES = (0.3, 6.0), (0.01, 0.3)
PROBLEM = il.Problem(name="digits", examples=512, test_fraction=0.4, standardize=True)
CLASSES = 10
STEPS, BATCH = 200, 64
RATES = {
    "gradient_descent": (0.003, 0.03, 0.3),
    "adam": (0.0003, 0.002, 0.01),
}


def main() -> None:
    if "--tables" not in sys.argv[1:]:
        with threadpool_limits(1, user_api="blas"):
            write(every_row())
    draw_picture(ROWS, DOCS / "pictures" / "trainability.png")
    print(all_tables(ROWS))


def every_row() -> list[dict[str, Any]]:
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn()) as progress:
        return [
            row_of(number)
            for number in progress.track(range(NETWORKS), description="networks")
        ]


@cache
def digits() -> Examples:
    """Return scikit-learn's digits, with a column per class."""
    data = problems.load(PROBLEM)
    return Examples(
        train_x=data.train_x,
        train_y=np.eye(CLASSES)[data.train_y],
        test_x=data.test_x,
        test_y=np.eye(CLASSES)[data.test_y],
        is_classification=True,
    )


def row_of(number: int) -> dict[str, Any]:
    """Draw a network, measure it, and train it with every optimizer and rate."""
    row = described(number)
    weights = drawn(row)
    row |= predicted(row) | measured(row, weights)
    for optimizer in RATES:
        row[f"{optimizer}_train"], row[f"{optimizer}_test"] = accuracies(
            row, weights, optimizer
        )
    return row


def described(number: int) -> dict[str, Any]:
    """Draw a network's shape and variances; activations take turns.

    Half of the networks have one width, half have biases, half are held out.
    """
    rng = il.stream(SEED, "shape", number)
    layers = round(log_uniform(rng, *LAYERS))
    widths = [round(log_uniform(rng, *WIDTHS)) for _ in range(layers - 1)]
    if rng.random() < 0.5:
        widths = widths[:1] * len(widths)
    weight, bias = (log_uniform(rng, *v) for v in (WEIGHT_VARIANCES, BIAS_VARIANCES))
    halves = il.stream(SEED, "halves").permutation(NETWORKS)
    return {
        "network": number,
        "held_out": bool(halves[number] % 2),
        "activation": ACTIVATION_NAMES[number % len(ACTIVATION_NAMES)],
        "widths": widths,
        "weight_variance": rounded(weight),
        "bias_variance": rounded(bias) if rng.random() < 0.5 else 0.0,
    }


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def rounded(value: float, digits: int = 5) -> float | None:
    """Return so many digits; None for what JSON has no number for."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def all_widths(row: dict[str, Any]) -> tuple[int, ...]:
    return (digits().train_x.shape[1], *row["widths"], CLASSES)


def drawn(row: dict[str, Any]) -> Weights:
    """Draw a row's weights and biases, both normal."""

    def source(tensor: str) -> np.random.Generator:
        return il.stream(SEED, "weights", row["network"], tensor)

    init = il.inits.lecun_normal(scale=math.sqrt(row["weight_variance"]))
    deviation = math.sqrt(row["bias_variance"])
    return [
        (
            il.draw(init, (fan_out, fan_in), rng=source(f"W{layer}")),
            deviation * source(f"b{layer}").standard_normal(fan_out),
        )
        for layer, (fan_in, fan_out) in enumerate(pairwise(all_widths(row)), start=1)
    ]


def predicted(row: dict[str, Any]) -> dict[str, Any]:
    """Return what theory says of a network from its shape and variances alone."""
    activation, layers = row["activation"], len(row["widths"]) + 1
    weights, biases = row["weight_variance"], row["bias_variance"]
    q = theory.layer_variances(
        activation,
        weight_variances=[weights] * layers,
        bias_variances=biases,
        input_second_moment=float((digits().train_x ** 2).mean()),
    )
    chi = theory.backward_factors(
        activation, weight_variances=[weights] * layers, variances=q
    )
    budget = theory.gradient_budget(chi)
    deep = theory.mean_field(
        activation, weight_variance=weights, bias_variance=biases, start=float(q[0])
    )
    return {
        "phase": deep.phase,
        "budget_sign": budget.sign,
        "gradient_budget": rounded(budget.largest),
        "log_chi_1": rounded(layers * abs(logarithm(deep.chi_1))),
        "correlation_budget": rounded(
            theory.correlation_budget(
                activation,
                weight_variances=[weights] * layers,
                variances=q,
                bias_variances=biases,
            )
        ),
    }


def logarithm(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def measured(row: dict[str, Any], weights: Weights) -> dict[str, Any]:
    """Return what one pass forward and back shows, of the loss's own gradient."""
    examples = digits()
    study = study_of(row, "adam")
    loss = engine.LOSSES["softmax_cross_entropy"]
    logits = engine.starting_outputs(study, weights, examples.train_x)[-1]
    meter = SignalMeter(study.network, examples.train_x, "float64")
    signals = meter.measure(weights, loss.gradient(logits, examples.train_y))
    activation, gradient = signals.activation_rms, signals.gradient_norm
    return {
        # Of hidden layers: the outputs have no activation.
        "activation_ratio": log_ratio(activation[-2], activation[0]),
        "gradient_ratio": log_ratio(gradient[0], gradient[-1]),
        # What is left to 1 is what tells networks apart.
        "cosine": rounded(signals.cosine[-2], digits=12),
        "initial_loss": rounded(
            loss.value(logits, examples.train_y) - math.log(CLASSES)
        ),
    }


def log_ratio(one: float, other: float) -> float | None:
    """Return |ln of the ratio|: as large for 1/1000 as for 1000; None for no signal."""
    return rounded(abs(math.log(one / other))) if one > 0 and other > 0 else None


def study_of(row: dict[str, Any], optimizer: str) -> il.Study:
    return il.Study(
        network=il.MLP(widths=all_widths(row), activation=row["activation"]),
        loss="softmax_cross_entropy",
        optimizer=optimizer,
        precision="float32",
        batch_size=BATCH,
        steps=STEPS,
        record_every=STEPS,
        seed=SEED,
    )


def accuracies(
    row: dict[str, Any], weights: Weights, optimizer: str
) -> tuple[list[float | None], list[float | None]]:
    """Return training and test accuracy after the last step, one per learning rate.

    None where the training diverged.
    """
    study, rates = study_of(row, optimizer), RATES[optimizer]
    histories = engine.train_ensemble(
        study,
        [weights] * len(rates),
        digits(),
        engine=engine.quickest(study, len(rates), len(digits().train_x)),
        rates=rates,
        threads=1,
    )
    return (
        [rounded(history.train_score[-1]) for history in histories],
        [rounded(history.test_score[-1]) for history in histories],
    )


def write(rows: list[dict[str, Any]]) -> None:
    """Write a line per network, so that a change shows as what it is."""
    about = {
        "input_cosine": rounded(input_cosine(digits().train_x)),
        "steps": STEPS,
        "rates": RATES,
        "versions": {"initlab": il.__version__, "numpy": np.__version__},
    }
    lines = ",\n".join(json.dumps(list(row.values())) for row in rows)
    ROWS.write_text(
        f'{{"about": {json.dumps(about)},\n"columns": {json.dumps(list(rows[0]))},\n'
        f'"rows": [\n{lines}\n]}}\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
