"""Rows of the catalog whose width the user states.

>>> next(iter(STATED))
'normal'
"""

from collections.abc import Mapping

from initlab.catalog import _kurtosis, _plain, _sparse
from initlab.catalog._entry import Entry

STATED: Mapping[str, Entry] = {
    "normal": Entry(
        draw=_plain.normal,
        std=_plain.normal_std,
        distribution="normal",
        excess_kurtosis=_kurtosis.normal_kurtosis,
        formula="N(mean, std^2)",
        cite="krizhevsky2012",
        summary="Gaussian of a stated width",
        use_when="a paper states the width, or to see what a wrong width does",
        not_when="depth or width vary: the signal scales by about "
        "std * sqrt(fan_in) in every layer",
    ),
    "uniform": Entry(
        draw=_plain.uniform,
        std=_plain.uniform_std,
        distribution="uniform",
        excess_kurtosis=_kurtosis.uniform_kurtosis,
        formula="U(low, high)",
        cite="rumelhart1986",
        summary="evenly spread between two stated numbers",
        use_when="a paper states the interval",
        not_when="depth or width vary: the interval does not follow the fans",
    ),
    "truncated_normal": Entry(
        draw=_plain.truncated_normal,
        std=_plain.truncated_normal_std,
        distribution="truncated_normal",
        excess_kurtosis=_kurtosis.truncated_normal_kurtosis,
        formula="N(0, std^2), abs(w) <= bound * std",
        cite="burkardt2014",
        summary="Gaussian without tails, not corrected for the cut",
        use_when="reproducing models that state a truncated width, such as 0.02",
        not_when="the nominal width matters: at bound 2 it is 12 % smaller",
    ),
    "sparse": Entry(
        draw=_sparse.sparse,
        std=_sparse.sparse_std,
        distribution="sparse_normal",
        excess_kurtosis=_sparse.sparse_kurtosis,
        full_rank=False,
        distinct_units=False,
        formula="N(0, std^2), in each column ceil(sparsity * out) entries 0",
        cite="martens2010",
        summary="Gaussian with a fraction of each column 0, as PyTorch's sparse_",
        use_when="reproducing PyTorch's sparse_, or recurrent weights of few links",
        not_when="layers of few units or inputs: units without any input start dead, "
        "and one unit alone is all 0",
    ),
}
