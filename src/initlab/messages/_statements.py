"""What intervals allow to be said of two inits, in words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

StatementId = Literal[
    "ends_below",
    "no_order",
    "all_alike",
]

STATEMENTS: Mapping[StatementId, str] = MappingProxyType(
    {
        "ends_below": (
            "{quantity}{where}: {first} ends below {second} in {share} of {members}"
        ),
        "no_order": (
            "{quantity}{where}: no order of {first} and {second} is shown; the first "
            "ends below in {share} of {members}"
        ),
        "all_alike": "{quantity}{where}: {first} and {second} end alike in all members",
    }
)


def statement_sentence(
    name: StatementId, evidence: Mapping[str, Any], at: Mapping[str, Any]
) -> str:
    """Return a statement in words, the interval in brackets.

    Args:
        name: Its id.
        evidence: `quantity`, `first`, `second`; unless all are alike also `share`,
            `low`, `high` (of those that differ), `members` and `ties`.
        at: The point of the grid; a learning rate may be a mapping from inits to two.

    Example:
        >>> statement_sentence(
        ...     "ends_below",
        ...     {"quantity": "training loss", "first": "he_normal",
        ...      "second": "normal(std=1)", "share": 0.21, "low": 0.16, "high": 0.27,
        ...      "members": 200, "ties": 0},
        ...     {"learning_rate": 0.01},
        ... )
        'training loss at 0.01: he_normal ends below normal(std=1) in 21 % [16, 27] of 200 members'
    """  # noqa: E501
    words: dict[str, Any] = {**evidence, "where": _where(at)}
    if "share" in evidence:
        low, high = evidence["low"], evidence["high"]
        words["share"] = f"{evidence['share']:.0%}".replace("%", " %")
        words["share"] += f" [{100 * low:.0f}, {100 * high:.0f}]"
        words["members"] = f"{evidence['members']} members"
        if evidence["ties"]:
            words["members"] += f" that differ ({evidence['ties']} ties)"
    return STATEMENTS[name].format(**words)


def _where(at: Mapping[str, Any]) -> str:
    """Return the point of the grid, its learning rate first."""
    rate = at["learning_rate"]
    if isinstance(rate, Mapping):
        each = "; ".join(f"{init} {_rates(rates)}" for init, rates in rate.items())
        words = [f" at each init's best learning rate ({each})"]
    else:
        words = [f" at {rate:g}"]
    words += [
        f"{name} {value}" for name, value in at.items() if name != "learning_rate"
    ]
    return ", ".join(words)


def _rates(rates: tuple[float, float]) -> str:
    first, second = sorted(rates)
    return f"{first:g}" if first == second else f"{first:g} or {second:g}"
