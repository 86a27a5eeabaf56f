"""The logits of an attention, which fused kernels never show."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

# Rows of logits that are computed: enough for a mean, little beside the attention.
_ROWS = 4096
# What a mask adds: anything as low is no logit.
_MASKED = -1e4
# Masks of -100 are in use. Logits that lie in two heaps this far apart, each of them
# no wider than that, are of two kinds; logits that are merely large are in none.
_APART, _HEAP = 50.0, 20.0


class LogitStatistics(NamedTuple):
    """Of the logits of one attention."""

    length: float
    logit_std: float
    entropy: float


def dot_product_logits(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Return some rows of the logits of `scaled_dot_product_attention`, masks added."""
    given = dict(
        zip(
            ("query", "key", "value", "attn_mask", "dropout_p", "is_causal"),
            args,
            strict=False,
        )
    )
    given |= kwargs
    q, k = given["query"].detach(), given["key"].detach()
    mask, causal = given.get("attn_mask"), given.get("is_causal", False)
    scale = given.get("scale") or 1 / math.sqrt(q.shape[-1])
    if q.dim() > 2:
        keep = max(1, _ROWS // max(1, q.shape[-2] * math.prod(q.shape[1:-2])))
        q, k = q[:keep], k[:keep]
        if mask is not None and mask.dim() == q.dim() and len(mask) > 1:
            mask = mask[:keep]
    if k.dim() > 3 and k.shape[-3] != q.shape[-3]:  # grouped queries
        k = k.repeat_interleave(q.shape[-3] // k.shape[-3], dim=-3)
    logits = (q.float() @ k.float().transpose(-1, -2)) * scale
    if causal:
        allowed = torch.ones(logits.shape[-2:], dtype=torch.bool, device=q.device)
        logits = logits.masked_fill(~allowed.tril(), -math.inf)
    if mask is not None:
        mask = mask.detach()
        if mask.dtype == torch.bool:
            logits = logits.masked_fill(~mask, -math.inf)
        else:
            logits = logits + mask
    return logits


def logit_statistics(logits: Tensor, *, may_be_masked: bool = True) -> LogitStatistics:
    """Return the length, spread and entropy of rows of logits.

    Args:
        logits: Keys on the last axis; what a mask hides is very negative.
        may_be_masked: Whether there may be such.

    Example:
        >>> found = logit_statistics(torch.zeros(3, 8))
        >>> found.length, found.logit_std, round(found.entropy, 6)
        (8.0, 0.0, 1.0)
    """
    if not logits.numel():  # of an expert that is given no example
        return LogitStatistics(math.nan, math.nan, math.nan)
    rows = logits.detach().reshape(-1, logits.shape[-1]).float()
    if len(rows) > _ROWS:
        stride = -(-len(rows) // _ROWS)
        rows = rows[:: stride + (stride % 2 == 0)]
    seen = (
        _not_masked(rows) if may_be_masked else torch.ones_like(rows, dtype=torch.bool)
    )
    counts = seen.sum(dim=-1)
    if not bool((counts > 1).all()):
        rows, seen, counts = (x[counts > 1] for x in (rows, seen, counts))
    if not len(rows):
        return LogitStatistics(math.nan, math.nan, math.nan)
    filled, allowed = rows.where(seen, 0.0), rows.where(seen, -math.inf)
    mean = filled.sum(dim=-1, keepdim=True) / counts[:, None]
    spread = (filled - mean).where(seen, 0.0).square().sum(dim=-1)
    # An entropy is -log p of the largest p, and how far below it the others lie.
    p, below = allowed.softmax(dim=-1), filled - allowed.amax(dim=-1, keepdim=True)
    nats = -p.amax(dim=-1).log() - (p * below).sum(dim=-1)
    entropy = nats / counts.float().log()
    return LogitStatistics(
        float(counts.float().mean()),
        float((spread / counts).mean().sqrt()),
        float(entropy.mean()),
    )


def _not_masked(rows: Tensor) -> Tensor:
    """Return where logits are, and not what a mask made of them."""
    low, high = (float(end) for end in rows.aminmax())
    if low > _MASKED and high - low < _APART:
        return torch.ones_like(rows, dtype=torch.bool)
    seen = rows > _MASKED
    if low <= _MASKED and high - float(rows.where(seen, high).amin()) < _APART:
        return seen
    top = rows.amax(dim=-1, keepdim=True)
    upper = seen & (rows > top - _APART)
    lower = seen & ~upper
    least = rows.where(upper, top).amin(dim=-1, keepdim=True)
    most = rows.where(lower, rows.new_tensor(-math.inf)).amax(dim=-1, keepdim=True)
    lowest = rows.where(lower, most).amin(dim=-1, keepdim=True)
    heaps = (top - least < _HEAP) & (most - lowest < _HEAP) & (least - most > _APART)
    return seen & ~(lower & heaps)
