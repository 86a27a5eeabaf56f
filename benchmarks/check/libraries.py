"""Models of torchvision, timm and transformers at their own start, where installed.

None of them was in view when initlab's checks were written. Most train well from there,
so that an error is a false alarm; what is not sound in a start is said in `KNOWN`.
"""

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType

import torch
from torch import nn

from check import library_configurations
from check.subject import Batch, Subject

CLASSES, WORDS = 1000, 1000
# One or two of each family; sides of images are small, where a model admits it.
_TORCHVISION = (
    "alexnet vgg11 vgg11_bn resnet18 resnet50 resnext50_32x4d wide_resnet50_2 "
    "densenet121 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large "
    "shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 googlenet inception_v3 "
    "efficientnet_b0 efficientnet_v2_s regnet_x_400mf regnet_y_400mf mnasnet0_5 "
    "mnasnet1_0 convnext_tiny swin_t swin_v2_t vit_b_16 maxvit_t"
)
_TIMM = (
    "dm_nfnet_f0 nfnet_l0 nf_resnet50 nf_regnet_b0 eca_nfnet_l0 resnetv2_50 "
    "resnetv2_50x1_bit seresnet50 resnet50d resnest14d ecaresnet26t skresnet18 "
    "res2net50_26w_4s convnext_tiny convnext_atto convnextv2_atto "
    "vit_tiny_patch16_224 vit_base_patch32_clip_224 deit_tiny_patch16_224 "
    "deit3_small_patch16_224 beit_base_patch16_224 beitv2_base_patch16_224 "
    "cait_xxs24_224 mixer_s32_224 gmlp_s16_224 gmixer_12_224 resmlp_12_224 "
    "poolformer_s12 poolformerv2_s12 caformer_s18 efficientvit_b0 efficientvit_m0 "
    "levit_128s coat_tiny coat_lite_tiny pvt_v2_b0 xcit_nano_12_p16_224 "
    "eva02_tiny_patch14_224 hiera_tiny_224 mobilevit_xxs mobilevitv2_050 ghostnet_050 "
    "ghostnetv2_100 hrnet_w18_small dla34 dla46_c botnet26t_256 halonet26t "
    "lambda_resnet26t repvgg_a0 repvit_m0_9 mobileone_s0 tinynet_e "
    "mobilenetv4_conv_small mobilenetv3_small_050 efficientnet_lite0 "
    "tf_efficientnet_b0 mnasnet_small fbnetc_100 spnasnet_100 rexnet_100 regnety_002 "
    "regnetz_b16 semnasnet_050 densenet121 dpn48b inception_v4 inception_resnet_v2 "
    "inception_next_tiny xception41 vgg11 vovnet39a ese_vovnet19b_dw selecsls42b "
    "cspresnet50 cspdarknet53 darknet53 pit_ti_224 tnt_s_patch16_224 twins_svt_small "
    "twins_pcpvt_small crossvit_tiny_240 visformer_tiny swin_tiny_patch4_window7_224 "
    "swinv2_tiny_window8_256 swinv2_cr_tiny_224 maxvit_pico_rw_256 "
    "coatnet_nano_rw_224 edgenext_xx_small focalnet_tiny_srf davit_tiny gcvit_xxtiny "
    "fastvit_t8 fastvit_sa12 nest_tiny sequencer2d_s volo_d1_224 convmixer_768_32 "
    "convit_tiny mvitv2_tiny efficientformer_l1 efficientformerv2_s0 starnet_s1 "
    "rdnet_tiny hgnet_tiny hardcorenas_a tresnet_m nextvit_small mambaout_femto "
    "vit_small_patch16_224 vit_relpos_small_patch16_224 flexivit_small "
    "legacy_seresnet18 gernet_s bat_resnext26ts"
)
_SIDES = {
    "alexnet": 96, "googlenet": 96, "inception_v3": 96, "vit_b_16": 224,
    "maxvit_t": 224,
}  # fmt: skip
# Whose attention needs a map of a certain size.
_TIMM_SIDES = {"halonet26t": 256, "bat_resnext26ts": 256}

KNOWN: Mapping[str, str] = MappingProxyType(
    {
        "torchvision.inception_v3": "the head's deviation is 0.1 at 2,048 inputs, so "
        "that the first loss is about 5 nats over that of knowing nothing",
    }
)


def installed() -> Iterator[Subject]:
    """Yield the models of every library that is here."""
    if _is_here("torchvision"):
        yield from map(_of_torchvision, _TORCHVISION.split())
    if _is_here("timm"):
        yield from map(_of_timm, _TIMM.split())
    if _is_here("transformers"):
        for name in library_configurations.NAMES:
            yield _of_transformers(name)


LIBRARIES = ("torchvision", "timm", "transformers")


def versions() -> dict[str, str]:
    """Versions of the libraries that are here."""
    return {
        name: importlib.import_module(name).__version__
        for name in LIBRARIES
        if _is_here(name)
    }


def _is_here(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _adam(parameters):
    return torch.optim.AdamW(parameters, lr=1e-3)


def _images(side: int, seed: int, size: int) -> Batch:
    stream = torch.Generator().manual_seed(seed)
    return Batch(
        inputs=(torch.randn(size, 3, side, side, generator=stream),),
        targets=torch.randint(0, CLASSES, (size,), generator=stream),
    )


def _of_torchvision(name: str) -> Subject:
    def construct() -> nn.Module:
        models = importlib.import_module("torchvision.models")
        more = (
            {"aux_logits": False, "init_weights": True}
            if name in ("googlenet", "inception_v3")
            else {}
        )
        return getattr(models, name)(weights=None, **more)

    return Subject(
        name=f"torchvision.{name}",
        family="torchvision",
        construct=construct,
        batch=partial(_images, _SIDES.get(name, 64)),
        optimizer=_adam,
        images=True,
        size=4,
        factory=True,
    )


def _of_timm(name: str) -> Subject:
    timm = importlib.import_module("timm")
    known = timm.get_pretrained_cfg(name)
    side = known.input_size[-1] if known.fixed_input_size else 96

    return Subject(
        name=f"timm.{name}",
        family="timm",
        construct=partial(
            timm.create_model, name, pretrained=False, num_classes=CLASSES
        ),
        batch=partial(_images, _TIMM_SIDES.get(name, side)),
        optimizer=_adam,
        images=True,
        size=4,
        factory=True,
    )


class _Logits(nn.Module):
    """A model of transformers, called by position; its logits alone."""

    def __init__(self, model: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self._names = model, names

    def forward(self, *inputs):
        given = dict(zip(self._names, inputs, strict=True))
        return self.model(**given).logits


def _of_transformers(name: str) -> Subject:
    plan = library_configurations.plan(name)

    def batch(seed: int, size: int) -> Batch:
        stream = torch.Generator().manual_seed(seed)
        inputs = tuple(
            torch.randn(size, *shape, generator=stream)
            if shape
            else torch.randint(0, WORDS, (size, 32), generator=stream)
            for shape in plan.inputs.values()
        )
        targets = (
            torch.randint(0, plan.classes, (size,), generator=stream)
            if plan.classes
            else torch.randint(0, WORDS, (size, 32), generator=stream)
        )
        return Batch(inputs=inputs, targets=targets)

    return Subject(
        name=f"transformers.{name}",
        family="transformers",
        construct=lambda: _Logits(plan.construct(), tuple(plan.inputs)),
        batch=batch,
        loss=_of_classes if plan.classes else _of_words,
        optimizer=_adam,
        floating=False,
        size=4,
        factory=True,
    )


def _of_classes(logits, targets):
    return nn.functional.cross_entropy(logits, targets)


def _of_words(logits, targets):
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
