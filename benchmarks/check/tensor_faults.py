"""Faults of single tensors: not finite, all alike, zero, inactive, unused."""

import math
from random import Random

import torch
from torch import nn

from check import places

Where = set[str]


def not_a_number(model: nn.Module, random: Random) -> Where:
    name, layer = random.choice(places.layers(model))
    layer.weight.view(-1)[random.randrange(layer.weight.numel())] = math.nan
    return {name}


def overflow(model: nn.Module, random: Random) -> Where:
    found = places.named(model, "fc1") or places.hidden(model)
    name, layer = random.choice(found)
    layer.weight.mul_(1e38)
    return {name}


def constant_layer(model: nn.Module, random: Random) -> Where:
    name, layer = places.one_hidden(model, random)
    layer.weight.fill_(float(layer.weight.std()))
    layer.bias.zero_()
    return {name}


def twins(model: nn.Module, random: Random) -> Where:
    """Half of a layer's units are copies, and are read alike."""
    (name, layer), (reader, reading) = places.pair(model, random)
    half = len(layer.weight) // 2
    layer.weight[half : 2 * half] = layer.weight[:half]
    layer.bias[half : 2 * half] = layer.bias[:half]
    reading.weight[:, half : 2 * half] = reading.weight[:, :half]
    return {name, reader}


def almost_twins(model: nn.Module, random: Random) -> Where:
    """All units of a layer are alike, and are read alike, up to rounding."""
    (name, layer), (reader, reading) = places.pair(model, random)
    for weight in (layer.weight, reading.weight.transpose(0, 1)):
        noise = 1 + 1e-6 * torch.randn_like(weight)
        weight.copy_(weight[:1].expand_as(weight) * noise)
    layer.bias.fill_(float(layer.bias[0]))
    return {name, reader}


def cloned_blocks(model: nn.Module, random: Random) -> Where:
    """Every block of a stack is a copy of the first."""
    stack = places.blocks(model)
    first = stack[0][1].state_dict()
    for _, block in stack[1:]:
        block.load_state_dict(first)
    return set().union(
        {stack[0][0].rsplit(".", 1)[0]}, *(places.inside(*one) for one in stack)
    )


def zero_layer(model: nn.Module, random: Random) -> Where:
    name, layer = places.one_hidden(model, random)
    layer.weight.zero_()
    layer.bias.zero_()
    return {name}


def zero_both_ends(model: nn.Module, random: Random) -> Where:
    """Both layers of one branch are 0: neither can ever learn."""
    if hasattr(model, "down"):  # adapters: two factors of one product
        place = random.randrange(len(model.down))
        model.down[place].zero_()
        return {"", "down", "up", f"down.{place}", f"up.{place}"}
    first, second = ("wide", "narrow") if hasattr(model, "wide") else ("fc1", "fc2")
    if first == "wide":
        place = random.randrange(len(model.wide))
        ends = [
            (f"{one}.{place}", getattr(model, one)[place]) for one in (first, second)
        ]
    else:
        place = random.randrange(len(places.named(model, first)))
        ends = [places.named(model, one)[place] for one in (first, second)]
    for _, layer in ends:
        layer.weight.zero_()
        layer.bias.zero_()
    return {name for name, _ in ends}


def all_zero(model: nn.Module, random: Random) -> Where:
    for _, layer in places.layers(model):
        layer.weight.zero_()
        layer.bias.zero_()
    return {name for name, _ in places.layers(model)}


def inactive(model: nn.Module, random: Random) -> Where:
    """Biases far below 0 switch four units in five off."""
    name, layer = random.choice(places.rectified(model))
    layer.bias[torch.rand(len(layer.bias)) < 0.8] = -12.0
    return {name}


def gamma_zero(model: nn.Module, random: Random) -> Where:
    """A normalization that everything passes through multiplies by 0."""
    branches = ("bn2", "norm1", "norm2")
    norms = [
        (name, one)
        for name, one in model.named_modules()
        if isinstance(one, nn.BatchNorm2d | nn.LayerNorm)
        and name.rsplit(".", 1)[-1] not in branches
        and not name.startswith(("layers", "blocks"))
    ]
    name, norm = random.choice(norms)
    norm.weight.zero_()
    return {name}


def unused(model: nn.Module, random: Random) -> Where:
    """A layer that no call reaches."""
    model.forgotten = nn.Linear(8, 8 + random.randrange(8))
    return {"forgotten"}


def never_initialized(model: nn.Module, random: Random) -> Where:
    """A weight that is whatever the memory held."""
    name, layer = random.choice(places.layers(model))
    layer.weight = nn.Parameter(torch.empty_like(layer.weight))
    return {name}
