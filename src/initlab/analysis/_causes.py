"""Why a network trained or did not: a cause and its evidence, from measurements.

The rules stand in the order in which they are asked; the first that applies names the
cause. An init's name is never looked at. Where no rule applies the cause is unknown.
"""

import xarray as xr

from initlab.analysis import _course_rules as course
from initlab.analysis import _start_rules as start
from initlab.analysis._cause import Cause, Rule
from initlab.analysis._run import Run, read_run
from initlab.spec import from_toml

RULES: tuple[Rule, ...] = (
    course.diverged,
    course.trained,
    # Before the faults of the start: copies and flat units cannot raise a loss.
    course.rising,
    start.all_copies,
    start.inactive_from_the_start,
    start.saturated_outputs,
    course.died_in_training,
    start.saturated_units,
    start.faint_gradient,
    start.uneven_gradient,
    course.trained_without_fault,
    course.unstable,
    course.too_little_training,
    start.few_distinct,
    start.mostly_inactive,
    course.unfinished,
    course.learned_in_part,
)


def cause_of(run: Run) -> Cause:
    """Return the first cause whose rule applies, or the cause `unknown`."""
    for rule in RULES:
        cause = rule(run)
        if cause is not None:
            return cause
    return course.unknown(run)


def causes(results: xr.Dataset) -> list[list[Cause]]:
    """Return the cause of every run: a list per init of a cause per member."""
    study = from_toml(results.attrs["spec"])
    return [
        [
            cause_of(read_run(results.isel(init=i, member=m), study=study))
            for m in range(results.sizes["member"])
        ]
        for i in range(results.sizes["init"])
    ]
