"""Numbers into parameters, in the way that the model stores them."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from initlab import catalog
from initlab.errors import InvalidValueError
from initlab.pytorch._counter import standardized
from initlab.pytorch._draws import Index, draw_weight, is_elementwise, mean_of
from initlab.pytorch._padding import padding_rows
from initlab.pytorch._reparametrized import hook_of, write_computed
from initlab.pytorch._shards import held
from initlab.pytorch._sites import Site, weight_of
from initlab.pytorch._variances import Adapted
from initlab.rng import stream


def drawn_weight(
    site: Site,
    shape: tuple[int, ...],
    law: Adapted,
    *,
    name: str,
    seed: int,
    part: Index | None = None,
) -> np.ndarray:
    """The new weight in the shape that the model stores.

    A tensor of several matrices, as experts', has a stream for each of them.

    Args:
        site: Where the weight is.
        shape: Of the tensor as stored.
        law: What it is drawn from.
        name: The parameter's; decides the stream.
        seed: The root seed.
        part: What this rank holds of it; None: the whole.

    Raises:
        InvalidValueError: If the entry cannot start this layer.

    Example:
        >>> from initlab.spec import Init, LayerSpec
        >>> law = Adapted(init=Init.of("he_normal"), reason="")
        >>> site = Site(
        ...     module="", tensor="weight", layer=LayerSpec(shape=(2, 3)),
        ...     stored_transposed=True,
        ... )
        >>> drawn_weight(site, (8, 3, 2), law, name="weight", seed=0).shape
        (8, 3, 2)
    """
    layer, init = site.layer, law.init
    if part is not None and shape == layer.shape:
        return draw_weight(init, layer, name=name, seed=seed, index=part)
    if part is not None:
        return drawn_weight(site, shape, law, name=name, seed=seed)[tuple(part)]
    # In x @ weight.T, too, the applied matrix is stored the other way round.
    for stored, turn in ((layer.shape, False), (layer.shape[::-1], True)):
        lead = shape[: len(shape) - len(stored)]
        if shape[len(lead) :] == stored and (site.stored_transposed or not turn):
            labels = (
                [f"{name}[{n}]" for n in range(math.prod(lead))] if lead else [name]
            )
            each = [draw_weight(init, layer, name=one, seed=seed) for one in labels]
            return np.stack([one.T if turn else one for one in each]).reshape(shape)
    size = math.prod(shape)
    if is_elementwise(init) and size % math.prod(layer.shape) == 0:
        # Axes in an order of einsum's: independent entries have no order.
        many = size // math.prod(layer.shape)
        each = [
            draw_weight(init, layer, name=f"{name}[{n}]", seed=seed).ravel()
            for n in range(many)
        ]
        return np.concatenate(each).reshape(shape)
    raise _other_layout(site, shape, law, name)


def drawn_complex(
    site: Site,
    shape: tuple[int, ...],
    law: Adapted,
    *,
    name: str,
    seed: int,
    part: Index | None = None,
) -> np.ndarray:
    """The new weight of complex numbers, of which E|w|^2 is the law's variance.

    Independent entries get both parts, each with half of the variance and a stream of
    its own; other entries are real, as orthogonal matrices and constants, which are
    what their names say without an imaginary part, too.

    Args:
        site: As for `drawn_weight`.
        shape: As there.
        law: As there.
        name: As there.
        seed: As there.
        part: As there.

    Example:
        >>> from initlab.spec import Init, LayerSpec
        >>> law = Adapted(init=Init.of("he_normal"), reason="")
        >>> site = Site(module="", tensor="weight", layer=LayerSpec(shape=(2, 3)))
        >>> drawn_complex(site, (2, 3), law, name="weight", seed=0).dtype
        dtype('complex128')
    """
    first, second = name, f"{name}.imag"
    real = drawn_weight(site, shape, law, name=first, seed=seed, part=part)
    if not has_both_parts(law):
        return real.astype(np.complex128)
    imaginary = drawn_weight(site, shape, law, name=second, seed=seed, part=part)
    both: np.ndarray = (real + 1j * imaginary) / math.sqrt(2)
    return both


def has_both_parts(law: Adapted) -> bool:
    """Whether complex weights of this law have an imaginary part.

    Example:
        >>> from initlab.spec import Init
        >>> [has_both_parts(Adapted(init=Init.of(one), reason="")) for one in
        ...  ("he_normal", "uniform(low=0, high=1)", "orthogonal")]
        [True, False, False]
    """
    return is_elementwise(law.init) and not mean_of(law.init)


def refuse_other_layout(
    site: Site, shape: tuple[int, ...], law: Adapted, name: str
) -> None:
    """Refuse what `drawn_weight` would, without drawing.

    Args:
        site: Where the weight is.
        shape: Of the tensor as stored.
        law: What it is drawn from.
        name: The parameter's.

    Raises:
        InvalidValueError: If its matrix is no block of the tensor, and has to be.

    Example:
        >>> from initlab.spec import Init, LayerSpec
        >>> site = Site(module="", tensor="weight", layer=LayerSpec(shape=(2, 3)))
        >>> law = Adapted(init=Init.of("orthogonal"), reason="")
        >>> refuse_other_layout(site, (8, 2, 3), law, "weight")
    """
    size = len(site.layer.shape)
    is_block = shape[len(shape) - size :] == site.layer.shape
    is_turned = site.stored_transposed and (
        shape[len(shape) - size :] == site.layer.shape[::-1]
    )
    many = math.prod(shape) / math.prod(site.layer.shape)
    if not (is_block or is_turned or (is_elementwise(law.init) and many % 1 == 0)):
        raise _other_layout(site, shape, law, name)


def _other_layout(
    site: Site, shape: tuple[int, ...], law: Adapted, name: str
) -> InvalidValueError:
    return InvalidValueError(
        f"init {law.init}: {name} is stored as {shape}, in which its matrix of "
        f"{site.layer.shape} is not one block; give an init of independent entries, "
        "such as he_normal"
    )


def drawn_bias(
    site: Site, count: int, law: Adapted, *, name: str, seed: int, forget_bias: float
) -> np.ndarray:
    """The new biases of a layer.

    Args:
        site: Where its weight is.
        count: Of the biases.
        law: What the weight is drawn from.
        name: The bias's.
        seed: The root seed.
        forget_bias: Of an LSTM's forget gates; the recurrent bias takes it.

    Example:
        >>> from initlab.spec import Init, LayerSpec
        >>> law = Adapted(init=Init.of("he_normal"), reason="")
        >>> layer = LayerSpec(shape=(8, 2), packed=4)
        >>> site = Site(module="", tensor="weight_hh", layer=layer, role="recurrent")
        >>> drawn_bias(site, 8, law, name="b", seed=0, forget_bias=1.0).tolist()
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    init = law.init
    entry = catalog.CATALOG.get(init.name)
    if entry is not None and entry.bias is not None:
        rng = stream(seed, "initialize", name)
        layer = site.layer
        if layer.kind == "linear" and count != layer.shape[0]:
            # Of projections kept apart, the first one's site has the bias of all.
            layer = layer.model_copy(update={"shape": (count, layer.shape[1])})
        values = catalog.draw_bias(init, layer, rng=rng)
    else:
        values = np.full(count, init.bias)
        # A normalization removes a bias before it again.
        if law.bias_std and not site.normed:
            values += law.bias_std * standardized("normal", seed, name, 0, count)
    if site.role == "recurrent" and site.layer.packed == 4:
        size = count // 4
        values[size : 2 * size] = forget_bias
    return values


def write_weight(
    model: nn.Module, site: Site, values: np.ndarray, *, name: str, seed: int
) -> bool:
    """Write a weight; of a parametrized one, the parameters that give it.

    Rows of an embedding that are padding stay 0.

    Args:
        model: That has it.
        site: Where it is.
        values: In the shape that the model stores.
        name: The parameter's; decides the stream of what is drawn beside it.
        seed: The root seed.

    Returns:
        Whether the weight is what was written, but for rounding: a parametrization,
        such as a spectral norm, may keep only part of it.

    Example:
        >>> from initlab.spec import LayerSpec
        >>> layer = nn.Linear(2, 1)
        >>> site = Site(module="", tensor="weight", layer=LayerSpec(shape=(1, 2)))
        >>> write_weight(layer, site, np.array([[1.0, 2.0]]), name="weight", seed=0)
        True
        >>> layer.weight.tolist()
        [[1.0, 2.0]]
    """
    module = model.get_submodule(site.module)
    tensor = weight_of(model, site)
    new = torch.from_numpy(np.ascontiguousarray(values))
    with torch.no_grad():
        if hook_of(module, site.tensor) is None and not parametrize.is_parametrized(
            module, site.tensor
        ):
            held(tensor).copy_(new)
            for row in padding_rows(model, tensor):
                tensor[row].zero_()
            return True
        wanted = new.to(tensor.device, tensor.dtype)
        beside = int(stream(seed, "initialize", f"{name}/beside").integers(2**63))
        return write_computed(module, site.tensor, wanted, seed=beside)


def write_values(tensor: torch.Tensor, values: np.ndarray) -> None:
    """Write numbers into a tensor of any type and device, in its shape.

    Example:
        >>> bias = torch.ones(2, dtype=torch.bfloat16)
        >>> write_values(bias, np.zeros(2))
        >>> bias.tolist()
        [0.0, 0.0]
    """
    with torch.no_grad():
        new = torch.from_numpy(np.ascontiguousarray(values))
        own = held(tensor)
        own.copy_(new.reshape(own.shape))


def real_parameter(model: nn.Module, name: str, device: torch.device) -> nn.Parameter:
    """The parameter of that name, out of the meta device if it is there; ties kept.

    Example:
        >>> with torch.device("meta"):
        ...     layer = nn.Linear(2, 1)
        >>> real_parameter(layer, "weight", torch.device("cpu")).device.type
        'cpu'
    """
    found = model.get_parameter(name)
    if found.device.type != "meta":
        return found
    real = nn.Parameter(
        torch.empty_like(found, device=device), requires_grad=found.requires_grad
    )
    for module, own in _holders(model, found):
        module._parameters[own] = real
    return real


def _holders(
    model: nn.Module, parameter: nn.Parameter
) -> Iterator[tuple[nn.Module, str]]:
    for module in model.modules():
        for name, own in list(module._parameters.items()):
            if own is parameter:
                yield module, name
