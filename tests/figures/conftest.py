"""Results that no network made: small, known to the last digit."""

import numpy as np
import pytest

from initlab.results import pack
from initlab.spec import MLP, Study, to_toml

STEPS = (0, 5000, 10000, 15000)


def synthetic(
    labels=("zeros", "normal(std=10)", "he_normal"),
    *,
    members=1,
    layers=3,
    classes=("no", "yes"),
    outputs=1,
    loss="binary_cross_entropy",
    first_losses=None,
    diverged=(),
    grid=True,
):
    """Return a dataset; `diverged` lists (init, member) that end after record 1."""
    inits, records = len(labels), len(STEPS)
    rng = np.random.default_rng(0)
    first = np.array(first_losses or [0.7, 1773.0, 0.9] * inits)[:inits]
    decay = np.array([1.0, 0.1, 0.03, 0.01]) ** np.linspace(0.0, 1.0, inits)[:, None]
    trace = first[:, None, None] * decay[:, None]
    trace = trace * rng.uniform(0.5, 1.5, (inits, members, 1))
    diverged_step = np.full((inits, members), -1)
    for init, member in diverged:
        trace[init, member, 2:] = np.nan
        diverged_step[init, member] = 7001
    score = "accuracy" if classes else "r2"
    per_layer = np.broadcast_to(
        np.geomspace(1.0, 1e-3, layers), (inits, members, records, layers)
    ).copy()
    per_layer[0] = 0
    low = np.linspace(-1, 1, 5)
    density = np.broadcast_to([0.1, 0.2, 0.3, 0.4], (inits, 2, layers, 4)).copy()
    edges = np.broadcast_to(low, (inits, 2, layers, 5)).copy()
    variables = {
        "loss": trace,
        f"train_{score}": np.full(trace.shape, 0.75),
        f"test_{score}": np.full(trace.shape, 0.86),
        "diverged_step": diverged_step,
        "activation_rms": per_layer,
        "gradient_norm": per_layer * 7,
        "baseline_loss": np.log(2),
        "units": np.array([4] * (layers - 1) + [outputs]),
        "activation_density": density,
        "activation_edge": edges,
    }
    axes = {}
    if grid:
        axis = np.linspace(-2, 2, 9)
        slope = (axis[None, :] + 0.1 * axis[:, None] + 2.2) / 4.4
        value = slope if outputs == 1 else np.round(slope * (outputs - 1))
        variables["grid_output"] = np.broadcast_to(value, (inits, 9, 9)).copy()
        axes = {"grid_x": axis, "grid_y": axis}
        variables["train_x"] = rng.uniform(-1, 1, (12, 2))
        variables["train_y"] = np.arange(12) % max(2, len(classes))
    study = Study(
        network=MLP(widths=(2, *[4] * (layers - 1), outputs)),
        members=members,
        loss=loss,
    )
    return pack(
        variables,
        coordinates={
            "init": labels,
            "member": range(members),
            "step": STEPS,
            "layer": range(1, layers + 1),
            "stage": ("before", "after"),
            **axes,
        },
        spec=to_toml(study),
        attributes={
            "classes": list(classes),
            "feature_names": ["across", "up"],
            "notes": [],
        },
    )


@pytest.fixture
def results_of():
    return synthetic
