"""`results.il`: what can be asked of a dataset where it is, in a notebook."""

import html
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
        """The results as pictures: `curves()`, `heatmap()`, `profiles()`."""
        return Plots(self._results)

    def table(self) -> Any:
        """Return what happened: `initlab.compare`, or of a grid a row per cell.

        A grid's rows have the median final loss over members with its 95 % interval,
        the share of members that diverged with Wilson's, and the number of members.
        """
        from initlab import analysis, reports

        results = analysis.selected(self._results)
        if results.attrs.get("kind") != "grid":
            return reports.compare(results)
        return pd.DataFrame(reports.grid_numbers(results))

    def steps_to(self, target: float | None = None) -> pd.DataFrame:
        """Return how long every init takes to a training loss, a row per cell.

        Args:
            target: The loss; None: half the least loss of a constant output.

        Returns:
            `target`; `steps`, the median over members of the first recorded step at or
            under it, infinite where that is not within the run, with the ends of its
            95 % interval (NaN under 6 members); `reached`, the share of members that
            arrived, with Wilson's interval; `never`, members that did not; `members`.

        Raises:
            InvalidValueError: If the target is no loss.

        Example:
            >>> import initlab as il
            >>> inits = ["zeros", "he_normal"]
            >>> study = il.Study(problem="moons", inits=inits, members=8, steps=200,
            ...                  learning_rate=0.5)
            >>> results = il.run(study)
            >>> results.il.steps_to(0.3).never.tolist()
            [8, 0]
        """
        from initlab import reports

        return pd.DataFrame(reports.target_numbers(self._results, target))

    def profiles(self) -> pd.DataFrame:
        """Return how often each init ends near the best one, a row per factor.

        Returns:
            `init`, `factor`; `within`, the share of runs (members in cells) that end
            within the factor of the run's least final loss, with its 95 % interval;
            `runs`, `members`.

        Raises:
            InvalidValueError: If there is one init, which is always the best.
        """
        from initlab import reports

        return pd.DataFrame(reports.profile_numbers(self._results))

    def to_dataframe(self, table: str = "steps") -> pd.DataFrame:
        """Return tidy rows: one per network and record, layer, or network.

        Args:
            table: `"steps"`, `"layers"` or `"members"`.
        """
        return pd.concat(tidy(self._results, table), ignore_index=True)

    def _repr_html_(self) -> str:
        """Return the table for a notebook; of a study on its way, how far it is."""
        try:
            return str(self.table()._repr_html_())
        except InvalidValueError as error:
            return f"<p>{html.escape(str(error))}</p>"


class Plots:
    """A study's pictures, as matplotlib Axes."""

    def __init__(self, results: xr.Dataset) -> None:
        self._results = results

    def curves(self, *, band: str = "spread") -> Any:
        """Draw the loss against the step; of a grid, one panel per cell.

        Args:
            band: What is shaded: `"spread"`, the 5 % to 95 % quantiles of the members,
                or `"interval"`, the 95 % confidence interval of the median.

        Returns:
            Axes, or of a grid an array of them.

        Raises:
            InvalidValueError: If there is no such band, or there are too few members
                for an interval.
        """
        from initlab import analysis, figures

        if analysis.grid_of(self._results):
            return figures.grid_curves(self._results, band=band)
        return figures.loss_curves(self._results, band=band)

    def profiles(self) -> Any:
        """Draw how often each init ends within a factor of the best one, as Axes.

        Raises:
            InvalidValueError: If there is one init, which is always the best.
        """
        from initlab import figures

        return figures.performance_curves(self._results)

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
