"""The demo model's shape: Gemma 3 in miniature, with its 256 image tokens and 5:1 layer pattern."""

from __future__ import annotations

import torch
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    GenerationConfig,
    PreTrainedTokenizerBase,
    SiglipVisionConfig,
)

from medgemma_dash.demo.tokenizer import (
    BOS,
    END_OF_IMAGE,
    END_OF_TURN,
    EOS,
    IMAGE_SIZE,
    IMAGE_SOFT_TOKEN,
    IMAGE_TOKENS,
    PAD,
    START_OF_IMAGE,
)

PATCH_SIZE = 14
GRID = IMAGE_SIZE // PATCH_SIZE  # 16 patches a side
WIDTH = 128
VISION_LAYERS = 4
DECODER_LAYERS = 12  # two global layers, 5 and 11


def build_config(
    tokenizer: PreTrainedTokenizerBase, decoder_layers: int = DECODER_LAYERS
) -> Gemma3Config:
    """Return the configuration; every sixth decoder layer is global, the others slide over 512."""
    identity = tokenizer.convert_tokens_to_ids
    vision = SiglipVisionConfig(
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=VISION_LAYERS,
        num_attention_heads=4,
        vision_use_head=False,
    )
    text = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=decoder_layers,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=32,
        query_pre_attn_scalar=32,
        sliding_window=512,
        max_position_embeddings=8192,
        initializer_range=0.05,
        pad_token_id=identity(PAD),
        bos_token_id=identity(BOS),
        eos_token_id=identity(EOS),
    )
    return Gemma3Config(
        text_config=text,
        vision_config=vision,
        mm_tokens_per_image=IMAGE_TOKENS,
        boi_token_index=identity(START_OF_IMAGE),
        eoi_token_index=identity(END_OF_IMAGE),
        image_token_index=identity(IMAGE_SOFT_TOKEN),
        eos_token_id=[identity(EOS), identity(END_OF_TURN)],
        pad_token_id=identity(PAD),
        bos_token_id=identity(BOS),
    )


def build_model(
    tokenizer: PreTrainedTokenizerBase, seed: int, decoder_layers: int = DECODER_LAYERS
) -> Gemma3ForConditionalGeneration:
    """Return an untrained model with seeded weights."""
    torch.manual_seed(seed)
    model = Gemma3ForConditionalGeneration(build_config(tokenizer, decoder_layers))
    # Left at zero (its default) every soft token is the same and gives no gradient to start from.
    projector = model.model.multi_modal_projector
    torch.nn.init.normal_(projector.mm_input_projection_weight, std=WIDTH**-0.5)
    identity = tokenizer.convert_tokens_to_ids
    model.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=64,
        bos_token_id=identity(BOS),
        pad_token_id=identity(PAD),
        eos_token_id=[identity(EOS), identity(END_OF_TURN)],
    )
    return model.eval()
