"""A study as the page's address holds it, after the #; and back."""

from typing import Any, NoReturn
from urllib.parse import parse_qs, urlencode

from initlab.browser._limits import INITS, LIMITS, OUTPUTS
from initlab.errors import InvalidValueError
from initlab.spec import MLP, Init, Problem, Study

_HIDDEN, _EXAMPLES = (10, 5), 300


def link_of(study: Study) -> str:
    """Return the part of the page's address that shows this study.

    The page trains in float32 and on generated problems in the plane; what it does
    not have is refused.

    Args:
        study: What to show.

    Raises:
        InvalidValueError: If the page cannot show the study; the message says what.

    Example:
        >>> link_of(Study(inits=["he_normal"], members=4))
        'init=he_normal&problem=circles&noise=&examples=300&hidden=10%2C5&activation=relu&batch_norm=false&members=4&optimizer=gradient_descent&learning_rate=0.01&steps=15000&seed=3&seeding=legacy'
    """
    problem = study.problem
    _refuse(study)
    fields: list[tuple[str, Any]] = [("init", _typed(init)) for init in study.inits]
    fields += [
        ("problem", problem.name),
        ("noise", "" if problem.noise is None else problem.noise),
        ("examples", problem.examples or _EXAMPLES),
        ("hidden", ",".join(map(str, _hidden(study)))),
        ("activation", study.network.activation),
        ("batch_norm", str(study.network.batch_norm).lower()),
        ("members", study.members),
        ("optimizer", study.optimizer),
        ("learning_rate", study.learning_rate),
        ("steps", study.steps),
        ("seed", study.seed),
        ("seeding", study.seeding),
    ]
    return urlencode(fields)


def study_of(link: str) -> Study:
    """Return the study that the page's address shows.

    Args:
        link: The part after the #.

    Raises:
        InvalidValueError: If the points are the person's own: take the page's JSON.

    Example:
        >>> study_of("init=zeros&init=he_normal&members=8&learning_rate=0.1").members
        8
    """
    fields = {name: values[-1] for name, values in parse_qs(link).items()}
    inits = parse_qs(link).get("init", ["zeros", "normal(std=10)", "he_normal"])
    name = fields.get("problem", "circles")
    if name == "points":
        raise InvalidValueError(
            "link: own points are not a problem with a name; export them as Python"
        )
    hidden = fields.get("hidden", "10,5")
    units = [int(each) for each in hidden.split(",") if each]
    given: dict[str, Any] = {
        field: fields[field]
        for field in (
            "optimizer",
            "learning_rate",
            "steps",
            "members",
            "seed",
            "seeding",
        )
        if field in fields
    }
    for field in ("steps", "members", "seed"):
        if field in given:
            given[field] = int(given[field])
    if "learning_rate" in given:
        given["learning_rate"] = float(given["learning_rate"])
    noise = fields.get("noise")
    return Study(
        network=MLP(
            widths=(2, *units, OUTPUTS.get(name, 1)),
            activation=fields.get("activation", "relu"),
            batch_norm=fields.get("batch_norm") == "true",
        ),
        problem=Problem(
            name=name,
            noise=float(noise) if noise else None,
            examples=int(fields.get("examples", _EXAMPLES)),
        ),
        inits=[Init.parse(each) for each in inits],
        precision="float32",
        **given,
    )


def _hidden(study: Study) -> tuple[int, ...]:
    hidden = study.network.hidden
    return _HIDDEN if hidden is None else hidden


def _refuse(study: Study) -> None:
    """Refuse what the page does not have, or would show as something else."""
    problem = study.problem
    if problem.name not in OUTPUTS:
        _absent("problem", ", ".join(OUTPUTS), problem.name)
    for init in study.inits:
        _refuse_init(init)
    texts = [_typed(init) for init in study.inits]
    twice = next((text for text in texts if texts.count(text) > 1), None)
    if twice is not None:
        _absent("inits", "each init once", f"{twice} twice")
    if problem.standardize or problem.test_fraction != 0.25 or problem.seed != 1:
        _absent("problem", "plain data of seed 1, a quarter for tests", str(problem))
    outputs = OUTPUTS[problem.name]
    widths = study.network.widths
    if widths is not None and (widths[0] != 2 or widths[-1] != outputs):
        _absent("widths", f"2 inputs and, here, {outputs} outputs", str(widths))
    natural = "binary_cross_entropy" if outputs == 1 else "softmax_cross_entropy"
    if study.loss not in (None, natural):
        _absent("loss", f"{natural} for {problem.name}", str(study.loss))
    if study.batch_size is not None:
        _absent("batch_size", "all examples at every step", str(study.batch_size))
    if study.stop_at_loss is not None:
        _absent("stop_at_loss", "all steps of every member", f"{study.stop_at_loss:g}")
    if study.grid:
        _absent("grid", "one network and one learning rate", ", ".join(study.grid))
    hidden = _hidden(study)
    for name, value in {
        "inits": len(study.inits),
        "members": study.members,
        "noise": problem.noise or 0,
        "examples": problem.examples or _EXAMPLES,
        "layers": len(hidden),
        "learning_rate": study.learning_rate,
        "steps": study.steps,
        "seed": study.seed,
    }.items():
        _refuse_beyond(name, value)
    for units in hidden:
        _refuse_beyond("units", units)


def _refuse_init(init: Init) -> None:
    if init.name not in INITS:
        _absent("inits", ", ".join(INITS), init.label)
    unknown = set(init.parameters) - set(INITS[init.name])
    if unknown:
        _absent(
            f"inits: {init.name}",
            f"the parameters {', '.join((*INITS[init.name], 'scale', 'bias'))}",
            ", ".join(sorted(unknown)),
        )


def _typed(init: Init) -> str:
    """Return the init as it is typed: the page has no labels of one's own."""
    return Init(
        name=init.name, parameters=init.parameters, scale=init.scale, bias=init.bias
    ).label


def _refuse_beyond(name: str, value: float) -> None:
    low, high = LIMITS[name]
    if not low <= value <= high:
        shown = {"layers": "network: hidden layers", "units": "network: units"}
        _absent(shown.get(name, name), f"{low:,} to {high:,}", f"{value:,}")


def _absent(name: str, allowed: str, arrived: str) -> NoReturn:
    raise InvalidValueError(f"the page has {allowed}, got {arrived}", argument=name)
