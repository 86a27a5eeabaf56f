"""What networks learn, as arrays: generated, bundled with scikit-learn, the user's own.

`load` turns an `initlab.spec.Problem` into `Data`: features in float64, labels or
target columns, split and standardized as the problem says. Whatever cannot be learned
from is refused here, in one line that names the file, the row and the column.
"""

from initlab.problems._data import Data
from initlab.problems._load import load
from initlab.problems._split import shuffled_rows

__all__ = ["Data", "load", "shuffled_rows"]
