"""Is He the best of the three?"""

import numpy as np
from matplotlib.figure import Figure

from initlab import figures
from initlab.lesson.claims._claim import (
    GOOD,
    HE,
    LAST_PRINTED,
    NAMES,
    OF,
    ONE,
    POOR,
    TEN,
    XAVIER,
    Answer,
    Claim,
    Results,
    accuracies_of,
    costs_of,
    figure_of,
    numbers_of,
    share,
    spread,
    study_of,
    verdict,
)


def _answer(results: Results) -> Answer:
    found = results["circles"]
    costs = {init: costs_of(found, init) for init in NAMES}
    accurate = {init: share(accuracies_of(found, init) >= GOOD) for init in NAMES}
    poor = {init: share(accuracies_of(found, init) <= POOR) for init in NAMES}
    below = share(costs[ONE] < costs[HE])
    against_large = share(costs[HE] < costs[TEN])
    return Answer(
        verdict=verdict(against_large, share(costs[HE] < costs[ONE])),
        sentence=(
            f"{OF}, training cost at step {LAST_PRINTED:,}: He ends below randn x 10 "
            f"in {against_large} of {below.members} members, but randn x 1 ends below "
            f"He in {below}. Median cost (5 % to 95 % of members): He "
            f"{spread(costs[HE])}, sqrt(1/n) {spread(costs[XAVIER])}, x 1 "
            f"{spread(costs[ONE])}, x 10 {spread(costs[TEN])}. Test "
            f"accuracy of at least {GOOD}: He in {accurate[HE]}, x 1 in "
            f"{accurate[ONE]}. Brackets: 95 % confidence"
        ),
        numbers={
            "x1_below_he": numbers_of(below),
            "he_below_x10": numbers_of(against_large),
            "inits": {
                init: {
                    "median_cost": float(np.median(costs[init])),
                    "spread": np.quantile(costs[init], (0.05, 0.95)).tolist(),
                    "median_test_accuracy": float(
                        np.median(accuracies_of(found, init))
                    ),
                    "accurate": numbers_of(accurate[init]),
                    "poor": numbers_of(poor[init]),
                }
                for init in NAMES
            },
        },
    )


def _picture(results: Results) -> Figure:
    found = results["circles"]
    return figure_of(
        figures.distributions(
            {name: costs_of(found, init) for init, name in NAMES.items()},
            quantity=f"training cost at step {LAST_PRINTED:,} (nats)",
            logarithmic=True,
        )
    )


BEST = Claim(
    name="best",
    statement="He is the best of the three",
    studies=lambda members: {"circles": study_of(members, list(NAMES))},
    answer=_answer,
    draw=_picture,
)
