"""`results.il`: what can be asked of a dataset where it is, in a notebook."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from initlab.errors import InvalidValueError
from initlab.results import tidy


@xr.register_dataset_accessor("il")  # type: ignore[no-untyped-call]
class Accessor:
    """A study's results as table, pictures and rows.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(inits=["zeros", "he_normal"], steps=10))
        >>> results.il.to_dataframe().columns.tolist()
        ['init', 'member', 'step', 'loss', 'test_accuracy', 'train_accuracy']
        >>> results.il.plot.curves().get_xlabel()
        'step (parameter updates done)'
    """

    def __init__(self, results: xr.Dataset) -> None:
        self._results = results

    @property
    def plot(self) -> "Plots":
        """The results as pictures: `curves()`, `heatmap()`."""
        return Plots(self._results)

    def table(self) -> Any:
        """Return what happened: `initlab.compare`, or of a grid a row per cell.

        A grid's rows have the median final loss over members with its 95 % interval,
        and the share of members that diverged.
        """
        from initlab import analysis, reports

        grid = analysis.grid_of(self._results)
        if not grid:
            return reports.compare(self._results)
        found = analysis.cell_statistics(self._results).sel(estimate="median")
        flat = {
            "median": found["final_loss"],
            "low": found["final_loss_interval"].sel(end="low"),
            "high": found["final_loss_interval"].sel(end="high"),
            "diverged": found["diverged"],
        }
        frame = xr.Dataset(
            {name: each.drop_vars(["end", "estimate"], errors="ignore")
             for name, each in flat.items()}
        ).to_dataframe()  # fmt: skip
        return frame.reset_index()

    def to_dataframe(self, table: str = "steps") -> pd.DataFrame:
        """Return tidy rows: one per network and record, layer, or network.

        Args:
            table: `"steps"`, `"layers"` or `"members"`.
        """
        return pd.concat(tidy(self._results, table), ignore_index=True)

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        shown = self.table()
        return str(shown._repr_html_())


class Plots:
    """A study's pictures, as matplotlib Axes."""

    def __init__(self, results: xr.Dataset) -> None:
        self._results = results

    def curves(self) -> Any:
        """Draw the loss against the step; of a grid, one panel per cell."""
        from initlab import analysis, figures

        if analysis.grid_of(self._results):
            return figures.grid_curves(self._results)
        return figures.loss_curves(self._results)

    def heatmap(self) -> np.ndarray:
        """Draw the median final loss over the grid, one panel per init.

        Raises:
            InvalidValueError: If the study has no grid.
        """
        from initlab import analysis, figures

        if not analysis.grid_of(self._results):
            raise InvalidValueError(
                "heatmap: is of a study with a grid; this one has none: plot.curves()"
            )
        return figures.loss_heatmaps(self._results)
