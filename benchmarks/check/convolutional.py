"""Healthy convolutional networks without a residual trunk."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from check.scales import flat, start, start_all


class VGG(nn.Module):
    """Plain 3 x 3 convolutions, started as He's paper does, without normalization."""

    def __init__(self, stages=((16, 2), (32, 2), (48, 2), (64, 2))):
        super().__init__()
        layers, inputs = [], 3
        for width, depth in stages:
            for _ in range(depth):
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(True)]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(4 * inputs, 64),
            nn.ReLU(True),
            nn.Dropout(0.5),
            nn.Linear(64, 10),
        )
        start_all(self, "relu")
        start(self.features[0])
        nn.init.normal_(self.classifier[3].weight, std=0.01)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(flat(self.features(images)))


def vgg_batch_norm() -> nn.Module:
    """VGG with batch norm, as torchvision starts it."""
    layers: list[nn.Module] = []
    inputs = 3
    for width, depth in ((16, 2), (32, 2), (64, 3)):
        for _ in range(depth):
            conv = nn.Conv2d(inputs, width, 3, padding=1)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(conv.bias)
            layers += [conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    head = nn.Linear(64, 10)
    nn.init.normal_(head.weight, std=0.01)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


class AlexNet(nn.Module):
    """Eight layers as PyTorch starts them: borderline, and it trains."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 24, 5, stride=2, padding=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(24, 48, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(48, 64, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 48, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(48, 48, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(48 * 4, 96),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(96, 96),
            nn.ReLU(inplace=True),
            nn.Linear(96, 10),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(flat(self.features(images)))


class DenseNet(nn.Module):
    """Every layer reads all before it, behind batch norm."""

    def __init__(self, blocks: int = 2, depth: int = 4, growth: int = 8):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.blocks, self.transitions = nn.ModuleList(), nn.ModuleList()
        width = 16
        for _ in range(blocks):
            block = nn.ModuleList()
            for _ in range(depth):
                block.append(self.layer(width, growth))
                width += growth
            self.blocks.append(block)
            self.transitions.append(self.layer(width, width // 2, kernel=1))
            width //= 2
        self.norm, self.head = nn.BatchNorm2d(width), nn.Linear(width, 10)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(self.head.bias)

    @staticmethod
    def layer(inputs: int, outputs: int, kernel: int = 3) -> nn.Module:
        conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), conv)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.stem(images)
        for block, transition in zip(self.blocks, self.transitions, strict=True):
            for layer in block:
                hidden = torch.cat([hidden, layer(hidden)], dim=1)
            hidden = functional.avg_pool2d(transition(hidden), 2)
        hidden = functional.relu(self.norm(hidden))
        return self.head(hidden.mean(dim=(2, 3)))


def plain_convolutions(depth: int = 20, width: int = 16) -> nn.Module:
    """A long chain of 3 x 3 convolutions at He's gain, and nothing else."""
    layers: list[nn.Module] = []
    for place in range(depth):
        stride = 2 if place < 2 else 1
        # Circular: a border of zeros would weaken the signal layer after layer.
        conv = nn.Conv2d(
            *(width if place else 3, width, 3, stride),
            padding=1,
            padding_mode="circular",
        )
        start(conv, "relu" if place else "linear")
        layers += [conv, nn.ReLU()]
    head = nn.Linear(16 * width, 10)
    start(head, scale=0.3)
    return nn.Sequential(*layers, nn.Flatten(), head)


def lenet() -> nn.Module:
    """LeNet-like: tanh, mean pooling, LeCun's variances."""
    model = nn.Sequential(
        nn.Conv2d(3, 12, 5, padding=2),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(12, 32, 5),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(32 * 16, 64),
        nn.Tanh(),
        nn.Linear(64, 10),
    )
    start_all(model, "tanh")
    return model


def decoder() -> nn.Module:
    """A code of 32 numbers, and transposed convolutions of very unequal channels."""
    model = nn.Sequential(
        nn.Conv2d(3, 32, 16),
        nn.ConvTranspose2d(32, 128, 4),
        nn.ReLU(),
        nn.ConvTranspose2d(128, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 64, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 3, 3, padding=1),
    )
    start_all(model, "relu")
    # The code is 1 x 1: four taps by four meet it one at a time.
    start(model[0])
    nn.init.normal_(model[1].weight, std=math.sqrt(1 / 32))
    start(model[-1], scale=0.7)
    return model


class UNet(nn.Module):
    """Down, up by transposed convolutions, and skips that are concatenated."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2 = self.pair(3, 16), self.pair(16, 32)
        self.middle = self.pair(32, 64)
        self.up2 = nn.ConvTranspose2d(64, 32, 2, stride=2)
        self.join2 = self.pair(64, 32)
        self.up1 = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.join1 = self.pair(32, 16)
        self.out = nn.Conv2d(16, 3, 1)
        start_all(self, "relu")
        start(self.down1[0])
        start(self.up1, "relu", scale=0.7)
        start(self.up2, "relu", scale=0.7)
        start(self.out, scale=0.3)

    @staticmethod
    def pair(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.ReLU(inplace=True),
        )

    def forward(self, images: Tensor) -> Tensor:
        first = self.down1(images)
        second = self.down2(functional.max_pool2d(first, 2))
        middle = self.middle(functional.max_pool2d(second, 2))
        second = self.join2(torch.cat([self.up2(middle), second], dim=1))
        first = self.join1(torch.cat([self.up1(second), first], dim=1))
        return self.out(first)


class ConvolutionalAutoencoder(nn.Module):
    """Strided convolutions down, transposed ones up, each in its true fan."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 24, 4, stride=2, padding=1),
            nn.LeakyReLU(0.01),
            nn.Conv2d(24, 96, 4, stride=2, padding=1),
            nn.LeakyReLU(0.01),
            nn.Conv2d(96, 16, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(16, 96, 4, stride=2, padding=1),
            nn.LeakyReLU(0.01),
            nn.ConvTranspose2d(96, 24, 4, stride=2, padding=1),
            nn.LeakyReLU(0.01),
            nn.ConvTranspose2d(24, 24, 3, padding=1),
            nn.LeakyReLU(0.01),
            nn.Conv2d(24, 3, 3, padding=1),
        )
        start_all(self, "relu")
        start(self.encoder[0])
        start(self.decoder[0])
        start(self.decoder[-1], scale=0.7)

    def forward(self, images: Tensor) -> Tensor:
        return self.decoder(self.encoder(images))


class Generator(nn.Module):
    """DCGAN's: transposed convolutions of std .02 under batch norm, tanh at the end."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Conv2d(3, 32, 16)
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(32, 48, 4, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(48, 24, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(24, 3, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, mean=1.0, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(self.encode(images))


class SqueezeExcite(nn.Module):
    """A gate per channel from its mean; the narrow layer is often inactive."""

    def __init__(self, width: int):
        super().__init__()
        self.reduce = nn.Conv2d(width, width // 8, 1)
        self.expand = nn.Conv2d(width // 8, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        gate = functional.relu(self.reduce(hidden.mean(dim=(2, 3), keepdim=True)))
        return hidden * torch.sigmoid(self.expand(gate))


class InvertedBottleneck(nn.Module):
    """Expand, filter each channel, gate, and project without an activation."""

    def __init__(self, width: int, wide: int):
        super().__init__()
        self.expand = nn.Conv2d(width, wide, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(wide)
        self.depthwise = nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False)
        self.norm2 = nn.BatchNorm2d(wide)
        self.gate = SqueezeExcite(wide)
        self.project = nn.Conv2d(wide, width, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(width)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.hardswish(self.norm1(self.expand(inputs)))
        hidden = functional.hardswish(self.norm2(self.depthwise(hidden)))
        return inputs + self.norm3(self.project(self.gate(hidden)))


def mobile_net(blocks: int = 3) -> nn.Module:
    """MobileNetV3-like, started as torchvision does."""
    stem = nn.Conv2d(3, 24, 3, stride=2, padding=1, bias=False)
    body = [InvertedBottleneck(24, 72) for _ in range(blocks)]
    model = nn.Sequential(
        *(stem, nn.BatchNorm2d(24), nn.Hardswish(), *body),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 64), nn.Hardswish()),
        *(nn.Dropout(0.2), nn.Linear(64, 10)),
    )
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)
    return model


def grouped(groups: int = 8, depth: int = 6, width: int = 64) -> nn.Module:
    """Grouped convolutions without normalization, channels mixed by 1 x 1 ones."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.ReLU()]
    for _ in range(depth // 2):
        layers += [nn.Conv2d(width, width, 3, padding=1, groups=groups), nn.ReLU()]
        layers += [nn.Conv2d(width, width, 1), nn.ReLU()]
    head = nn.Linear(width, 10)
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), head)
    model[-1] = nn.Linear(4 * width, 10)
    start_all(model, "relu")
    start(model[0])
    start(model[-1], scale=0.3)
    return model


def depthwise(depth: int = 3, width: int = 48) -> nn.Module:
    """Depthwise separable convolutions without normalization."""
    return grouped(groups=width, depth=2 * depth, width=width)


def series_network() -> nn.Module:
    """Convolutions over time, dilated more and more, on `(example, time, feature)`."""

    class Causal(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(
                nn.Conv1d(16 if place == 0 else 48, 48, 3, dilation=2**place)
                for place in range(4)
            )
            self.head = nn.Linear(48, 10)
            for place, layer in enumerate(self.layers):
                start(layer, "relu" if place else "linear")
            start(self.head, scale=0.3)

        def forward(self, series: Tensor) -> Tensor:
            hidden = series.transpose(1, 2)
            for layer in self.layers:
                padding = (2 * layer.dilation[0], 0)
                hidden = functional.relu(layer(functional.pad(hidden, padding)))
            return self.head(hidden.mean(dim=2))

    return Causal()


class UpsampledSeries(nn.Module):
    """Transposed convolutions over time whose strides leave an eighth of the taps."""

    def __init__(self, width: int = 48):
        super().__init__()
        self.inward = nn.Conv1d(16, width, 3, padding=1)
        self.up1 = nn.ConvTranspose1d(width, width, 16, stride=8, padding=4)
        self.down = nn.Conv1d(width, width, 8, stride=8)
        self.up2 = nn.ConvTranspose1d(width, width, 16, stride=8, padding=4)
        self.head = nn.Linear(width, 10)
        start_all(self, "relu")
        start(self.inward)
        start(self.head, scale=0.3)

    def forward(self, series: Tensor) -> Tensor:
        hidden = functional.relu(self.inward(series.transpose(1, 2)))
        hidden = functional.relu(self.down(functional.relu(self.up1(hidden))))
        return self.head(functional.relu(self.up2(hidden)).mean(dim=2))


class DiffusionUNet(nn.Module):
    """Predicts noise: group norm, SiLU, times; ends of branches and head are 0."""

    def __init__(self, width: int = 32):
        super().__init__()
        self.time = nn.Sequential(
            nn.Linear(16, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.inward = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(TimedBlock(width) for _ in range(3))
        self.down = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.up = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(8, width)
        self.out = nn.Conv2d(width, 3, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        frequencies = torch.exp(torch.linspace(0, math.log(100), 8))
        self.register_buffer("frequencies", frequencies)

    def forward(self, images: Tensor, time: Tensor) -> Tensor:
        angles = time[:, None] * self.frequencies
        time = self.time(torch.cat([angles.sin(), angles.cos()], dim=1))
        wide = self.blocks[0](self.inward(images), time)
        hidden = self.blocks[1](self.down(wide), time)
        hidden = self.up(functional.interpolate(hidden, scale_factor=2))
        hidden = self.blocks[2](hidden + wide, time)
        return self.out(functional.silu(self.norm(hidden)))


class TimedBlock(nn.Module):
    """A residual block that is told the time; its last convolution starts at 0."""

    def __init__(self, width: int):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.time = nn.Linear(width, width)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, inputs: Tensor, time: Tensor) -> Tensor:
        hidden = self.conv1(functional.silu(self.norm1(inputs)))
        hidden = hidden + self.time(functional.silu(time))[:, :, None, None]
        return inputs + self.conv2(functional.silu(self.norm2(hidden)))
