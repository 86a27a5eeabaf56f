"""Does longer training mend a large random start?"""

import numpy as np
from matplotlib.figure import Figure

from initlab import figures
from initlab.lesson.claims._claim import (
    HE,
    OF,
    STEPS,
    TEN,
    Answer,
    Claim,
    Results,
    costs_of,
    figure_of,
    numbers_of,
    share,
    study_of,
    verdict,
)

_LONGER = 4 * STEPS


def _answer(results: Results) -> Answer:
    found = results["circles"]
    early, late = costs_of(found, TEN, STEPS), costs_of(found, TEN, _LONGER)
    improved = share(late < early)
    test = found.test_accuracy.sel(init=TEN)
    before, after = (test.sel(step=step).values for step in (STEPS, _LONGER))
    better, worse = share(after > before), share(after < before)
    he = float(np.median(costs_of(results["he"], HE, STEPS)))
    reached = share(late <= he)
    return Answer(
        verdict=verdict(improved, better),
        sentence=(
            f"{OF}: from step {STEPS:,} to {_LONGER:,} the training cost of randn x "
            f"10 falls in {improved} of {improved.members} members, in the median from "
            f"{np.median(early):.3g} to {np.median(late):.3g}; {reached} reach He's "
            f"median cost after {STEPS:,} steps, {he:.3g}. Test accuracy rises in "
            f"{better} and falls in {worse}, in the median from "
            f"{np.median(before):.2f} to {np.median(after):.2f}. (These trainings are "
            "chaotic: single members mean nothing)"
        ),
        numbers={
            "cost_falls": numbers_of(improved),
            "reaches_he": numbers_of(reached),
            "test_accuracy_rises": numbers_of(better),
            "test_accuracy_falls": numbers_of(worse),
            "median_cost": [float(np.median(early)), float(np.median(late))],
        },
    )


def _picture(results: Results) -> Figure:
    found = results["circles"]
    curves = {
        f"randn x 10, step {step:,}": costs_of(found, TEN, step)
        for step in (STEPS, 2 * STEPS, _LONGER)
    }
    curves[f"He, step {STEPS:,}"] = costs_of(results["he"], HE, STEPS)
    return figure_of(
        figures.distributions(curves, quantity="training cost (nats)", logarithmic=True)
    )


LONGER = Claim(
    name="longer",
    statement="train the large random network longer and it improves",
    studies=lambda members: {
        "circles": study_of(members, [TEN], steps=_LONGER),
        "he": study_of(members, [HE]),
    },
    answer=_answer,
    draw=_picture,
)
