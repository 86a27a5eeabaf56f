"""What is said of a notebook's numbers."""


def agrees(digits: int, compared: int) -> str:
    """Of costs that are the lesson's."""
    return f"agree with the lesson to {digits} digits ({compared} costs)"


def chaotic(digits: int, compared: int, width: float, copies: int) -> str:
    """Of costs that cannot agree further."""
    shared = f"{digits} digits" if digits else "no digit"
    return (
        f"agree with the lesson to {shared} ({compared} costs), and cannot to "
        f"more: one-ulp changes of the starting weights move these costs by up to "
        f"{width:.1g} (measured now, {copies} changed copies)"
    )


def other_code(step: int, off: float, width: float, copies: int) -> str:
    """Of costs that other code must have printed."""
    return (
        f"are of other code: {off:.2g} from the lesson's at iteration {step}, where "
        f"one-ulp changes of the starting weights move it by {width:.1g} only "
        f"(measured now, {copies} changed copies)"
    )


def not_of_the_lesson(costs: int) -> str:
    """Of a training that the lesson does not hold."""
    return f"are of no training of the lesson's ({costs} costs)"


def round_off(true_cost: float) -> str:
    """Of the inf that documents print first."""
    return (
        "the printed inf at iteration 0 is round-off at outputs that round to 0 or 1; "
        f"computed from the logits the cost is {true_cost!r}"
    )
