"""What a study will do, before it does anything: cells, shards, arrays, sizes."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab import engine as engines
from initlab import results
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import Study, dimension, grid_label, shortened, to_dict
from initlab.study._cells import ReadyCell, data_digests, ready_cells
from initlab.study._pictures import HISTOGRAM_BINS, picture_axes
from initlab.study._start import Given
from initlab.study._versions import versions
from initlab.study._work import SUMMARIES

AUTO = "auto"
# What a shard's numbers do not depend on.
_ELSEWHERE = ("inits", "members", "grid", "record", "shard_members")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Some members of one init in one cell, trained and stored together.

    Attributes:
        cell: Number of its cell.
        place: Where it is in the dataset.
        first, stop: Its members; an extended one lacks those that are there.
    """

    cell: int
    place: results.Place
    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    def without(self, first: int) -> "Shard":
        """Return the shard from this member on."""
        return dataclasses.replace(self, first=first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A study that is ready to run.

    Attributes:
        study: As it is recorded.
        cells: Ready to train.
        engine: The one that trains all of it.
        layout: Of its dataset.
    """

    study: Study
    cells: tuple[ReadyCell, ...]
    engine: str
    layout: results.Layout

    def shards(self) -> Iterator[Shard]:
        """Yield all shards, cell by cell."""
        size, members = self.study.shard_members, self.study.members
        for number, cell in enumerate(self.cells):
            for init in range(len(self.study.inits)):
                for block in range(self.layout.blocks):
                    place = results.Place(cell=cell.index, init=init, block=block)
                    first = block * size
                    stop = min(first + size, members)
                    yield Shard(cell=number, place=place, first=first, stop=stop)

    def identity(self, shard: Shard) -> float:
        """Return a fingerprint of what decides a shard's numbers, but for its size."""
        spec = to_dict(self.cells[shard.cell].study)
        kept = {name: each for name, each in spec.items() if name not in _ELSEWHERE}
        init = to_dict(self.study.inits[shard.place.init])
        return results.identity_of(
            kept, init, shard.place.block * self.study.shard_members, self.engine
        )

    def attributes(self) -> dict[str, Any]:
        """Return what else the dataset says of how its numbers were made."""
        first = self.cells[0].data
        sizes = {(len(c.data.train_x), len(c.data.test_x)) for c in self.cells}
        counts: dict[str, Any] = {}
        if len(sizes) == 1:
            counts = {
                "train_examples": len(first.train_x),
                "test_examples": len(first.test_x),
            }
        alike = all(cell.data is first for cell in self.cells)
        losses = {cell.study.loss for cell in self.cells}
        return {
            # Problems of a grid may differ in it.
            "loss": str(losses.pop()) if len(losses) == 1 else "",
            "kind": "grid" if self.study.grid else "run",
            "engine": self.engine,
            "versions": versions(self.engine),
            "data": data_digests(self.cells),
            "classes": list(first.classes or ()) if alike else [],
            "feature_names": list(first.feature_names) if alike else [],
            "notes": list(dict.fromkeys(n for c in self.cells for n in c.data.notes)),
            **counts,
        }


def planned(study: Study, given: Given, engine: str) -> Plan:
    """Return what the study will do.

    Raises:
        InvalidValueError: If something in it does not fit the data.
        UnknownNameError: If there is no such engine.
    """
    refuse_unknown_engine(engine)
    study, cells = ready_cells(study, given)
    if engine == AUTO:
        engine = _quickest(study, cells)
    if engine == "reference":
        for cell in cells:
            engines.refuse_for_reference(cell.study.precision)
    return Plan(
        study=study,
        cells=cells,
        engine=engine,
        layout=_layout(study, cells),
    )


def refuse_unknown_engine(engine: str) -> None:
    """Make sure that there is such an engine.

    Raises:
        UnknownNameError: If there is none.
    """
    if not isinstance(engine, str):
        raise InvalidValueError(
            f"must be one of {', '.join((AUTO, *engines.ENGINES))}, "
            f"got {shortened(engine)}",
            argument="engine",
        )
    if engine not in (AUTO, *engines.ENGINES):
        raise UnknownNameError("engine", engine, (AUTO, *engines.ENGINES))


def _quickest(study: Study, cells: tuple[ReadyCell, ...]) -> str:
    """Return the engine that most of the work is quickest on."""
    networks = len(study.inits) * study.members
    if len(cells) == 1:
        examples = len(cells[0].examples.train_x)
        return engines.quickest(cells[0].study, networks, examples)
    lanes = wide = 0.0
    for cell in cells:
        batch = cell.study.batch_size or len(cell.examples.train_x)
        cost = engines.step_cost(cell.study.network, batch, cell.study.precision)
        lanes += -(-networks // cost.group) * cost.lanes
        wide += networks * cost.wide
    return "lanes" if lanes <= wide else "wide"


def _layout(study: Study, cells: tuple[ReadyCell, ...]) -> results.Layout:
    grid = {
        dimension(name): [grid_label(value) for value in values]
        for name, values in (study.grid or {}).items()
    }
    layers = max(cell.study.network.layers for cell in cells)
    coordinates: dict[str, Any] = {
        **grid,
        "init": [init.label for init in study.inits],
        "member": np.arange(study.members),
        "step": np.array(study.recorded_steps),
        "layer": np.arange(1, layers + 1),
        "stage": ("before", "after"),
    }
    kinds = {_score(cell) for cell in cells}
    recorded = {"loss": "float64", "diverged_step": "int64"}
    if study.stop_at_loss is not None:
        recorded["stopped_step"] = "int64"
    if "scores" in study.recorded:
        names = [f"{part}_{kind}" for kind in kinds for part in ("train", "test")]
        recorded |= dict.fromkeys(sorted(names), "float64")
    if "layers" in study.recorded:
        recorded |= dict.fromkeys(SUMMARIES, "float64")
    if "weights" in study.recorded:
        recorded["final_weights"] = "float64"
    if "pictures" in study.recorded:
        recorded |= dict.fromkeys(("activation_density", "activation_edge"), "float64")
        axes = picture_axes(cells[0].data)
        if axes:
            recorded["grid_output"] = "float64"
            coordinates |= axes
    return results.Layout(
        grid=tuple(grid),
        coordinates=coordinates,
        shard_members=study.shard_members,
        recorded=recorded,
        facts=_facts(study, cells, layers),
        sizes={
            "bin": HISTOGRAM_BINS,
            "edge": HISTOGRAM_BINS + 1,
            "parameter": max(map(_parameters, cells)),
            "example": len(cells[0].data.train_x),
            "feature": cells[0].data.features,
        },
    )


def _score(cell: ReadyCell) -> str:
    return "accuracy" if cell.examples.is_classification else "r2"


def _parameters(cell: ReadyCell) -> int:
    network = cell.study.network
    return engines.Parameters(
        network.widths or (), batch_norm=network.batch_norm
    ).flat.size


def _facts(
    study: Study, cells: tuple[ReadyCell, ...], layers: int
) -> dict[str, np.ndarray]:
    """Return what causes and figures need to know of the networks and the data."""
    shape = tuple(len(values) for values in (study.grid or {}).values())
    baseline, rms = np.empty(shape), np.empty(shape)
    units = np.full((*shape, layers), np.nan)
    for cell in cells:
        widths = cell.study.network.widths
        assert widths is not None
        assert cell.study.loss is not None
        loss = engines.LOSSES[cell.study.loss]
        baseline[cell.index] = loss.constant(cell.examples.train_y)
        rms[cell.index] = root_mean_square(cell.data.train_x)
        units[cell.index][: len(widths) - 1] = widths[1:]
    whole = not np.isnan(units).any()
    facts = {
        "baseline_loss": baseline,
        "input_rms": rms,
        "units": units.astype(np.int64) if whole else units,
    }
    data = cells[0].data
    in_plane = data.features == 2 and (data.is_classification or data.outputs == 1)
    if in_plane and not study.grid:
        facts |= {"train_x": data.train_x, "train_y": data.train_y.reshape(-1)}
    return facts


def root_mean_square(values: np.ndarray) -> float:
    """Return it of values whose squares may underflow, to the last bit where not."""
    _, exponent = np.frexp(np.abs(values).max())
    scaled = np.ldexp(values, -exponent)
    return float(np.ldexp(np.sqrt(np.mean(scaled**2)), exponent))
