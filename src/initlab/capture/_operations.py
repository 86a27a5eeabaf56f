"""What each of torch's functions does to a signal, by its name."""

import contextlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

# Names that say the same; underscores around a name are taken off before.
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "layer": "linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d "
        "conv_transpose3d conv_tbc embedding embedding_bag bilinear",
        "recurrent": "lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell "
        "rnn_relu_cell",
        "product": "matmul rmatmul mm bmm mv einsum addmm addmv baddbmm addbmm "
        "tensordot inner",
        "sum": "add radd iadd sub rsub isub subtract addcmul lerp",
        "factor": "mul rmul imul multiply div rdiv idiv divide true_divide truediv "
        "rtruediv itruediv",
        "norm": "batch_norm layer_norm group_norm instance_norm rms_norm normalize "
        "local_response_norm native_batch_norm native_layer_norm native_group_norm",
        "view": "view reshape flatten transpose permute t T mT H contiguous squeeze "
        "unsqueeze expand expand_as repeat chunk split unbind getitem select narrow "
        "to float half bfloat16 double type type_as clone detach data movedim moveaxis "
        "swapaxes swapdims unflatten roll flip pad pixel_shuffle pixel_unshuffle "
        "index_select gather repeat_interleave view_as reshape_as channel_shuffle "
        "constant_pad_nd unfold fold tensor_split take_along_dim requires_grad "
        "as_strided setitem alias real cpu cuda diagonal tile broadcast_to "
        "slice_scatter index_put masked_select pack_padded_sequence "
        "pad_packed_sequence pack_padded_sequence_data upsample interpolate "
        "upsample_nearest upsample_bilinear grid_sample index_add scatter copy "
        "identity dropout resolve_conj checkpoint",
        "cat": "cat concat concatenate stack hstack vstack dstack",
        "average": "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d "
        "adaptive_avg_pool2d adaptive_avg_pool3d",
        "pool": "max_pool1d max_pool2d max_pool3d "
        "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices "
        "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
        "adaptive_max_pool2d_with_indices lp_pool2d amax amin max min",
        "reduction": "mean sum var std var_mean std_mean norm vector_norm linalg_norm "
        "prod logsumexp nansum nanmean linalg_vector_norm",
        "softmax": "softmax log_softmax softmin gumbel_softmax",
        "attention": "scaled_dot_product_attention",
        "dropout": "dropout dropout1d dropout2d dropout3d alpha_dropout "
        "feature_alpha_dropout feature_dropout",
        "unary": "pow sqrt rsqrt square exp exp2 expm1 log log1p log2 abs clamp "
        "clamp_min clamp_max clip neg negative reciprocal masked_fill where cumsum "
        "rpow fill zero cos round floor ceil sign lt gt le ge eq ne cumprod softmax_ "
        "masked_scatter minimum maximum nan_to_num tril triu addcdiv",
    }
)
KIND_OF: Mapping[str, str] = MappingProxyType(
    {name: kind for kind, names in _KINDS.items() for name in names.split()}
)

# Ours, where the theory knows the activation; their own names otherwise.
ACTIVATION_OF: Mapping[str, str] = MappingProxyType(
    {
        "relu": "relu", "relu6": "relu6", "leaky_relu": "leaky_relu",
        "threshold": "threshold", "rrelu": "leaky_relu", "prelu": "leaky_relu",
        "tanh": "tanh", "sigmoid": "sigmoid", "erf": "erf", "gelu": "gelu",
        "silu": "silu", "elu": "elu", "selu": "selu", "celu": "elu",
        "softplus": "softplus", "sin": "sin", "mish": "mish",
        "hardswish": "hardswish", "hardsigmoid": "hardsigmoid",
        "hardtanh": "hardtanh", "softsign": "softsign", "logsigmoid": "logsigmoid",
        "tanhshrink": "tanhshrink", "softshrink": "softshrink",
        "hardshrink": "hardshrink", "glu": "glu", "expit": "sigmoid",
        "log_sigmoid": "logsigmoid",
        "special_expit": "sigmoid", "arctan": "arctan", "atan": "arctan",
    }
)  # fmt: skip

# What is given second lends its shape or its type, and none of its numbers.
LENDS = frozenset({"expand_as", "view_as", "reshape_as", "type_as"})
# Made in the likeness of a signal, but of none of its numbers: masks, states, biases.
CONSTANTS = frozenset(
    {
        *("new_zeros", "new_ones", "new_full", "new_empty", "new_tensor"),
        *("zeros_like", "ones_like", "full_like", "empty_like"),
        *("rand_like", "randn_like", "randint_like"),
    }
)
# Products of several matrices in the order that is fastest.
CHAINS = frozenset({"linalg_multi_dot", "multi_dot", "chain_matmul"})

_cache: dict[Any, str] = {}


def name_of(func: Callable[..., Any]) -> str:
    """Return a function's name without underscores: `Tensor.add_` is "add".

    Example:
        >>> import torch
        >>> name_of(torch.Tensor.__iadd__), name_of(torch.relu_)
        ('iadd', 'relu')
        >>> name_of(torch.Tensor.T.__get__)
        'T'
    """
    try:
        return _cache[func]
    except (KeyError, TypeError):
        pass
    name = getattr(func, "__name__", "") or type(func).__name__
    if name == "__get__":
        name = getattr(getattr(func, "__self__", None), "__name__", "get")
        name = name if name in ("T", "mT", "H", "data", "real") else "attribute"
    elif name == "__set__":
        name = "attribute"
    name = name.strip("_")
    with contextlib.suppress(TypeError):
        _cache[func] = name
    return name


def kind_of(name: str) -> str:
    """Return what a function does to a signal; "other" where we do not know.

    Example:
        >>> kind_of("conv2d"), kind_of("gelu"), kind_of("fft_fft")
        ('layer', 'activation', 'other')
    """
    if name in ACTIVATION_OF:
        return "activation"
    return KIND_OF.get(name, "other")
