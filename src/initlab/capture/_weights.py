"""What a weight's entries say before anything runs: scale, copies, gates."""

import math

import torch
from torch import Tensor

from initlab.capture._moments import (
    column_norms,
    copies,
    equal_rows,
    moments,
    row_norms,
)
from initlab.capture._radii import circular_law, spectral_radius
from initlab.capture._records import UseRecord

# Below this size, rows are parallel by chance or design, as filters of a few taps.
_FEWEST_ENTRIES = 8
# Of so many rows of fewer entries, none are by chance.
_FEWEST_OF_MANY, _MANY = 4, 32
# The second gate of an LSTM (input, forget, cell, output) and of a GRU (reset, update,
# new) says how much of the state is kept.
_ROUNDING = 1e-5
_GATED, _FORGET, _CANDIDATE = (3, 4), 1, 2


def weigh(
    record: UseRecord,
    *,
    is_recurrent: bool,
    is_gated: bool = False,
    is_joined: bool = False,
) -> list[list[int]]:
    """Measure a weight into its record, and return its groups of equal units.

    Args:
        record: Of the use.
        is_recurrent: Whether the weight is given its own output, in a loop by hand.
        is_gated: Whether that passes gates.
        is_joined: Whether its own output is a part of what it is given.
    """
    rows, found = record.rows, record.values
    real = rows if rows.dtype in (torch.float32, torch.float64) else rows.float()
    of_all = moments(real)
    found["weight_norm"] = of_all.rms * math.sqrt(real.numel())
    found["weight_mean"], found["weight_std"] = of_all.mean, of_all.std
    low, high = (float(end) for end in real.aminmax())
    found["weight_largest"] = max(abs(low), abs(high))
    found["constant_weight"] = float(low == high)
    norms, columns = row_norms(real), column_norms(real)
    zeros = len(norms) - int(torch.count_nonzero(norms))
    found["zero_units"] = found["silent_units"] = float(zeros)
    found["zero_inputs"] = 0.0
    if not bool(columns.all()):
        unheard = real[:, columns == 0]
        found["zero_inputs"] = float((unheard == 0).all(dim=0).sum())
    found["row_spread"], found["column_spread"] = _spread(norms), _spread(columns)
    bias = record.bias_value
    found["bias_rms"] = 0.0
    if bias is not None:
        values = bias.detach().float().flatten()
        of_bias = moments(values)
        found["bias_rms"] = of_bias.rms
        found["bias_mean"], found["bias_std"] = of_bias.mean, of_bias.std
        if zeros and len(values) == len(norms):
            found["silent_units"] = float(((norms == 0) & (values == 0)).sum())
    found["units"] = float(record.units)
    found["parallel_units"] = 0.0 if record.parts > 1 else _parallel(real, norms)
    parts = record.layer.packed
    if parts > 1 and len(real) % parts == 0:
        stds = real.reshape(parts, -1).std(dim=1, unbiased=False)
        found["largest_part_std"] = float(stds.max())
        found["smallest_part_std"] = float(stds.min())
    groups = [] if _is_given(record) else _equal_units(real, bias)
    groups = _among_rivals(groups, record)
    found["rivals"] = record.units / record.parts
    found["distinct_units"] = float(record.units - copies(groups))
    if record.layer.kind == "embedding":
        found["distinct_rows"] = float(len(real) - copies(groups))
        found["indicates"] = float(bool(((real == 0) | (real == 1)).all()))
    if record.role == "recurrent" or is_recurrent:
        found["spectral_radius"] = spectral_radius(real, parts)
    elif is_gated:
        found["gated_radius"] = spectral_radius(real, len(real) // real.shape[1])
    elif is_joined:
        found["gated_radius"] = circular_law(real, min(real.shape))
    if record.role and parts in _GATED and bias is not None:
        by_gate = bias.detach().float().reshape(parts, -1)
        gates = by_gate.mean(dim=1)
        found["candidate_bias"] = float(by_gate[_CANDIDATE].square().mean().sqrt())
        found["forget_bias"] = float(gates[_FORGET])
        # What is kept by a GRU's second gate is not written; an LSTM has a gate before
        # its state and one behind it.
        lstm = parts == _GATED[1]
        found["write_bias"] = float(
            torch.minimum(gates[0], gates[3]) if lstm else -gates[_FORGET]
        )
    return groups


def equal_outgoing(groups: list[list[int]], units: int, above: Tensor) -> int:
    """Return how many copied units also have equal outgoing weights.

    Args:
        groups: Of units with equal incoming weights.
        units: In their layer.
        above: The next layer's weight, `(unit, incoming)`.
    """
    columns = above.shape[1]
    if columns % units:
        return 0
    outgoing = above.T.reshape(units, -1)
    return sum(
        copies(
            [[group[place] for place in same] for same in equal_rows(outgoing[group])]
        )
        for group in groups
    )


def _is_given(record: UseRecord) -> bool:
    # A depthwise filter has so few entries that equal ones are often a design.
    return record.layer.kind == "embedding" and record.layer.shape[0] > 100_000


def _equal_units(rows: Tensor, bias: Tensor | None) -> list[list[int]]:
    """Return groups of units with equal weights and biases, none of them zero.

    Weights first: beside a bias of 1, any of 1e-6 would be equal.
    """
    groups = equal_rows(rows)
    if bias is None or bias.numel() != len(rows):
        return groups
    column = bias.detach().to(rows.dtype).reshape(-1, 1)
    return [
        [group[place] for place in same]
        for group in groups
        for same in equal_rows(torch.cat([rows[group], column[group]], dim=1))
    ]


def _among_rivals(groups: list[list[int]], record: UseRecord) -> list[list[int]]:
    """Return groups of equal units without those that differ by their surroundings.

    Units of different parts have inputs of their own. What a pixel shuffle lays side by
    side may start alike, so that a picture does: of a run one is left.
    """
    size = max(1, len(record.rows) // record.parts)
    run = max(1, int(record.values.get("shuffled", 1)))
    found: dict[tuple[int, int], dict[int, int]] = {}
    for number, group in enumerate(groups):
        for unit in group:
            found.setdefault((number, unit // size), {}).setdefault(unit // run, unit)
    return [list(units.values()) for units in found.values() if len(units) > 1]


def _parallel(rows: Tensor, norms: Tensor) -> float:
    """Return how many rows, all of them or none, are multiples of the first."""
    few, many = sorted(rows.shape)
    known = few >= _FEWEST_ENTRIES or (few >= _FEWEST_OF_MANY and many >= _MANY)
    if not known or not bool(norms.all()):
        return 0.0
    along = rows @ (rows[0] / norms[0])
    if not float((along.abs() / norms).amin()) > 1 - _ROUNDING:
        return 0.0
    # Copies with a little noise have a cosine of 1 as well.
    across = rows - along[:, None] * (rows[0] / norms[0])
    share = torch.linalg.vector_norm(across, dim=1) / norms
    return float(len(rows)) if float(share.amax()) < _ROUNDING else 0.0


def _spread(norms: Tensor) -> float:
    found = moments(norms)
    return found.std / found.mean if found.mean else 0.0
