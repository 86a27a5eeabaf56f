"""Inits as values: a name of the catalog, its parameters, a scale and a bias.

This file owns the names, parameters, ranges and defaults; `initlab.catalog` owns
the mathematics. A test proves that the two agree.
"""

import ast
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PrivateAttr,
    ValidationError,
    create_model,
    model_validator,
)

from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec._base import Spec, one_line, shortened
from initlab.spec._read_only import ReadOnly
from initlab.spec._source import source_digest

Mode = Literal["fan_in", "fan_out", "fan_avg", "fan_geometric"]
Dialect = Literal["initlab", "torch", "keras", "jax"]
Distribution = Literal["normal", "truncated_normal", "uniform"]

_RELU_GAIN = math.sqrt(2)


_DIALECT: dict[str, Any] = {"dialect": (Dialect, "initlab")}


def _fan_scaled(gain: float, mode: Mode) -> dict[str, Any]:
    return {"gain": (float, gain), "mode": (Mode, mode)} | _DIALECT


_FIELDS: Mapping[str, dict[str, Any]] = {
    "zeros": {},
    "ones": {},
    "constant": {"value": (float, 0.1)},
    "identity": {"gain": (float, 1.0)},
    "dirac": {},
    "zero_hadamard": {},
    "sinusoidal": {},
    "normal": {"std": (NonNegativeFloat, 0.01), "mean": (float, 0.0)},
    "uniform": {"low": (float, -0.05), "high": (float, 0.05)},
    "truncated_normal": {
        "std": (NonNegativeFloat, 0.01),
        "bound": (PositiveFloat, 2.0),
    },
    "sparse": {
        "sparsity": (Annotated[float, Field(ge=0, le=1)], 0.5),
        "std": (NonNegativeFloat, 0.01),
    },
    "lecun_normal": _fan_scaled(1.0, "fan_in"),
    "lecun_uniform": _fan_scaled(1.0, "fan_in"),
    "lesson_xavier": {},
    "glorot_normal": _fan_scaled(1.0, "fan_avg"),
    "glorot_uniform": _fan_scaled(1.0, "fan_avg"),
    "he_normal": _fan_scaled(_RELU_GAIN, "fan_in"),
    "he_uniform": _fan_scaled(_RELU_GAIN, "fan_in"),
    "variance_scaling": {
        "variance": (NonNegativeFloat, 1.0),
        "mode": (Mode, "fan_in"),
        "distribution": (Distribution, "normal"),
    }
    | _DIALECT,
    "siren": {"omega": (PositiveFloat, 30.0), "first": (bool, False)},
    "orthogonal": {"gain": (float, 1.0)} | _DIALECT,
    "delta_orthogonal": {"gain": (float, 1.0)},
    "looks_linear": {
        "gain": (float, 1.0),
        "first": (bool, False),
        "last": (bool, False),
    },
    "torch_default": {},
    "keras_default": {},
    "flax_default": {},
}

# Aliases keep the name that the field uses and say what they point to.
INIT_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "xavier_normal": "glorot_normal",
        "xavier_uniform": "glorot_uniform",
        "kaiming_normal": "he_normal",
        "kaiming_uniform": "he_uniform",
        "jax_default": "flax_default",
    }
)


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


INIT_PARAMETERS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        name: create_model(name, __base__=_Parameters, **fields)
        for name, fields in _FIELDS.items()
    }
)
INIT_NAMES: tuple[str, ...] = tuple(INIT_PARAMETERS)

# Initializations that run the network on data, and so are no init of a study.
PROCEDURE_NAMES: tuple[str, ...] = ("lsuv",)

# Names of starting weights that no table holds: the user's own.
CALLABLE, EXPLICIT = "callable", "explicit"


class Init(Spec):
    """An initializer with its parameters, a scale on the weights, and a bias.

    Attributes:
        name: A name of the catalog (`initlab list`), `"callable"` for a function of
            the user's, or `"explicit"` for weights that were handed in.
        parameters: What the catalog's entry takes; absent ones have its defaults.
        scale: Every weight is multiplied by it.
        bias: The value that every bias starts at, or that is added to drawn ones.
        label: How tables and figures call it; by default, as a user would type it.
        digest: SHA-256 of a callable's source or of explicit weights.

    Example:
        >>> Init.parse("normal(std=10)").parameters
        {'std': 10.0}
        >>> str(Init(name="he_normal", scale=100))
        'he_normal(scale=100)'
    """

    name: str
    parameters: ReadOnly[str, bool | float | str] = Field(
        default_factory=lambda: ReadOnly({})
    )
    # Bounded, so that what is computed from them rarely overflows.
    scale: Annotated[float, Field(ge=-1e100, le=1e100)] = 1.0
    bias: Annotated[float, Field(ge=-1e100, le=1e100)] = 0.0
    label: str = ""
    digest: str | None = None

    _draw: Callable[..., Any] | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "name" not in given:
            return given
        values = dict(given)
        name = INIT_ALIASES.get(values["name"], values["name"])
        if name not in (CALLABLE, EXPLICIT):
            parameters = _checked(name, values.get("parameters", {}))
            values |= {"name": name, "parameters": parameters}
        if not values.get("label"):
            values["label"] = _typed({**values, "name": given["name"]})
        return values

    @classmethod
    def parse(cls, text: str) -> "Init":
        """Return the init that a user typed as `name` or `name(parameter=value)`.

        Raises:
            UnknownNameError: If no entry or parameter has that name.
            InvalidValueError: If the text is not of that form, or a value is not
                allowed.
        """
        name, arguments = _parsed(text)
        if name in (CALLABLE, EXPLICIT):
            raise UnknownNameError("init", name, [*INIT_NAMES, *INIT_ALIASES])
        shared = {key: arguments.pop(key) for key in arguments.keys() & INIT_SHARED}
        try:
            return cls(name=name, parameters=arguments, **shared)
        except InvalidValueError as error:
            raise InvalidValueError(f"init {shortened(text)}: {error}") from None

    @classmethod
    def of(cls, given: object) -> "Init":
        """Return an init for whatever a user may give: text, Init, or a function."""
        if isinstance(given, Init):
            return given
        if isinstance(given, str):
            return cls.parse(given)
        if isinstance(given, Mapping):
            return cls(**given)
        if callable(given):
            return cls._of_callable(given)
        raise InvalidValueError(
            f"an init is a name, an Init or a function(shape, rng), "
            f"got {shortened(given)}",
            argument="inits",
        )

    @classmethod
    def labelled(cls, label: str, given: object) -> "Init":
        """Return the init that tables and figures shall call by this label."""
        if callable(given) and not isinstance(given, Init):
            return cls._of_callable(given, label)
        init = cls.of(given)
        renamed = init.model_copy(update={"label": label})
        renamed._draw = init._draw
        return renamed

    @classmethod
    def _of_callable(cls, draw: Callable[..., Any], label: str = "") -> "Init":
        label = label or getattr(draw, "__name__", type(draw).__name__)
        init = cls(name=CALLABLE, label=label, digest=source_digest(draw))
        init._draw = draw
        return init

    @property
    def draw(self) -> Callable[..., Any] | None:
        """The user's function, if this init came from one in this process."""
        return self._draw

    @property
    def has_changed(self) -> bool:
        """Whether the user's function, or a value it refers to, is another by now."""
        return self._draw is not None and source_digest(self._draw) != self.digest

    def __str__(self) -> str:
        """Return the label: what a user would type."""
        return self.label


# What every init takes besides its own.
INIT_SHARED = ("scale", "bias", "label")


def _checked(name: str, parameters: Mapping[str, Any]) -> dict[str, bool | float | str]:
    """Return the parameters that were given, validated by the entry's own model."""
    if name in PROCEDURE_NAMES:
        raise InvalidValueError(
            f"{name}: needs a batch of data and a way to run the network: call "
            f"initlab.catalog.{name}(weights, forward, rng=...)"
        )
    if name not in INIT_PARAMETERS:
        raise UnknownNameError("init", name, [*INIT_NAMES, *INIT_ALIASES])
    model = INIT_PARAMETERS[name]
    for parameter in parameters.keys() - model.model_fields.keys():
        allowed = [*model.model_fields, "scale", "bias"]
        raise UnknownNameError(f"parameter of {name}", parameter, allowed)
    try:
        return model(**parameters).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise InvalidValueError(f"{name}: {one_line(error, model)}") from None


def _typed(values: Mapping[str, Any]) -> str:
    """Return `name(parameter=value)` with whole numbers short: 10, not 10.0."""
    shown = dict(values.get("parameters", {}))
    if values.get("scale", 1.0) != 1.0:
        shown["scale"] = values["scale"]
    if values.get("bias", 0.0) != 0.0:
        shown["bias"] = values["bias"]
    listed = ", ".join(f"{key}={_short(value)}" for key, value in shown.items())
    return f"{values['name']}({listed})" if listed else str(values["name"])


def _short(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _parsed(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the keyword arguments of `name(parameter=value, ...)`."""
    wrong = InvalidValueError(
        f"init {shortened(text)}: write name or name(parameter=value), as in "
        "he_normal, normal(std=10) or zeros(label='a/b'): text is quoted unless it is "
        "one word"
    )
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise wrong from None
    if isinstance(node, ast.Name):
        return node.id, {}
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise wrong
    if node.args or any(keyword.arg is None for keyword in node.keywords):
        raise wrong
    names = [str(keyword.arg) for keyword in node.keywords]
    if len(set(names)) < len(names):
        raise wrong
    try:
        return node.func.id, {
            name: _literal(keyword.value)
            for name, keyword in zip(names, node.keywords, strict=True)
        }
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise wrong from None


def _literal(node: ast.expr) -> object:
    """Return a number or a word; shells eat quotes, so mode=fan_out may be bare."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
