"""The lesson's claims, each with what was measured to answer it.

A claim names studies; its answer is computed from their datasets, says of which
quantity and at which learning rate it speaks, and gives an interval over members.
"""

from collections.abc import Mapping

from initlab.lesson.claims._best import BEST
from initlab.lesson.claims._claim import MEMBERS, Answer, Claim, Results, Share, verdict
from initlab.lesson.claims._depth import DEPTH
from initlab.lesson.claims._extremes import EXTREMES
from initlab.lesson.claims._longer import LONGER
from initlab.lesson.claims._zeros import ZEROS

__all__ = ["CLAIMS", "MEMBERS", "Answer", "Claim", "Results", "Share", "verdict"]

CLAIMS: Mapping[str, Claim] = {
    claim.name: claim for claim in (BEST, ZEROS, EXTREMES, LONGER, DEPTH)
}
