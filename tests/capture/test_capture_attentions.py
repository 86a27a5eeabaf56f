"""Attentions as they run: masks, groups of queries, and rows beyond those looked at."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture

LENGTH, WIDTH = 24, 8


class Attends(nn.Module):
    """Two heads, by torch's function or by hand."""

    def __init__(self, *, fused=True, mask=None, groups=1):
        super().__init__()
        self.query = nn.Linear(WIDTH, 2 * WIDTH)
        self.key, self.value = (nn.Linear(WIDTH, 2 * WIDTH // groups) for _ in range(2))
        self.fused, self.mask, self.groups = fused, mask, groups

    def forward(self, x):
        q, k, v = (
            layer(x).unflatten(-1, (-1, WIDTH)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        if self.fused:
            more = {"enable_gqa": True} if self.groups > 1 else {}
            return functional.scaled_dot_product_attention(
                q, k, v, attn_mask=self.mask, **more
            )
        k, v = (part.repeat_interleave(self.groups, dim=1) for part in (k, v))
        logits = q @ k.transpose(-1, -2) / math.sqrt(WIDTH)
        if self.mask is not None and self.mask.dtype == torch.bool:
            logits = logits.masked_fill(~self.mask, -math.inf)
        elif self.mask is not None:
            logits = logits + self.mask
        return logits.softmax(dim=-1) @ v


def attention_of(examples=4, **options):
    torch.manual_seed(0)
    model = Attends(**options)
    (found,) = capture.read(model, torch.randn(examples, LENGTH, WIDTH)).attentions
    return found


def padded(examples):
    """Of each example the first half is seen, of the first one less."""
    seen = torch.arange(LENGTH) < LENGTH // 2
    mask = seen.expand(examples, 1, 1, LENGTH).clone()
    mask[0, ..., 4:] = False
    return mask


def added(mask):
    return torch.zeros(mask.shape).masked_fill(~mask, -math.inf)


@pytest.mark.parametrize("kind", [lambda mask: mask, added], ids=["truth", "added"])
@pytest.mark.parametrize("fused", [True, False])
def test_what_a_mask_of_examples_hides_is_no_logit(kind, fused):
    masked = attention_of(fused=fused, mask=kind(padded(4)))
    whole = attention_of(fused=fused)

    assert masked.length == pytest.approx((3 * 12 + 4) / 4)
    assert whole.length == LENGTH
    assert math.isfinite(masked.logit_std)


def test_groups_of_queries_share_their_keys():
    fused, by_hand = (attention_of(fused=one, groups=2) for one in (True, False))

    assert fused.logit_std == pytest.approx(by_hand.logit_std, rel=1e-4)
    assert fused.entropy == pytest.approx(by_hand.entropy, rel=1e-4)


# 2 heads of 24 rows each: more than the 4096 rows that are looked at.
MANY = 128


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("fused", [True, False])
def test_of_many_rows_some_are_enough(fused, masks):
    mask = padded(MANY) if masks else None
    some = attention_of(MANY, fused=fused, mask=mask)
    few = attention_of(4, fused=fused)

    assert some.length == pytest.approx(12 if masks else LENGTH, rel=0.02)
    # Rows of the same law: the deviation of 192 of them is off by a few percent.
    assert some.logit_std == pytest.approx(few.logit_std, rel=0.15)
