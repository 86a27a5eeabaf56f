"""A study as the page's address holds it, after the #; and back."""

from typing import Any
from urllib.parse import parse_qs, urlencode

from initlab.errors import InvalidValueError
from initlab.spec import CALLABLE, EXPLICIT, MLP, Init, Problem, Study

INITS = (
    "zeros", "constant", "normal", "uniform", "lecun_normal", "lecun_uniform",
    "lesson_xavier", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform",
    "orthogonal", "torch_default",
)  # fmt: skip
PROBLEMS = ("circles", "moons", "spirals", "xor", "blobs")
MOST_INITS, MOST_MEMBERS, MOST_EXAMPLES = 6, 256, 2000
MOST_LAYERS, MOST_UNITS, MOST_STEPS = 30, 100, 200_000
_OUTPUTS = {"blobs": 3}
_HIDDEN = (10, 5)


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
    fields: list[tuple[str, Any]] = [("init", str(init)) for init in study.inits]
    fields += [
        ("problem", problem.name),
        ("noise", "" if problem.noise is None else problem.noise),
        ("examples", problem.examples or 300),
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
            widths=(2, *units, _OUTPUTS.get(name, 1)),
            activation=fields.get("activation", "relu"),
            batch_norm=fields.get("batch_norm") == "true",
        ),
        problem=Problem(
            name=name,
            noise=float(noise) if noise else None,
            examples=int(fields.get("examples", 300)),
        ),
        inits=[Init.parse(each) for each in inits],
        precision="float32",
        **given,
    )


def _hidden(study: Study) -> tuple[int, ...]:
    widths = study.network.widths
    return _HIDDEN if widths is None else widths[1:-1]


def _refuse(study: Study) -> None:
    """Refuse what the page does not have."""
    problem, hidden = study.problem, _hidden(study)
    outputs = _OUTPUTS.get(problem.name, 1)
    widths = study.network.widths
    for init in study.inits:
        if init.name in (CALLABLE, EXPLICIT) or init.name not in INITS:
            raise InvalidValueError(
                f"inits: the page has {', '.join(INITS)}, got {init.label}"
            )
    refused = {
        f"problem: the page has {', '.join(PROBLEMS)}, got {problem.name}": (
            problem.name not in PROBLEMS
        ),
        "problem: the page does not standardize, and tests on a quarter": (
            problem.standardize or problem.test_fraction != 0.25 or problem.seed != 1
        ),
        f"examples: at most {MOST_EXAMPLES} on the page, got {problem.examples}": (
            (problem.examples or 0) > MOST_EXAMPLES
        ),
        f"inits: at most {MOST_INITS} on the page, got {len(study.inits)}": (
            len(study.inits) > MOST_INITS
        ),
        f"members: at most {MOST_MEMBERS} on the page, got {study.members}": (
            study.members > MOST_MEMBERS
        ),
        f"widths: the page has 2 inputs and {outputs} outputs, up to {MOST_LAYERS} "
        f"hidden layers of up to {MOST_UNITS} units, got {widths}": (
            (widths is not None and (widths[0] != 2 or widths[-1] != outputs))
            or len(hidden) > MOST_LAYERS
            or any(units > MOST_UNITS for units in hidden)
        ),
        f"steps: at most {MOST_STEPS:,} on the page, got {study.steps:,}": (
            study.steps > MOST_STEPS
        ),
        f"batch_size: the page trains on all examples, got {study.batch_size}": (
            study.batch_size is not None
        ),
        f"loss: the page has cross entropies, got {study.loss}": (
            study.loss == "mean_squared_error"
        ),
    }
    for message, is_refused in refused.items():
        if is_refused:
            raise InvalidValueError(message)
