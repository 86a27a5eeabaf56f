"""Healthy transformers, and MLP-Mixer."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from check.scales import start, start_all


class Attention(nn.Module):
    """Self-attention with Q, K and V packed in one matrix, fused."""

    def __init__(self, width: int, heads: int = 4, causal: bool = False):
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads, self.causal = heads, causal

    def forward(self, inputs: Tensor) -> Tensor:
        size, length, width = inputs.shape
        packed = self.qkv(inputs).view(size, length, 3, self.heads, -1)
        q, k, v = packed.permute(2, 0, 3, 1, 4)
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.proj(out.transpose(1, 2).reshape(size, length, width))


class PreNormBlock(nn.Module):
    """Norm, attention, norm, MLP; nothing on the trunk."""

    def __init__(self, width: int, causal: bool = False):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, causal=causal)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs + self.attn(self.norm1(inputs))
        return hidden + self.fc2(functional.gelu(self.fc1(self.norm2(hidden))))


class ViT(nn.Module):
    """A vision transformer in timm's default start, its head 0."""

    def __init__(self, width: int = 48, depth: int = 4):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 4, stride=4)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.empty(1, 17, width))
        self.blocks = nn.ModuleList(PreNormBlock(width) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)
        nn.init.trunc_normal_(self.position, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch(images).flatten(2).transpose(1, 2)
        first = self.cls_token.expand(len(images), -1, -1)
        hidden = torch.cat([first, patches], dim=1) + self.position
        for block in self.blocks:
            hidden = block(hidden)
        return self.head(self.norm(hidden)[:, 0])


class GPT(nn.Module):
    """GPT-2's start: normals of .02, ends of branches by 1 / sqrt(2 L), a tied head."""

    def __init__(self, width: int = 64, depth: int = 4, vocabulary: int = 64):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, width), nn.Embedding(32, width)
        self.h = nn.ModuleList(PreNormBlock(width, causal=True) for _ in range(depth))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        for block in self.h:
            for end in (block.attn.proj, block.fc2):
                nn.init.normal_(end.weight, std=0.02 / math.sqrt(2 * depth))
        self.lm_head.weight = self.wte.weight

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        for block in self.h:
            hidden = block(hidden)
        return self.lm_head(self.ln_f(hidden))


class RMSNorm(nn.Module):
    """Division by the root mean square, written out as most codebases do."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, inputs: Tensor) -> Tensor:
        scale = torch.rsqrt(inputs.pow(2).mean(-1, keepdim=True) + 1e-6)
        return inputs * scale * self.weight


class LlamaBlock(nn.Module):
    """Grouped queries, rotary places, and a gated MLP; no bias anywhere."""

    def __init__(self, width: int, heads: int = 4, shared: int = 2):
        super().__init__()
        size = width // heads
        self.heads, self.shared = heads, shared
        self.attention_norm, self.ffn_norm = RMSNorm(width), RMSNorm(width)
        self.wq = nn.Linear(width, width, bias=False)
        self.wk = nn.Linear(width, shared * size, bias=False)
        self.wv = nn.Linear(width, shared * size, bias=False)
        self.wo = nn.Linear(width, width, bias=False)
        self.gate = nn.Linear(width, 2 * width, bias=False)
        self.up = nn.Linear(width, 2 * width, bias=False)
        self.down = nn.Linear(2 * width, width, bias=False)

    def forward(self, inputs: Tensor, places: Tensor) -> Tensor:
        hidden = self.attention_norm(inputs)
        q = rotated(split(self.wq(hidden), self.heads), places)
        k = rotated(split(self.wk(hidden), self.shared), places)
        v = split(self.wv(hidden), self.shared)
        times = self.heads // self.shared
        k, v = (one.repeat_interleave(times, dim=1) for one in (k, v))
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        hidden = inputs + self.wo(out.transpose(1, 2).flatten(2))
        gated = self.ffn_norm(hidden)
        return hidden + self.down(functional.silu(self.gate(gated)) * self.up(gated))


def split(tensor: Tensor, heads: int) -> Tensor:
    return tensor.unflatten(-1, (heads, -1)).transpose(1, 2)


def rotated(tensor: Tensor, places: Tensor) -> Tensor:
    even, odd = tensor.chunk(2, dim=-1)
    cosine, sine = places.cos(), places.sin()
    return torch.cat([even * cosine - odd * sine, even * sine + odd * cosine], dim=-1)


class Llama(nn.Module):
    """Llama-like, normals of .02."""

    def __init__(self, tied: bool = False, width: int = 64, vocabulary: int = 64):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(LlamaBlock(width) for _ in range(3))
        self.norm = RMSNorm(width)
        self.output = nn.Linear(width, vocabulary, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        if tied:
            self.output.weight = self.tokens.weight
        half = width // 4 // 2
        angles = torch.outer(torch.arange(64.0), 100.0 ** -(torch.arange(half) / half))
        self.register_buffer("angles", angles)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.tokens(tokens)
        for block in self.blocks:
            hidden = block(hidden, self.angles[: tokens.shape[1]])
        return self.output(self.norm(hidden))


class PostNormBlock(nn.Module):
    """The block of 2017: the trunk passes through both norms. Q, K and V apart."""

    def __init__(self, width: int, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, inputs: Tensor) -> Tensor:
        q, k, v = (
            split(layer(inputs), self.heads)
            for layer in (self.query, self.key, self.value)
        )
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), -1)
        hidden = self.out((weights @ v).transpose(1, 2).flatten(2))
        hidden = self.norm1(inputs + hidden)
        return self.norm2(hidden + self.fc2(torch.relu(self.fc1(hidden))))


class PostNormTransformer(nn.Module):
    """Post-LN, branches scaled as DeepNet does, so that it needs no warm-up."""

    def __init__(self, width: int = 48, depth: int = 4):
        super().__init__()
        self.inward = nn.Linear(16, width)
        self.position = nn.Parameter(torch.randn(1, 24, width) * 0.02)
        self.blocks = nn.ModuleList(PostNormBlock(width) for _ in range(depth))
        self.head = nn.Linear(width, 10)
        start_all(self, "linear")
        beta = (8 * depth) ** -0.25
        for block in self.blocks:
            for layer in (block.value, block.out, block.fc1, block.fc2):
                start(layer, "linear", scale=beta)
        start(self.head, scale=0.3)

    def forward(self, series: Tensor) -> Tensor:
        hidden = self.inward(series) + self.position
        for block in self.blocks:
            hidden = block(hidden)
        return self.head(hidden.mean(dim=1))


class Encoder(nn.Module):
    """PyTorch's own encoder, pre-LN, its layers started one by one."""

    def __init__(self, width: int = 48, depth: int = 3):
        super().__init__()
        self.inward = nn.Linear(16, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.1, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, depth, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.head = nn.Linear(width, 10)
        # The encoder deep-copies one layer: without this, all start alike.
        for parameter in self.encoder.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, series: Tensor) -> Tensor:
        return self.head(self.encoder(self.inward(series)).mean(dim=1))


class MixerBlock(nn.Module):
    """An MLP over places, then one over channels."""

    def __init__(self, places: int, width: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = mixing(places, 2 * width)
        self.channels = mixing(width, 4 * width)

    def forward(self, inputs: Tensor) -> Tensor:
        mixed = self.tokens(self.norm1(inputs).transpose(1, 2)).transpose(1, 2)
        hidden = inputs + mixed
        return hidden + self.channels(self.norm2(hidden))


def mixing(width: int, wide: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, wide), nn.GELU(), nn.Linear(wide, width))


class Mixer(nn.Module):
    """MLP-Mixer in Xavier's start, its head 0."""

    def __init__(self, width: int = 48, depth: int = 3):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 4, stride=4)
        self.blocks = nn.Sequential(*(MixerBlock(16, width) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)
        start_all(self, "linear")
        nn.init.zeros_(self.head.weight)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch(images).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(patches)).mean(dim=1))
