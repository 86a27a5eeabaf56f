"""Small configurations of transformers' architectures, by name."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

_SIZES = {
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 256,
}
_TEXT = _SIZES | {"vocab_size": 1000}
_GROUPED = _TEXT | {"num_key_value_heads": 2}
_VISION = _SIZES | {"image_size": 64, "patch_size": 8, "num_labels": 10}
_WORDS = {"input_ids": ()}
_BOTH = {"input_ids": (), "decoder_input_ids": ()}
_PIXELS = {"pixel_values": (3, 64, 64)}
# Of special words, which must be among the thousand.
_SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A model and what it is called with.

    Attributes:
        construct: Builds it.
        inputs: Shape of each argument without the batch; () for 32 words.
        classes: Of its outputs; 0 where they are words.
    """

    construct: Callable[[], nn.Module]
    inputs: Mapping[str, tuple[int, ...]]
    classes: int = 0


# Model, configuration, its sizes, inputs, classes.
_PLANS: dict[str, tuple[str, str, dict[str, Any], Mapping[str, Any], int]] = {
    "gpt2": (
        "GPT2LMHeadModel", "GPT2Config",
        {"vocab_size": 1000, "n_embd": 128, "n_layer": 4, "n_head": 4,
         "n_positions": 64, **_SPECIAL},
        _WORDS, 0,
    ),
    "gpt_neox": ("GPTNeoXForCausalLM", "GPTNeoXConfig", _TEXT, _WORDS, 0),
    "opt": (
        "OPTForCausalLM", "OPTConfig",
        {"vocab_size": 1000, "hidden_size": 128, "num_hidden_layers": 4,
         "ffn_dim": 256, "num_attention_heads": 4, "word_embed_proj_dim": 128,
         "max_position_embeddings": 64},
        _WORDS, 0,
    ),
    "bloom": (
        "BloomForCausalLM", "BloomConfig",
        {"vocab_size": 1000, "hidden_size": 128, "n_layer": 4, "n_head": 4},
        _WORDS, 0,
    ),
    "llama": ("LlamaForCausalLM", "LlamaConfig", _TEXT, _WORDS, 0),
    "mistral": ("MistralForCausalLM", "MistralConfig", _GROUPED, _WORDS, 0),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", _GROUPED, _WORDS, 0),
    "qwen3": (
        "Qwen3ForCausalLM", "Qwen3Config", _GROUPED | {"head_dim": 32}, _WORDS, 0,
    ),
    "gemma": (
        "GemmaForCausalLM", "GemmaConfig", _GROUPED | {"head_dim": 32}, _WORDS, 0,
    ),
    "gemma2": (
        "Gemma2ForCausalLM", "Gemma2Config", _GROUPED | {"head_dim": 32}, _WORDS, 0,
    ),
    "phi": ("PhiForCausalLM", "PhiConfig", _TEXT, _WORDS, 0),
    "mixtral": (
        "MixtralForCausalLM", "MixtralConfig", _GROUPED | {"num_local_experts": 4},
        _WORDS, 0,
    ),
    "bert": ("BertForMaskedLM", "BertConfig", _TEXT, _WORDS, 0),
    "bert_12": (
        "BertForMaskedLM", "BertConfig", _TEXT | {"num_hidden_layers": 12}, _WORDS, 0,
    ),
    "roberta": ("RobertaForMaskedLM", "RobertaConfig", _TEXT, _WORDS, 0),
    "distilbert": (
        "DistilBertForMaskedLM", "DistilBertConfig",
        {"vocab_size": 1000, "dim": 128, "n_layers": 4, "n_heads": 4,
         "hidden_dim": 256},
        _WORDS, 0,
    ),
    "albert": (
        "AlbertForMaskedLM", "AlbertConfig", _TEXT | {"embedding_size": 64}, _WORDS, 0,
    ),
    "electra": (
        "ElectraForMaskedLM", "ElectraConfig", _TEXT | {"embedding_size": 64},
        _WORDS, 0,
    ),
    "deberta_v2": ("DebertaV2ForMaskedLM", "DebertaV2Config", _TEXT, _WORDS, 0),
    "modernbert": (
        "ModernBertForMaskedLM", "ModernBertConfig",
        _TEXT | _SPECIAL | {"cls_token_id": 1, "sep_token_id": 2},
        _WORDS, 0,
    ),
    "t5": (
        "T5ForConditionalGeneration", "T5Config",
        {"vocab_size": 1000, "d_model": 128, "d_kv": 32, "d_ff": 256, "num_layers": 4,
         "num_heads": 4, "decoder_start_token_id": 0},
        _BOTH, 0,
    ),
    "bart": (
        "BartForConditionalGeneration", "BartConfig",
        {"vocab_size": 1000, "d_model": 128, "encoder_layers": 3, "decoder_layers": 3,
         "encoder_ffn_dim": 256, "decoder_ffn_dim": 256, "encoder_attention_heads": 4,
         "decoder_attention_heads": 4, "max_position_embeddings": 64},
        _BOTH, 0,
    ),
    "whisper": (
        "WhisperForConditionalGeneration", "WhisperConfig",
        {"vocab_size": 1000, "d_model": 128, "encoder_layers": 2, "decoder_layers": 2,
         "encoder_attention_heads": 4, "decoder_attention_heads": 4,
         "encoder_ffn_dim": 256, "decoder_ffn_dim": 256, "max_source_positions": 50,
         "max_target_positions": 64, "decoder_start_token_id": 1, **_SPECIAL},
        {"input_features": (80, 100), "decoder_input_ids": ()}, 0,
    ),
    "rwkv": (
        "RwkvForCausalLM", "RwkvConfig",
        {"vocab_size": 1000, "hidden_size": 128, "num_hidden_layers": 4,
         "attention_hidden_size": 128, "intermediate_size": 256},
        _WORDS, 0,
    ),
    "mamba": (
        "MambaForCausalLM", "MambaConfig",
        {"vocab_size": 1000, "hidden_size": 64, "num_hidden_layers": 3},
        _WORDS, 0,
    ),
    "vit": ("ViTForImageClassification", "ViTConfig", _VISION, _PIXELS, 10),
    "dinov2": ("Dinov2ForImageClassification", "Dinov2Config", _VISION, _PIXELS, 10),
    "resnet": (
        "ResNetForImageClassification", "ResNetConfig",
        {"embedding_size": 32, "hidden_sizes": [64, 128], "depths": [2, 2],
         "num_labels": 10},
        _PIXELS, 10,
    ),
    "segformer": (
        "SegformerForImageClassification", "SegformerConfig", {"num_labels": 10},
        _PIXELS, 10,
    ),
    "wav2vec2": (
        "Wav2Vec2ForSequenceClassification", "Wav2Vec2Config",
        _SIZES | {"num_labels": 10, "num_conv_pos_embedding_groups": 4},
        {"input_values": (4000,)}, 10,
    ),
}  # fmt: skip
NAMES = tuple(_PLANS)


def plan(name: str) -> Plan:
    """The plan of a name."""
    model, configuration, sizes, inputs, classes = _PLANS[name]

    def construct() -> nn.Module:
        library = importlib.import_module("transformers")
        return getattr(library, model)(getattr(library, configuration)(**sizes))

    return Plan(construct=construct, inputs=inputs, classes=classes)
