"""What two studies differ in, and whether one only adds to the other."""

from collections.abc import Iterator, Mapping
from typing import Any

from initlab.errors import InvalidValueError
from initlab.spec._base import shortened
from initlab.spec._grid import label
from initlab.spec._study import Study
from initlab.spec._text import to_dict

# What a study may have more of without changing what is there.
_GROWS = ("members", "inits", "grid")


def differences(old: Study, new: Study) -> list[str]:
    """Return one phrase for every key whose value differs.

    Example:
        >>> differences(Study(steps=10), Study(steps=20))
        ['steps: 10 there, 20 here']
    """
    before, after = dict(_flat(to_dict(old))), dict(_flat(to_dict(new)))
    return [
        _difference(key, before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]


def _difference(key: str, before: Any, after: Any) -> str:
    if key.startswith("inits: ") and before is None:
        return f"{key} is new here"
    if key.startswith("inits: ") and after is None:
        return f"{key} is there only"
    return f"{key}: {_said(before)} there, {_said(after)} here"


def in_order_of(old: Study, new: Study) -> Study:
    """Return the new study with inits and values of its grid in the old one's order.

    What the old one lacks comes last; what the new one lacks is not added.
    """
    inits = _ordered(
        [init.label for init in old.inits], {init.label: init for init in new.inits}
    )
    updates: dict[str, Any] = {"inits": tuple(inits)}
    if new.grid and old.grid and new.grid.keys() == old.grid.keys():
        updates["grid"] = {
            name: tuple(
                _ordered(
                    [label(value) for value in values],
                    {label(value): value for value in new.grid[name]},
                )
            )
            for name, values in old.grid.items()
        }
    return new.model_copy(update=updates)


def extension(old: Study, new: Study) -> Study:
    """Return the new study in the old one's order, if it has all that the old one has.

    Raises:
        InvalidValueError: If anything but members, inits and values of the grid
            differs, or something of the old study is missing.
    """
    new = in_order_of(old, new)
    alike = {name: getattr(new, name) for name in _GROWS}
    other = differences(old.model_copy(update=alike), new)
    if (old.grid or {}).keys() != (new.grid or {}).keys():
        here, there = (", ".join(study.grid or ()) for study in (new, old))
        other.append(f"fields of grid: {there or 'none'} there, {here or 'none'} here")
    if new.members < old.members:
        other.append(f"members: {old.members} there, {new.members} here")
    after = {init.label: to_dict(init) for init in new.inits}
    for init in old.inits:
        if init.label not in after:
            other.append(f"inits: {init.label!r} there, and not here")
        elif after[init.label] != to_dict(init):
            other.append(f"inits: another {init.label!r} here, {_why(init)}")
    listed: Mapping[str, Any] = new.grid or {}
    for name, values in (old.grid or {}).items():
        kept = [label(value) for value in listed.get(name, ())]
        other += [
            f"grid.{name}: {label(value)!r} there, and not here"
            for value in values
            if label(value) not in kept
        ]
    if other:
        raise InvalidValueError("; ".join(other))
    return new


def _why(init: Any) -> str:
    return "its source has changed" if init.digest else "with other parameters"


def _ordered(first: list[Any], by_label: Mapping[Any, Any]) -> list[Any]:
    known = [by_label[each] for each in first if each in by_label]
    return known + [value for each, value in by_label.items() if each not in first]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if key == "inits":
            for init in value:
                yield f"inits: {init['label']!r}", init
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict) and "digest" in value:
        return f"source {value['digest'][:8]}" if value["digest"] else "no source"
    return shortened(value)
