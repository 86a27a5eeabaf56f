"""Results in other formats: NetCDF whole, or tidy rows as CSV and Parquet."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from initlab.errors import InvalidValueError, MissingExtraError
from initlab.results._chunks import NOT_RUN
from initlab.results._open import open_store
from initlab.results._store import (
    moved_into_place,
    refuse_not_text,
    refuse_unwritable,
    write_netcdf,
)
from initlab.results._whole import refuse_damaged

FORMATS = (".nc", ".csv", ".parquet")
# What a row of each table is of.
TABLES = {
    "steps": ("member", "step"),
    "layers": ("member", "step", "layer"),
    "members": ("member",),
}
_TABLE = "steps"
# Rows that are made at a time: memory does not grow with the study.
_ROWS = 500_000


def export(store: str | Path, out: str | Path, *, table: str | None = None) -> Path:
    """Write a store's results to a file, moved into place when it is whole.

    Args:
        store: A store, or a `.nc` file.
        out: `.nc` has everything; `.csv` and `.parquet` have one table.
        table: `"steps"`: a row per network and record, `"layers"`: and per layer,
            `"members"`: a row per network. Networks that are not run yet have none.
            None: steps.

    Raises:
        InvalidValueError: If the format or the table is not known, or the format has
            no tables.
        OutputError: If there is no such store, chunks of it are damaged or missing, or
            the file cannot be written or is in the store.

    Example:
        >>> import tempfile
        >>> import initlab as il
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Path(folder, "study.zarr")
        ...     il.run(il.Study(inits=["zeros"], steps=10), store=store).close()
        ...     rows = il.export(store, Path(folder, "study.csv"), table="members")
        ...     print(rows.read_text().splitlines()[0])
        init,member,diverged_step
    """
    if not isinstance(store, str | Path):
        raise InvalidValueError(
            f"the path of a store or a .nc file, got {type(store).__name__}; "
            "results that are no file: results.to_netcdf, results.il.to_dataframe",
            argument="store",
        )
    path = Path(out)
    if path.suffix not in FORMATS:
        raise InvalidValueError(
            f"must end in {', '.join(FORMATS)}, got {str(out)!r}", argument="out"
        )
    if table is not None:
        _refuse_unknown(table)
    if table is not None and path.suffix == ".nc":
        raise InvalidValueError(
            f".nc has everything, so {table!r} would change nothing; leave it "
            "out, or name a .csv or .parquet file",
            argument="table",
        )
    refuse_damaged(store)
    refuse_unwritable(path, "out", inputs=[store])
    if path.suffix == ".nc":
        refuse_not_text(path, "out")
    with open_store(store) as results, moved_into_place(path) as temporary:
        if path.suffix == ".nc":
            write_netcdf(results, temporary)
        elif path.suffix == ".csv":
            for number, frame in enumerate(tidy(results, table or _TABLE)):
                frame.to_csv(temporary, mode="a", header=not number, index=False)
        else:
            _write_parquet(tidy(results, table or _TABLE), temporary)
    return path


def tidy(results: xr.Dataset, table: str = _TABLE) -> Iterator[pd.DataFrame]:
    """Yield a table's rows, some members of one init in one cell at a time.

    Columns are the grid's dimensions, `init`, `member` and the row's own, then one per
    variable.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(steps=20, inits=["zeros"]))
        >>> next(tidy(results)).columns.tolist()
        ['init', 'member', 'step', 'loss', 'test_accuracy', 'train_accuracy']
    """
    _refuse_unknown(table)
    row = TABLES[table]
    loss = tuple(map(str, results["loss"].dims))
    grid = loss[: loss.index("init")]
    dims = (*grid, "init", *row)
    names = sorted(str(name) for name, each in results.items() if each.dims == dims)
    if not names:
        raise InvalidValueError(f"nothing of {table} was recorded", argument="table")
    names.sort(key=lambda name: name != "loss")
    per_member = int(np.prod([results.sizes[dim] for dim in row[1:]]))
    size = max(1, _ROWS // per_member)
    columns = {str(dim): results[dim].values for dim in dims}
    began = False
    for cell in np.ndindex(*(results.sizes[dim] for dim in (*grid, "init"))):
        for first in range(0, results.sizes["member"], size):
            some = slice(first, first + size)
            part = results[[*names, "diverged_step"]].isel(
                dict(zip((*grid, "init"), cell, strict=True)) | {"member": some}
            )
            frame = _frame(part, names, cell, columns, dims, some)
            if len(frame) or not began:
                began = True
                yield frame


def _refuse_unknown(table: str) -> None:
    if table not in TABLES:
        raise InvalidValueError(f"{', '.join(TABLES)}, got {table!r}", argument="table")


def _frame(
    part: xr.Dataset,
    names: list[str],
    cell: tuple[int, ...],
    columns: dict[str, np.ndarray],
    dims: tuple[str, ...],
    some: slice,
) -> pd.DataFrame:
    part = part.load()
    run = part["diverged_step"].values != NOT_RUN
    inner = [columns[dim] for dim in dims[len(cell) :]]
    inner[0] = inner[0][some][run]
    labels = np.meshgrid(*inner, indexing="ij")
    found = {
        dim: np.full(labels[0].size, columns[dim][at])
        for dim, at in zip(dims, cell, strict=False)
    }
    for dim, values in zip(dims[len(cell) :], labels, strict=True):
        found[dim] = values.ravel()
    for name in names:
        found[name] = part[name].values[run].ravel()
    frame = pd.DataFrame(found)
    if "layer" in dims:  # layers that a shallower network does not have
        frame = frame[frame[names].notna().any(axis=1)]
    return frame


def _write_parquet(frames: Iterator[pd.DataFrame], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(
            ".parquet needs pyarrow: pip install 'initlab[parquet]'", argument="out"
        ) from None
    writer = None
    try:
        for frame in frames:
            rows = pa.Table.from_pandas(frame, preserve_index=False)
            writer = writer or pq.ParquetWriter(path, rows.schema)
            writer.write_table(rows.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()
