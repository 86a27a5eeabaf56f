"""Faults of scale: gains, fans, heads, embeddings, gates and attention."""

import math
from random import Random

from torch import nn

from check import places
from check.scales import inputs_of_unit
from check.tensor_faults import Where

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d)


def _names(found: list[places.Named]) -> Where:
    return {name for name, _ in found}


def default_start(model: nn.Module, random: Random) -> Where:
    """PyTorch's own start in a chain that is too deep for it."""
    for _, layer in places.layers(model):
        layer.reset_parameters()
    return _names(places.layers(model))


def lecun_start(model: nn.Module, random: Random) -> Where:
    """Variance 1 / fan_in: no gain for the activation."""
    for _, layer in places.hidden(model):
        nn.init.normal_(layer.weight, std=inputs_of_unit(layer) ** -0.5)
    return _names(places.hidden(model))


def gain_too_large(model: nn.Module, random: Random) -> Where:
    factor = random.uniform(1.6, 2.2)
    for _, layer in places.hidden(model):
        layer.weight.mul_(factor)
    return _names(places.hidden(model))


def gain_of_another(model: nn.Module, random: Random) -> Where:
    """He's gain, or PyTorch's start, where the activation is not ReLU."""
    found = places.hidden(model)
    for _, layer in found:
        if type(model).__name__ == "Siren":
            layer.reset_parameters()
        else:
            layer.weight.mul_(math.sqrt(2))
    return _names(found)


def loud_layer(model: nn.Module, random: Random) -> Where:
    name, layer = places.one_hidden(model, random)
    layer.weight.mul_(100)
    return {name}


def quiet_layer(model: nn.Module, random: Random) -> Where:
    name, layer = places.one_hidden(model, random)
    layer.weight.mul_(0.01)
    return {name}


def tiny_normal(model: nn.Module, random: Random) -> Where:
    """A fixed deviation of .01, whatever the fans."""
    for _, layer in places.layers(model):
        nn.init.normal_(layer.weight, std=0.01)
        layer.bias.zero_()
    return _names(places.layers(model))


def wide_normal(model: nn.Module, random: Random) -> Where:
    """A fixed deviation of 1, whatever the fans."""
    for _, layer in places.layers(model):
        nn.init.normal_(layer.weight, std=1.0)
    return _names(places.layers(model))


def _rescaled(found: list[places.Named], used) -> Where:
    """Divide by another fan than the own one; where the two differ, that is a fault."""
    where = set()
    for name, layer in found:
        own, other = inputs_of_unit(layer), used(layer)
        layer.weight.mul_(math.sqrt(own / other))
        if not 0.6 < own / other < 1.7:
            where.add(name)
    return where


def fan_out(model: nn.Module, random: Random) -> Where:
    """The other fan."""
    found = [one for one in places.layers(model) if not isinstance(one[1], TRANSPOSED)]
    return _rescaled(
        found,
        lambda layer: len(layer.weight) * math.prod(layer.weight.shape[2:]),
    )


def kernel_left_out(model: nn.Module, random: Random) -> Where:
    """Channels only, as if the kernel were 1 x 1."""
    found = [one for one in places.layers(model) if isinstance(one[1], nn.Conv2d)]
    return _rescaled(found, lambda layer: layer.weight.shape[1])


def groups_ignored(model: nn.Module, random: Random) -> Where:
    """All channels, although each unit sees only its group's."""
    found = [one for one in places.layers(model) if getattr(one[1], "groups", 1) > 1]
    return _rescaled(found, lambda layer: inputs_of_unit(layer) * layer.groups)


def transposed_swapped(model: nn.Module, random: Random) -> Where:
    """PyTorch's fan of a transposed convolution: the outputs, and no stride."""
    found = [one for one in places.layers(model) if isinstance(one[1], TRANSPOSED)]
    return _rescaled(found, lambda layer: math.prod(layer.weight.shape[1:]))


def collapse(model: nn.Module, random: Random) -> Where:
    """Small weights and large biases: all inputs come out alike."""
    for _, layer in places.hidden(model):
        layer.weight.mul_(0.6)
        nn.init.normal_(layer.bias, std=1.0)
    return _names(places.layers(model))


def saturated(model: nn.Module, random: Random) -> Where:
    name, layer = places.one_hidden(model, random)
    layer.weight.mul_(random.uniform(20, 40))
    return {name}


def loud_head(model: nn.Module, random: Random) -> Where:
    name, layer = places.head(model)
    layer.weight.mul_(40)
    return {name}


def residual_growth(model: nn.Module, random: Random) -> Where:
    """Every branch adds a multiple of its trunk, block after block."""
    where = set()
    for name, one in model.named_modules():
        if name.startswith("narrow."):
            one.weight.mul_(2 * math.sqrt(len(model.narrow)))
            where |= {name, name.replace("narrow", "wide"), "narrow"}
        elif hasattr(one, "alpha") and hasattr(one, "conv2"):
            nn.init.kaiming_normal_(one.conv1.weight, nonlinearity="relu")
            nn.init.kaiming_normal_(one.conv2.weight, nonlinearity="relu")
            one.alpha.fill_(2.0)
            where |= places.inside(name, one)
    return where


def loud_embedding(model: nn.Module, random: Random) -> Where:
    """Normals of 1, PyTorch's start, on an embedding that is the head as well."""
    found = [
        one
        for one in model.named_modules(remove_duplicate=False)
        if isinstance(one[1], nn.Embedding) and one[0] != "wpe"
    ]
    nn.init.normal_(found[0][1].weight, std=3.0 if hasattr(model, "recurrent") else 1.0)
    return {found[0][0], places.head(model)[0]}


def _gates(model: nn.Module, beginning: str):
    for name, module in model.named_modules():
        if isinstance(module, nn.RNNBase | nn.RNNCellBase):
            for parameter, tensor in module.named_parameters():
                if parameter.startswith(beginning):
                    yield name, module, tensor


def forgets(model: nn.Module, random: Random) -> Where:
    """Gates that keep a twentieth of the state from step to step."""
    where = set()
    for name, module, tensor in _gates(model, "bias_hh"):
        size = module.hidden_size
        tensor[size : 2 * size] = -3.0
        where.add(name)
    return where


def recurrent_growth(model: nn.Module, random: Random) -> Where:
    """Recurrent weights whose spectral radius is about 4."""
    where = set()
    for name, _, tensor in _gates(model, "weight_hh"):
        tensor.mul_(4)
        where.add(name)
    return where


def sharp_attention(model: nn.Module, random: Random) -> Where:
    """Queries and keys so large that each token attends to one other."""
    where = set()
    for name, layer in places.named(model, "qkv", "query", "key"):
        width = layer.in_features
        nn.init.normal_(layer.weight[: 2 * width], std=3 / math.sqrt(width))
        where |= {name, name.rsplit(".", 1)[0]}
    return where


def tokens_alike(model: nn.Module, random: Random) -> Where:
    """The first attention adds a mean of all tokens that drowns each of them."""
    names = ("attn", "self_attn")
    block = places.named(model, *names) or places.blocks(model)
    name, attention = block[0]
    where = places.inside(name, attention)
    for _, one in attention.named_modules():
        if isinstance(one, nn.Linear) and one.out_features == one.in_features:
            one.weight.mul_(40)
    packed = getattr(attention, "qkv", None) or attention
    weight = getattr(packed, "in_proj_weight", getattr(packed, "weight", None))
    if weight is not None:
        third = len(weight) // 3
        weight[: 2 * third].zero_()
        weight[2 * third :].mul_(20)
    else:
        attention.query.weight.zero_()
        attention.key.weight.zero_()
        attention.fc2.weight.mul_(1 / 40)
    return where | {name.rsplit(".", 1)[0]}


def underflow(model: nn.Module, random: Random) -> Where:
    """Half precision, and a first layer whose outputs it cannot hold."""
    name, layer = places.layers(model)[0]
    layer.weight.mul_(1e-6)
    model.half()
    return {name}
