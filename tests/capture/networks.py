"""Small models of every kind that the checks must understand."""

import torch
from torch import nn
from torch.nn import functional


def plain(depth=6, width=32, inputs=16, outputs=5, activation=nn.ReLU, init=True):
    """A chain of linear layers; He's weights unless PyTorch's are wanted."""
    widths = [inputs] + [width] * (depth - 1) + [outputs]
    layers = []
    for i in range(depth):
        layers.append(nn.Linear(widths[i], widths[i + 1]))
        if i < depth - 1:
            layers.append(activation())
    model = nn.Sequential(*layers)
    if init:
        for layer in model:
            if isinstance(layer, nn.Linear):
                gain = 2.0 if layer.out_features != outputs else 1.0
                nn.init.normal_(layer.weight, std=(gain / layer.in_features) ** 0.5)
                nn.init.zeros_(layer.bias)
    return model


class ResidualBlock(nn.Module):
    """A block of two convolutions, as in a ResNet."""

    def __init__(self, before, after, stride=1, zero=True):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.down = None
        if stride > 1 or before != after:
            self.down = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )
        for conv in (self.conv1, self.conv2):
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        if zero:
            nn.init.zeros_(self.bn2.weight)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += x if self.down is None else self.down(x)
        return functional.relu(y, inplace=True)


class ResNet(nn.Module):
    """Three residual blocks."""

    def __init__(self, zero=True, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(
            ResidualBlock(8, 8, zero=zero),
            ResidualBlock(8, 16, 2, zero=zero),
            ResidualBlock(16, 16, zero=zero),
        )
        self.head = nn.Linear(16, classes)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))
        return self.head(self.blocks(x).mean((2, 3)))


class Attention(nn.Module):
    """Self-attention by `scaled_dot_product_attention`."""

    def __init__(self, width, heads, causal=True):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        rows, length, width = x.shape
        q, k, v = (
            part.view(rows, length, self.heads, -1).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(y.transpose(1, 2).reshape(rows, length, width))


class TransformerBlock(nn.Module):
    """Attention and two linear layers, each with its own skip."""

    def __init__(self, width, heads, pre=True):
        super().__init__()
        self.pre = pre
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def mlp(self, x):
        return self.down(functional.gelu(self.up(x)))

    def forward(self, x):
        if self.pre:
            x = x + self.attention(self.norm1(x))
            return x + self.mlp(self.norm2(x))
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.mlp(x))


class GPT(nn.Module):
    """A language model as in GPT-2: std .02, branch ends smaller by the depth."""

    def __init__(self, words=61, width=32, depth=3, heads=4, tied=True, pre=True):
        super().__init__()
        self.tokens = nn.Embedding(words, width)
        self.places = nn.Embedding(32, width)
        self.blocks = nn.ModuleList(
            TransformerBlock(width, heads, pre) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width) if pre else nn.Identity()
        self.head = nn.Linear(width, words, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        for block in self.blocks:
            for end in (block.attention.out, block.down):
                nn.init.normal_(end.weight, std=0.02 / (2 * depth) ** 0.5)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, ids, targets=None):
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.tokens(ids) + self.places(places)
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        if targets is None:
            return logits
        flat = logits.flatten(0, 1)
        return logits, functional.cross_entropy(flat, targets.flatten())


class Gives(nn.Module):
    """Runs a layer, and gives what it was made for."""

    def __init__(self, given):
        super().__init__()
        self.layer, self.given = nn.Linear(16, 10), given

    def forward(self, x):
        return self.given(self.layer(x))
