"""Is randn better than rand for want of extremes?"""

import numpy as np
from matplotlib.figure import Figure

from initlab import figures
from initlab.lesson.claims._claim import (
    LAST_PRINTED,
    OF,
    TEN,
    Answer,
    Claim,
    Results,
    costs_of,
    figure_of,
    numbers_of,
    share,
    spread,
    study_of,
    verdict,
)

_RANDN = TEN
_POSITIVE = "uniform(low=0, high=10)"
_MATCHED = f"uniform(low={-10 * 3**0.5:.6f}, high={10 * 3**0.5:.6f})"


def _answer(results: Results) -> Answer:
    found = results["circles"]
    labels = [str(label) for label in found["init"].values]
    randn, positive, matched = (costs_of(found, label) for label in labels)
    loses = share(randn < positive)
    extremes = share(matched < randn)
    return Answer(
        # What it says of extremes: that randn ends below the same std without them.
        verdict=verdict(share(randn < matched)),
        sentence=(
            f"{OF}, training cost at step {LAST_PRINTED:,}: randn x 10 ends below "
            f"rand x 10 in {loses} of {loses.members} members. The reason given would "
            "need uniform weights around 0 of the same std, which have no extremes at "
            f"all, to do worse than randn too; they end below randn in {extremes}. Of "
            f"rand, all weights are positive. Medians: randn {spread(randn)}, rand "
            f"{spread(positive)}, uniform around 0 {spread(matched)}"
        ),
        numbers={
            "randn_below_rand": numbers_of(loses),
            "matched_uniform_below_randn": numbers_of(extremes),
            "median_cost": {
                "randn": float(np.median(randn)),
                "rand": float(np.median(positive)),
                "uniform_around_0": float(np.median(matched)),
            },
        },
    )


def _picture(results: Results) -> Figure:
    found = results["circles"]
    names = ("randn x 10", "rand x 10, in [0, 10)", "uniform around 0, std 10")
    return figure_of(
        figures.distributions(
            {
                name: costs_of(found, str(label))
                for name, label in zip(names, found["init"].values, strict=True)
            },
            quantity=f"training cost at step {LAST_PRINTED:,} (nats)",
            logarithmic=True,
        )
    )


EXTREMES = Claim(
    name="extremes",
    statement="randn is better than rand because it avoids the extremes",
    studies=lambda members: {
        "circles": study_of(members, [_RANDN, _POSITIVE, _MATCHED])
    },
    answer=_answer,
    draw=_picture,
)
