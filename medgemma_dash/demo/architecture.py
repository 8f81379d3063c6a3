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
from medgemma_dash.models.loading import DEMO_MARK

PATCH_SIZE = 14
GRID = IMAGE_SIZE // PATCH_SIZE  # 16 patches a side
WIDTH = 128
VISION_LAYERS = 4
DECODER_LAYERS = 12  # two global layers, 5 and 11


def build_config(
    tokenizer: PreTrainedTokenizerBase, decoder_layers: int = DECODER_LAYERS
) -> Gemma3Config:
    """Return the configuration, marked as the demo.

    Every sixth decoder layer is global, the others slide over 512.
    """
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
        **{DEMO_MARK: True},
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


def deepen(
    model: Gemma3ForConditionalGeneration, tokenizer: PreTrainedTokenizerBase, decoder_layers: int
) -> Gemma3ForConditionalGeneration:
    """Return a deeper model that starts out answering almost as this one does.

    Trained layers are spread over the new depth and between them stand copies whose contribution
    is scaled down to a tenth, so that little is lost and all layers get gradients. A deep decoder
    started so needs a fraction of the steps that it needs from nothing (progressive stacking:
    Gong et al., ICML 2019).
    """
    old_layers = model.model.language_model.layers
    deep = build_model(tokenizer, seed=0, decoder_layers=decoder_layers)
    outside = {
        name: value for name, value in model.state_dict().items() if "model.layers." not in name
    }
    deep.load_state_dict(outside, strict=False)
    kinds, old_kinds = deep.config.text_config.layer_types, model.config.text_config.layer_types
    home = _spread(old_kinds, kinds)
    for index, layer in enumerate(deep.model.language_model.layers):
        # A copy is taken from the nearest earlier layer of the same kind: the two kinds turn
        # their rotary positions at different speeds.
        source = home.get(index)
        if source is None:
            same = {new: old for new, old in home.items() if old_kinds[old] == kinds[index]}
            earlier = [old for new, old in same.items() if new < index]
            source = max(earlier, default=min(same.values()))
        layer.load_state_dict(old_layers[source].state_dict())
        if index not in home:
            with torch.no_grad():
                for norm in (layer.post_attention_layernorm, layer.post_feedforward_layernorm):
                    norm.weight.copy_(0.1 * (1 + norm.weight) - 1)  # Gemma scales by 1 + weight
    return deep


def _spread(old_kinds: list[str], kinds: list[str]) -> dict[int, int]:
    """Place old layers in order, evenly, each on a new layer of its own kind: new -> old."""
    home: dict[int, int] = {}
    last = -1
    for old, kind in enumerate(old_kinds):
        wanted = old * len(kinds) // len(old_kinds)
        later = [new for new in range(last + 1, len(kinds)) if kinds[new] == kind]
        last = min((new for new in later if new >= wanted), default=later[-1])
        home[last] = old
    return home
