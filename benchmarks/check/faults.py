"""The planted faults: what was broken, in which model, which check should say so.

Every fault is planted in three models or more, from five seeds. A seed draws the
model's weights, and which layer is hurt.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

import torch
from torch import nn

from check import scale_faults as scale
from check import step_faults as step
from check import tensor_faults as tensor
from check.healthy import HEALTHY
from check.subject import Subject, seeded

SEEDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault.

    Attributes:
        checks: Ids of checks, any of which names it rightly.
        hosts: Models that it is planted in.
        plant: `(model, random)` -> names of the modules, any of which is right.
        alter: `subject` -> subject with another batch or optimizer.
        harms: Whether a model trains worse for it.
    """

    checks: tuple[str, ...]
    hosts: tuple[str, ...]
    plant: Callable[[nn.Module, Random], set[str]]
    alter: Callable[[Subject], Subject] = lambda subject: subject
    harms: bool = True


_GAIN = ("WI05", "WI07")
_CHAINS = ("mlp_relu_30", "plain_convolutions_20", "mlp_gelu_24")

FAULTS = MappingProxyType(
    {
        "not a number": Fault(
            checks=("WI01",),
            hosts=("mlp_relu_4", "resnet_v1", "gpt"),
            plant=tensor.not_a_number,
        ),
        "overflow": Fault(
            checks=("WI01",),
            hosts=("mlp_gelu_8", "vgg", "vit"),
            plant=tensor.overflow,
        ),
        "constant layer": Fault(
            checks=("WI02",),
            hosts=("mlp_relu_4", "vgg", "autoencoder"),
            plant=tensor.constant_layer,
        ),
        "twin units": Fault(
            checks=("WI02",), hosts=("mlp_relu_4", "vgg", "gpt"), plant=tensor.twins
        ),
        "units alike but for rounding": Fault(
            checks=("WI02", "WI04"),
            hosts=("mlp_relu_4", "mlp_tanh_5", "vgg"),
            plant=tensor.almost_twins,
        ),
        "cloned blocks": Fault(
            checks=("WI02",),
            # Not torch_encoder: PyTorch's own stack copies its layer by design.
            hosts=("vit", "gpt", "llama"),
            plant=tensor.cloned_blocks,
            harms=False,
        ),
        "zero layer": Fault(
            checks=("WI03",),
            hosts=("mlp_relu_4", "vgg", "mlp_selu_20"),
            plant=tensor.zero_layer,
        ),
        "both ends of a branch zero": Fault(
            checks=("WI03",),
            hosts=("vit", "gpt", "residual_mlp", "low_rank_adapted"),
            plant=tensor.zero_both_ends,
            harms=False,
        ),
        "every weight zero": Fault(
            checks=("WI02", "WI03", "WI04"),
            hosts=("mlp_relu_4", "alexnet", "mlp_tanh_12"),
            plant=tensor.all_zero,
        ),
        "default start, too deep": Fault(
            checks=_GAIN, hosts=_CHAINS, plant=scale.default_start
        ),
        "no gain": Fault(checks=_GAIN, hosts=_CHAINS, plant=scale.lecun_start),
        "gain too large": Fault(
            checks=(*_GAIN, "WI09", "WI10"), hosts=_CHAINS, plant=scale.gain_too_large
        ),
        "gain of another activation": Fault(
            checks=_GAIN,
            hosts=("mlp_selu_20", "siren", "looks_linear"),
            plant=scale.gain_of_another,
        ),
        "one loud layer": Fault(
            checks=("WI05", "WI07", "WI09"),
            hosts=("mlp_gelu_8", "vgg", "grouped"),
            plant=scale.loud_layer,
        ),
        "one quiet layer": Fault(
            checks=("WI05", "WI07", "WI08"),
            hosts=("mlp_gelu_8", "vgg", "grouped"),
            plant=scale.quiet_layer,
        ),
        "normal of .01 everywhere": Fault(
            checks=("WI05", "WI07", "WI08"),
            hosts=("mlp_relu_30", "vgg", "alexnet"),
            plant=scale.tiny_normal,
        ),
        "normal of 1 everywhere": Fault(
            checks=("WI05", "WI07", "WI09"),
            hosts=("mlp_gelu_8", "vgg", "alexnet"),
            plant=scale.wide_normal,
        ),
        "fan_out for fan_in": Fault(
            checks=("WI06",),
            hosts=("autoencoder", "residual_mlp", "convolutional_autoencoder"),
            plant=scale.fan_out,
        ),
        "kernel area left out": Fault(
            checks=("WI06",),
            hosts=("vgg", "plain_convolutions_20", "unet"),
            plant=scale.kernel_left_out,
        ),
        "groups ignored": Fault(
            checks=("WI06",),
            hosts=("grouped", "depthwise", "grouped_4"),
            plant=scale.groups_ignored,
        ),
        "transposed fans swapped": Fault(
            checks=("WI06",),
            hosts=("convolutional_autoencoder", "upsampled_series", "decoder"),
            plant=scale.transposed_swapped,
        ),
        "inputs come out alike": Fault(
            checks=("WI11", "WI07", "WI05"),
            hosts=("mlp_tanh_12", "mlp_relu_30", "mlp_gelu_24"),
            plant=scale.collapse,
        ),
        "inactive units": Fault(
            checks=("WI12",),
            hosts=("mlp_relu_4", "vgg", "autoencoder"),
            plant=tensor.inactive,
        ),
        "saturated layer": Fault(
            checks=("WI13", "WI05"),
            hosts=("mlp_tanh_5", "mlp_tanh_12", "lenet_tanh"),
            plant=scale.saturated,
        ),
        "loud head": Fault(
            checks=("WI14",),
            hosts=("mlp_relu_4", "resnet_v1", "post_norm"),
            plant=scale.loud_head,
        ),
        "prior ignored": Fault(
            checks=("WI15",),
            hosts=("mlp_relu_4", "resnet_v1", "spectral_norm_critic"),
            plant=step.nothing_but_head,
            alter=step.imbalanced,
        ),
        "residual growth": Fault(
            checks=("WI16",),
            hosts=("skipinit", "fixup", "residual_mlp"),
            plant=scale.residual_growth,
        ),
        "gamma zero on the trunk": Fault(
            checks=("WI17",),
            hosts=("resnet_v1", "vgg_batch_norm", "vit", "convnext"),
            plant=tensor.gamma_zero,
        ),
        "loud tied embedding": Fault(
            checks=("WI18",),
            hosts=("gpt", "tied_lstm", "llama_tied"),
            plant=scale.loud_embedding,
        ),
        "gates that forget": Fault(
            checks=("WI19",),
            hosts=("lstm", "lstm_2_layers", "gru", "gru_cell"),
            plant=scale.forgets,
        ),
        "recurrent growth": Fault(
            checks=("WI19",),
            hosts=("rnn_tanh", "lstm", "gru"),
            plant=scale.recurrent_growth,
        ),
        "unused layer": Fault(
            checks=("WI21",),
            hosts=("functional_mlp", "resnet_v1", "gpt"),
            plant=tensor.unused,
            harms=False,
        ),
        "never initialized": Fault(
            checks=("WI21",),
            hosts=("functional_mlp", "vgg", "gpt"),
            plant=tensor.never_initialized,
            alter=step.by_factory,
            harms=False,
        ),
        "underflow in half precision": Fault(
            checks=("WI22",),
            hosts=("mlp_relu_4", "mlp_gelu_8", "lenet_tanh"),
            plant=scale.underflow,
            alter=step.in_half_precision,
            harms=False,
        ),
        "attention to one token": Fault(
            checks=("WI23",),
            hosts=("vit", "gpt", "post_norm"),
            plant=scale.sharp_attention,
            harms=False,
        ),
        "tokens alike": Fault(
            checks=("WI23", "WI05"),
            hosts=("vit", "post_norm", "torch_encoder"),
            plant=scale.tokens_alike,
        ),
        "first step too long": Fault(
            checks=("WI24",),
            hosts=("mlp_relu_4", "resnet_v1", "gpt"),
            plant=step.nothing,
            alter=step.long_steps,
            harms=False,
        ),
        "first step too short": Fault(
            checks=("WI24",),
            hosts=("mlp_relu_4", "resnet_v1", "gpt"),
            plant=step.nothing,
            alter=step.short_steps,
            harms=False,
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault in a model, from a seed."""

    fault: str
    host: str
    seed: int

    @property
    def subject(self) -> Subject:
        """The model with its fault, its batch, its loss and its optimizer."""
        fault, host = FAULTS[self.fault], HEALTHY[self.host]

        def construct() -> nn.Module:
            model = host.construct()
            with torch.no_grad():
                fault.plant(model, Random(self.seed))
            return model

        name = f"{self.host}, {self.fault}, {self.seed}"
        return replace(fault.alter(host), name=name, construct=construct)

    def where(self) -> set[str]:
        """The modules, any of which is the right one."""
        with seeded(self.seed), torch.no_grad():
            model = HEALTHY[self.host].construct()
            return FAULTS[self.fault].plant(model, Random(self.seed))


def cases(seeds: int = SEEDS) -> Iterator[Case]:
    """Every fault, in every one of its hosts, from so many seeds."""
    for name, fault in FAULTS.items():
        for host in fault.hosts:
            for seed in range(seeds):
                yield Case(fault=name, host=host, seed=seed)


def manifest(seeds: int = SEEDS) -> Iterator[str]:
    """One line of JSON per case: what was planted, and what should be said."""
    for case in cases(seeds):
        yield json.dumps(
            {
                "fault": case.fault,
                "model": case.host,
                "seed": case.seed,
                "checks": FAULTS[case.fault].checks,
                "modules": sorted(case.where()),
            }
        )
