"""Healthy residual networks, with and without normalization."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from check.scales import start, start_all


def conv(inputs: int, outputs: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        inputs, outputs, 3, stride=stride, padding=1, groups=groups, bias=False
    )


class PostActivation(nn.Module):
    """ResNet v1's block: the trunk passes through the last ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int, groups: int, zero: bool):
        super().__init__()
        self.conv1 = conv(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv(outputs, outputs, groups=groups)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False),
                nn.BatchNorm2d(outputs),
            )
        self.relu = nn.ReLU(inplace=True)
        if zero:
            nn.init.zeros_(self.bn2.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        trunk = inputs if self.downsample is None else self.downsample(inputs)
        hidden = self.relu(self.bn1(self.conv1(inputs)))
        return self.relu(self.bn2(self.conv2(hidden)) + trunk)


class ResNet(nn.Module):
    """ResNet v1 as torchvision starts it; `zero`: each branch's last gamma is 0."""

    def __init__(self, zero: bool = False, groups: int = 1):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 16), nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        sizes = ((16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2))
        self.layers = nn.Sequential(
            *(PostActivation(*size, groups, zero) for size in sizes)
        )
        self.fc = nn.Linear(64, 10)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.layers(self.relu(self.bn1(self.conv1(images))))
        return self.fc(hidden.mean(dim=(2, 3)))


class PreActivation(nn.Module):
    """ResNet v2's block: normalization first, nothing on the trunk."""

    def __init__(self, width: int):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(width), conv(width, width)
        self.bn2, self.conv2 = nn.BatchNorm2d(width), conv(width, width)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.conv1(functional.relu(self.bn1(inputs)))
        return inputs + self.conv2(functional.relu(self.bn2(hidden)))


def resnet_v2(blocks: int = 6, width: int = 24) -> nn.Module:
    """ResNet v2 whose variance grows by one block's at each block, which is healthy."""
    model = nn.Sequential(
        conv(3, width, stride=2),
        *(PreActivation(width) for _ in range(blocks)),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, 10),
    )
    start_all(model, "relu")
    start(model[-1], scale=0.3)
    return model


class ScaledBranch(nn.Module):
    """A block without normalization; Fixup's biases and multiplier, or SkipInit's."""

    def __init__(self, width: int, kind: str):
        super().__init__()
        self.conv1, self.conv2 = conv(width, width), conv(width, width)
        self.kind = kind
        self.alpha = nn.Parameter(
            torch.ones(()) if kind == "fixup" else torch.zeros(())
        )
        if kind == "fixup":
            self.biases = nn.Parameter(torch.zeros(4))

    def forward(self, inputs: Tensor) -> Tensor:
        if self.kind == "skipinit":
            hidden = self.conv1(functional.relu(inputs))
            return inputs + self.alpha * self.conv2(functional.relu(hidden))
        hidden = functional.relu(self.conv1(inputs + self.biases[0]) + self.biases[1])
        hidden = self.conv2(hidden + self.biases[2]) * self.alpha + self.biases[3]
        return functional.relu(inputs + hidden)


def norm_free(kind: str, blocks: int = 8, width: int = 24) -> nn.Module:
    """Fixup (Zhang et al. 2019) or SkipInit (De and Smith 2020)."""
    model = nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1),
        nn.ReLU(),
        *(ScaledBranch(width, kind) for _ in range(blocks)),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * width, 10),
    )
    start_all(model, "relu")
    start(model[0])
    start(model[-1], scale=0.3)
    if kind == "fixup":
        for block in model[2:-3]:
            # Two layers in a branch: L^(-1 / (2 * 2 - 2)).
            block.conv1.weight.data.mul_(blocks**-0.5)
            nn.init.zeros_(block.conv2.weight)
        nn.init.zeros_(model[-1].weight)
    return model


class StandardizedConv(nn.Conv2d):
    """A convolution whose weight is standardized at every use, with a gain."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.gain = nn.Parameter(torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, inputs: Tensor) -> Tensor:
        weight = self.weight
        mean = weight.mean(dim=(1, 2, 3), keepdim=True)
        variance = weight.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
        scale = torch.rsqrt(variance * weight[0].numel() + 1e-4) * self.gain
        weight = (weight - mean) * scale
        return functional.conv2d(
            inputs, weight, self.bias, self.stride, self.padding, groups=self.groups
        )


class NormFreeBlock(nn.Module):
    """NFNet's: inputs divided by their predicted deviation, branch times alpha."""

    def __init__(self, width: int, alpha: float, beta: float):
        super().__init__()
        self.conv1 = StandardizedConv(width, width, 3, padding=1)
        self.conv2 = StandardizedConv(width, width, 3, padding=1)
        self.skip_gain = nn.Parameter(torch.zeros(()))
        self.alpha, self.beta = alpha, beta
        for layer in (self.conv1, self.conv2):
            nn.init.zeros_(layer.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        # ReLU's outputs times 1.7139 vary by 1 (Brock et al. 2021).
        hidden = functional.relu(inputs / self.beta) * 1.7139
        hidden = functional.relu(self.conv1(hidden)) * 1.7139
        return inputs + self.alpha * self.skip_gain * self.conv2(hidden)


def nf_net(blocks: int = 5, width: int = 24, alpha: float = 0.2) -> nn.Module:
    """NFNet-like: standardized weights, predicted deviations, SkipInit."""
    betas = [math.sqrt(1 + place * alpha**2) for place in range(blocks)]
    stem = StandardizedConv(3, width, 3, stride=2, padding=1)
    nn.init.zeros_(stem.bias)
    head = nn.Linear(width, 10)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    return nn.Sequential(
        stem,
        *(NormFreeBlock(width, alpha, beta) for beta in betas),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        head,
    )


class ResidualMLP(nn.Module):
    """Twelve residual branches on vectors, scaled by 1 / sqrt(blocks)."""

    def __init__(self, blocks: int = 12, width: int = 64):
        super().__init__()
        self.inward = nn.Linear(32, width)
        self.wide = nn.ModuleList(nn.Linear(width, 4 * width) for _ in range(blocks))
        self.narrow = nn.ModuleList(nn.Linear(4 * width, width) for _ in range(blocks))
        self.head = nn.Linear(width, 10)
        start(self.inward)
        for layer in self.wide:
            start(layer)
        for layer in self.narrow:
            start(layer, "relu", scale=blocks**-0.5)
        start(self.head, scale=0.3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.inward(inputs)
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            hidden = hidden + narrow(torch.relu(wide(hidden)))
        return self.head(hidden)


class ReZero(nn.Module):
    """Branches times scalars that start at 0, GELU, on vectors."""

    def __init__(self, blocks: int = 10, width: int = 64):
        super().__init__()
        self.inward, self.head = nn.Linear(32, width), nn.Linear(width, 10)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.alphas = nn.Parameter(torch.zeros(blocks))
        start_all(self, "gelu")
        start(self.inward)
        start(self.head, scale=0.3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.inward(inputs)
        for place, layer in enumerate(self.layers):
            hidden = hidden + self.alphas[place] * functional.gelu(layer(hidden))
        return self.head(hidden)


class ConvNeXtBlock(nn.Module):
    """Depthwise 7 x 7, layer norm, two linear layers, LayerScale of 1e-6."""

    def __init__(self, width: int):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.wide, self.narrow = (
            nn.Linear(width, 4 * width),
            nn.Linear(4 * width, width),
        )
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.norm(self.depthwise(inputs).permute(0, 2, 3, 1))
        hidden = self.gamma * self.narrow(functional.gelu(self.wide(hidden)))
        return inputs + hidden.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """ConvNeXt-like, truncated normals of .02."""

    def __init__(self, width: int = 32, blocks: int = 3):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, stride=4)
        self.blocks = nn.Sequential(*(ConvNeXtBlock(width) for _ in range(blocks)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.stem(images)).mean(dim=(2, 3))))
