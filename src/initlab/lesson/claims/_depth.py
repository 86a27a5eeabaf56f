"""Does He win with depth?"""

import numpy as np
from matplotlib.figure import Figure

from initlab import figures
from initlab.lesson.claims._claim import (
    HE,
    NAMES,
    OF,
    ONE,
    XAVIER,
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
from initlab.spec import MLP, Study

DEPTHS = (2, 4, 8, 16)  # hidden layers of 10 units
_DEPTH_STEPS = 5_000
_DEPTH_INITS = (HE, XAVIER, ONE)


def _studies(members: int) -> dict[str, Study]:
    # Deep networks cost more: a quarter of the members, a third of the steps.
    return {
        str(depth): study_of(
            max(members // 4, 1),
            list(_DEPTH_INITS),
            network=MLP(widths=(2, *[10] * depth, 1)),
            steps=_DEPTH_STEPS,
        )
        for depth in DEPTHS
    }


def _depth_costs(results: Results, init: str) -> np.ndarray:
    return np.stack(
        [costs_of(results[str(depth)], init, _DEPTH_STEPS) for depth in DEPTHS]
    )


def _answer(results: Results) -> Answer:
    costs = {init: _depth_costs(results, init) for init in _DEPTH_INITS}
    wins = {
        depth: {
            init: share(costs[HE][row] < costs[init][row]) for init in (XAVIER, ONE)
        }
        for row, depth in enumerate(DEPTHS)
    }
    first, last = DEPTHS[0], DEPTHS[-1]
    return Answer(
        verdict=verdict(*wins[last].values()),
        sentence=(
            f"{OF}, training cost at step {_DEPTH_STEPS:,}, layers of 10 units: with "
            f"{first} hidden layers He ends below sqrt(1/n) in {wins[first][XAVIER]} "
            f"and below randn x 1 in {wins[first][ONE]} of "
            f"{wins[first][ONE].members} members; with {last}, below sqrt(1/n) in "
            f"{wins[last][XAVIER]} and below randn x 1 in {wins[last][ONE]} (a "
            "diverged member counts as the highest cost). Medians with "
            f"{last}: He {np.median(costs[HE][-1]):.3g}, sqrt(1/n) "
            f"{np.median(costs[XAVIER][-1]):.3g}, x 1 {np.median(costs[ONE][-1]):.3g}"
        ),
        numbers={
            str(depth): {
                "he_below_sqrt_1_n": numbers_of(wins[depth][XAVIER]),
                "he_below_x1": numbers_of(wins[depth][ONE]),
                "median_cost": {
                    init: float(np.median(costs[init][row])) for init in _DEPTH_INITS
                },
            }
            for row, depth in enumerate(DEPTHS)
        },
    )


def _picture(results: Results) -> Figure:
    ax = figures.along(
        DEPTHS,
        {NAMES[init]: _depth_costs(results, init) for init in _DEPTH_INITS},
        axis_name="hidden layers of 10 units",
        quantity=f"training cost at step {_DEPTH_STEPS:,} (nats)",
    )
    ax.set_ylim(0, 1.2)  # above: exploded
    return figure_of(ax)


DEPTH = Claim(
    name="depth",
    statement="He wins with depth",
    studies=_studies,
    answer=_answer,
    draw=_picture,
)
