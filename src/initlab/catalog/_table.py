"""The table of all initializers: each with its law, its source and its use.

Generic tests run over this table, so that a new row is tested without writing a test.
Formulas are plain ASCII: they are printed on terminals of any encoding.

    >>> CATALOG["he_normal"].std((10, 2))
    1.0
"""

from collections.abc import Mapping
from types import MappingProxyType

from initlab.catalog._entry import Entry
from initlab.catalog._rows_fixed import FIXED
from initlab.catalog._rows_frameworks import FRAMEWORKS
from initlab.catalog._rows_orthogonal import ORTHOGONAL
from initlab.catalog._rows_scaled import SCALED
from initlab.catalog._rows_stated import STATED

CATALOG: Mapping[str, Entry] = MappingProxyType(
    {**FIXED, **STATED, **SCALED, **ORTHOGONAL, **FRAMEWORKS}
)
