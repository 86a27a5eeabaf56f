"""The healthy models: each trains, and a tool should leave each in peace."""

from functools import partial
from types import MappingProxyType

import torch
from torch.nn import functional

from check import attention, convolutional, plain, recurrent, residual, tasks
from check.subject import Subject

mean_squared = functional.mse_loss


def _adam(rate):
    return lambda parameters: torch.optim.Adam(parameters, lr=rate)


def _trainable(parameters):
    return torch.optim.Adam([one for one in parameters if one.requires_grad], lr=1e-2)


def _momentum(parameters):
    return torch.optim.SGD(parameters, lr=0.02, momentum=0.9)


def _plain(name, construct, batch=tasks.vectors, **options):
    return Subject(
        name=name, family="plain", construct=construct, batch=batch, **options
    )


def _images(name, construct, family="convolutional", batch=tasks.images, **options):
    return Subject(
        name=name,
        family=family,
        construct=construct,
        batch=batch,
        images=True,
        **options,
    )


def _series(name, construct, family="recurrent", **options):
    return Subject(
        name=name, family=family, construct=construct, batch=tasks.series, **options
    )


def _text(name, construct, family="attention", **options):
    return Subject(
        name=name,
        family=family,
        construct=construct,
        batch=tasks.text,
        loss=tasks.of_tokens,
        floating=False,
        size=16,
        **options,
    )


_residual = partial(_images, family="residual")
_attention = partial(_images, family="attention")

_SUBJECTS = (
    _plain("mlp_relu_4", partial(plain.mlp, 4, "relu")),
    _plain("mlp_relu_30", partial(plain.mlp, 30, "relu"), optimizer=_adam(3e-4)),
    _plain("mlp_tanh_12", partial(plain.mlp, 12, "tanh")),
    _plain("mlp_gelu_8", partial(plain.mlp, 8, "gelu")),
    _plain("mlp_selu_20", partial(plain.mlp, 20, "selu"), optimizer=_adam(3e-4)),
    _plain("mlp_tanh_5", partial(plain.mlp, 5, "tanh")),
    _plain("mlp_gelu_24", partial(plain.mlp, 24, "gelu"), optimizer=_adam(3e-4)),
    _plain("mlp_silu_6", partial(plain.mlp, 6, "silu")),
    _plain("mlp_default_3", plain.shallow_default),
    _plain("mlp_batch_norm", plain.batch_norm_mlp, optimizer=_momentum),
    _plain("functional_mlp", plain.Functional, loss=plain.logits_of),
    _plain("repeated_layer", plain.Repeated),
    _plain(
        "autoencoder", plain.Autoencoder, batch=tasks.flat_pictures, loss=mean_squared
    ),
    _plain("looks_linear", plain.LooksLinear, optimizer=_adam(3e-4)),
    _plain(
        "siren",
        plain.Siren,
        batch=tasks.coordinates,
        loss=mean_squared,
        optimizer=_adam(3e-4),
        size=128,
    ),
    _plain("weight_norm_mlp", plain.weight_norm_mlp),
    _plain(
        "spectral_norm_critic",
        plain.spectral_norm_mlp,
        batch=tasks.values,
        loss=mean_squared,
    ),
    _plain("embedding_bag", plain.Bag, batch=tasks.bags, floating=False),
    _plain("low_rank_adapted", plain.Adapted, optimizer=_trainable),
    _images("vgg", convolutional.VGG, batch=tasks.wide_images),
    _images("vgg_batch_norm", convolutional.vgg_batch_norm, optimizer=_momentum),
    _images("alexnet", convolutional.AlexNet, optimizer=_adam(1e-3)),
    _images("densenet", convolutional.DenseNet),
    _images("mobilenet_se", convolutional.mobile_net),
    _images("unet", convolutional.UNet, batch=tasks.maps),
    _images("grouped", convolutional.grouped),
    _images("grouped_4", partial(convolutional.grouped, groups=4, width=48)),
    _images("depthwise", convolutional.depthwise),
    _images("lenet_tanh", convolutional.lenet),
    _images("plain_convolutions_20", convolutional.plain_convolutions),
    _images("decoder", convolutional.decoder, batch=tasks.pictures, loss=mean_squared),
    _images(
        "convolutional_autoencoder",
        convolutional.ConvolutionalAutoencoder,
        batch=tasks.pictures,
        loss=mean_squared,
    ),
    _images(
        "generator", convolutional.Generator, batch=tasks.pictures, loss=mean_squared
    ),
    _images(
        "diffusion_unet",
        convolutional.DiffusionUNet,
        batch=tasks.noised,
        loss=mean_squared,
    ),
    _series("dilated_series", convolutional.series_network, family="convolutional"),
    _series("upsampled_series", convolutional.UpsampledSeries, family="convolutional"),
    _residual("resnet_v1", residual.ResNet, optimizer=_momentum),
    _residual("resnet_v1_zero_gamma", partial(residual.ResNet, zero=True)),
    _residual("resnext", partial(residual.ResNet, groups=4), optimizer=_momentum),
    _residual("resnet_v2", residual.resnet_v2, optimizer=_momentum),
    _residual("fixup", partial(residual.norm_free, "fixup")),
    _residual("skipinit", partial(residual.norm_free, "skipinit")),
    _residual("nfnet", residual.nf_net),
    _residual("convnext", residual.ConvNeXt),
    _plain("residual_mlp", residual.ResidualMLP),
    _plain("rezero_mlp", residual.ReZero),
    _attention("vit", attention.ViT),
    _attention("mixer", attention.Mixer),
    _text("gpt", attention.GPT),
    _text("llama", attention.Llama),
    _text("llama_tied", partial(attention.Llama, tied=True)),
    _series("post_norm", attention.PostNormTransformer, family="attention"),
    _series("torch_encoder", attention.Encoder, family="attention"),
    _series("lstm", partial(recurrent.Recurrent, "lstm")),
    _series("lstm_2_layers", partial(recurrent.Recurrent, "lstm", layers=2)),
    _series("gru", partial(recurrent.Recurrent, "gru")),
    _series("rnn_tanh", partial(recurrent.Recurrent, "rnn"), optimizer=_adam(5e-3)),
    _series("gru_cell", recurrent.Cell),
    _text(
        "tied_lstm",
        recurrent.TiedLanguageModel,
        family="recurrent",
        optimizer=_adam(1e-2),
    ),
)

HEALTHY = MappingProxyType({subject.name: subject for subject in _SUBJECTS})
