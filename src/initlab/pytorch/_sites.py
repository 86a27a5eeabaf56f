"""Where a model's weights are: by the types of its modules, or as it was read."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from initlab.errors import InvalidValueError
from initlab.pytorch._norms import is_normalization
from initlab.pytorch._reparametrized import at_rest, parameter_behind
from initlab.spec import LayerSpec

_GATES = {"lstm": 4, "gru": 3, "rnn": 1}
# Activations as modules, by the names that a reading gives them.
_ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.LeakyReLU: "leaky_relu",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Mish: "mish",
    nn.Hardswish: "hardswish",
    nn.ELU: "elu",
    nn.CELU: "elu",
    nn.SELU: "selu",
    nn.Softplus: "softplus",
    nn.Identity: "identity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A weight of a model, and what decides how it should start.

    Attributes:
        module: Path of the module that owns it.
        tensor: Its name in that module: `"weight"`, `"in_proj_weight"`.
        layer: Its geometry.
        bias: Full name of the bias that is added; None without.
        more_biases: Of other layers that use the same weight.
        activation: The first after it; None where that is not known.
        negative_slope: Of a leaky ReLU.
        role: `"input"` or `"recurrent"` of a recurrent layer, else "".
        stored_transposed: Whether it is stored as `(in, out)`.
        branch_end: Whether it is the last layer of a residual branch.
        head: Whether no layer comes after it.
        stem: Whether no layer comes before it.
        adapter: Whether it is a factor of a low-rank side path.
        normed: Whether a normalization reads what it makes.
        tied: Whether it is an embedding's table, too.
        computed: Whether it is computed from several parameters, in a way that is not
            PyTorch's parametrization.
    """

    module: str
    tensor: str
    layer: LayerSpec
    bias: str | None = None
    more_biases: tuple[str, ...] = ()
    activation: str | None = None
    negative_slope: float = 0.01
    role: str = ""
    stored_transposed: bool = False
    branch_end: bool = False
    head: bool = False
    stem: bool = False
    adapter: bool = False
    normed: bool = False
    tied: bool = False
    computed: bool = False

    @property
    def name(self) -> str:
        """The weight's name, as a user writes it: `encoder.0.weight`."""
        return _joined(self.module, self.tensor)


def sites_by_type(model: nn.Module) -> list[Site]:
    """The weights of modules that PyTorch knows, in the order of registration.

    The activation is known where one follows in the same `nn.Sequential`. Packed
    matrices are known in PyTorch's own attention and recurrent layers only.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        >>> [(one.name, one.activation) for one in sites_by_type(model)]
        [('0.weight', 'tanh'), ('2.weight', None)]
    """
    following = _following(model)
    found: dict[int, Site] = {}
    with at_rest(model):
        for path, module in model.named_modules():
            for site in _named(path, module, following.get(id(module))):
                own = id(weight_of(model, site))
                found[own] = decisive(found.get(own), site)
    chain = list(found.values())
    if chain:
        chain[0] = replace(chain[0], stem=True)
        chain[-1] = replace(chain[-1], head=True)
    return chain


def decisive(known: Site | None, site: Site) -> Site:
    """The site that decides about a weight: of a table that is a head, too, the head.

    Example:
        >>> table = Site(module="0", tensor="weight",
        ...              layer=LayerSpec(kind="embedding", shape=(5, 2)))
        >>> head = Site(module="1", tensor="weight", layer=LayerSpec(shape=(5, 2)))
        >>> decisive(table, head).module, decisive(head, table).tied
        ('1', True)
    """
    if known is None:
        return site
    first, second = (one.layer.kind == "embedding" for one in (known, site))
    own, other = (site, known) if first else (known, site)
    more = dict.fromkeys((*own.more_biases, *other.more_biases, other.bias))
    biases = tuple(one for one in more if one and one != own.bias)
    return replace(own, tied=own.tied or first != second, more_biases=biases)


def weight_of(model: nn.Module, site: Site) -> torch.Tensor:
    """The tensor at a site; of a parametrized one, the parameter behind it."""
    return parameter_behind(model.get_submodule(site.module), site.tensor)


def _following(model: nn.Module) -> dict[int, tuple[str, float]]:
    """Return the activations that follow modules in a Sequential, by module's id."""
    found = {}
    for chain in model.modules():
        if not isinstance(chain, nn.Sequential):
            continue
        members = list(chain)
        for place, member in enumerate(members):
            rest = [one for one in members[place + 1 :] if not _is_passed(one)]
            if rest and (name := _ACTIVATIONS.get(type(rest[0]))):
                found[id(member)] = (name, getattr(rest[0], "negative_slope", 0.01))
    return found


def _is_passed(module: nn.Module) -> bool:
    """Whether what a layer makes goes through to an activation behind."""
    return isinstance(module, nn.modules.dropout._DropoutNd) or is_normalization(module)


def _named(
    path: str, module: nn.Module, following: tuple[str, float] | None
) -> Iterator[Site]:
    """Yield a module's sites; a layer that has no weights at all is refused by name."""
    try:
        yield from _of_module(path, module, following)
    except InvalidValueError as error:
        kind = type(module).__name__
        where = f"{path} ({kind})" if path else kind
        raise error.within("model", f": {where}") from None


def _of_module(
    path: str, module: nn.Module, following: tuple[str, float] | None
) -> Iterator[Site]:
    activation, slope = following or (None, 0.01)
    if isinstance(module, nn.Linear):
        layer = LayerSpec(shape=tuple(module.weight.shape))
    elif isinstance(module, nn.Bilinear):
        units, *inputs = module.weight.shape
        layer = LayerSpec(shape=(units, math.prod(inputs)))
    elif isinstance(module, nn.modules.conv._ConvNd):
        layer = LayerSpec(
            kind="conv",
            shape=tuple(module.weight.shape),
            groups=module.groups,
            stride=tuple(module.stride),
            dilation=tuple(module.dilation),
            transposed=module.transposed,
        )
    elif isinstance(module, nn.Embedding | nn.EmbeddingBag):
        layer = LayerSpec(kind="embedding", shape=tuple(module.weight.shape))
    elif isinstance(module, nn.MultiheadAttention):
        yield from _of_attention(path, module)
        return
    elif isinstance(module, nn.RNNBase | nn.RNNCellBase):
        yield from _of_recurrent(path, module)
        return
    else:
        return
    has_bias = getattr(module, "bias", None) is not None
    yield Site(
        module=path,
        tensor="weight",
        layer=layer,
        bias=_joined(path, "bias") if has_bias else None,
        activation=activation,
        negative_slope=slope,
    )


def _of_attention(path: str, module: nn.MultiheadAttention) -> Iterator[Site]:
    for tensor in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
        weight = getattr(module, tensor, None)
        if weight is None:
            continue
        packed = 3 if tensor == "in_proj_weight" else 1
        # One bias is added to all three; it belongs to the first.
        first = tensor in ("in_proj_weight", "q_proj_weight")
        has_bias = first and module.in_proj_bias is not None
        yield Site(
            module=path,
            tensor=tensor,
            layer=LayerSpec(shape=tuple(weight.shape), packed=packed),
            bias=_joined(path, "in_proj_bias") if has_bias else None,
            activation="identity",
        )


def _of_recurrent(path: str, module: nn.Module) -> Iterator[Site]:
    kind = type(module).__name__.lower().removesuffix("cell")
    for tensor, weight in module.named_parameters(recurse=False):
        if not tensor.startswith("weight"):
            continue
        # An LSTM's projection of its state has no gates.
        packed = 1 if tensor.startswith("weight_hr") else _GATES.get(kind, 1)
        bias = tensor.replace("weight", "bias")
        yield Site(
            module=path,
            tensor=tensor,
            layer=LayerSpec(shape=tuple(weight.shape), packed=packed),
            bias=_joined(path, bias) if hasattr(module, bias) else None,
            activation="identity",
            role="recurrent" if tensor.startswith("weight_hh") else "input",
        )


def _joined(module: str, tensor: str) -> str:
    return f"{module}.{tensor}" if module else tensor
