"""Tiny random Gemma 3 image-text models with real processors, and radiographs to show them."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    GenerationConfig,
    SiglipVisionConfig,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.gemma3.processing_gemma3 import Gemma3Processor

from medgemma_dash.core.radiograph import Laterality, Radiograph, Window
from medgemma_dash.demo.tokenizer import (
    BOS,
    CHAT_TEMPLATE,
    END_OF_IMAGE,
    END_OF_TURN,
    EOS,
    IMAGE_SOFT_TOKEN,
    PAD,
    START_OF_IMAGE,
    build_tokenizer,
)
from medgemma_dash.models import VisionLanguageModel, wrap_model

TEXTS = (
    "Is there evidence of pneumonia in this chest radiograph?",
    "Yes, there is a consolidation in the right lower zone. No pleural effusion.",
)
NO_SYSTEM_TEXT = "{%- set first_user_prefix = '' -%}"


@dataclass(frozen=True)
class Shape:
    """The shape of a random model; every size is apart from the others on purpose.

    query_scalar: attention logits are q . k / sqrt(query_scalar); small makes attention peaked.
    system_text: stands in front of the image, as a site's own prompt would.
    rope_factor: linear stretching of the global layers' positions, 8 in Gemma 3 4B and larger.
    """

    layers: int = 6
    hidden: int = 40
    intermediate: int = 56
    heads: tuple[int, int] = (8, 4)
    head_dim: int = 12
    query_scalar: int = 3
    window: int = 512
    image_size: int = 28
    patch_size: int = 7
    soft_tokens: int = 16
    vision_layers: int = 1
    system_text: str = ""
    rope_factor: float | None = 8.0
    seed: int = 0


@cache
def tokenizer():
    """Byte-level BPE over two sentences: few merges, so that words and emoji are split."""
    return build_tokenizer(TEXTS)


def processor(shape: Shape) -> Gemma3Processor:
    """Gemma 3's own processor class for the shape's image size and number of soft tokens."""
    template = CHAT_TEMPLATE
    if shape.system_text:
        assert NO_SYSTEM_TEXT in template
        prefix = f"{{%- set first_user_prefix = '{shape.system_text} ' -%}}"
        template = template.replace(NO_SYSTEM_TEXT, prefix)
    return Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil(
            size={"height": shape.image_size, "width": shape.image_size},
            image_mean=[0.5, 0.5, 0.5],
            image_std=[0.5, 0.5, 0.5],
            do_pan_and_scan=False,
        ),
        tokenizer=tokenizer(),
        chat_template=template,
        image_seq_length=shape.soft_tokens,
    )


def configuration(shape: Shape) -> Gemma3Config:
    """Gemma 3's configuration: every sixth layer global, the others sliding."""
    identity = tokenizer().convert_tokens_to_ids
    stretched = {"rope_type": "default", "rope_theta": 1_000_000.0}
    if shape.rope_factor is not None:
        stretched |= {"rope_type": "linear", "factor": shape.rope_factor}
    return Gemma3Config(
        text_config=Gemma3TextConfig(
            vocab_size=len(tokenizer()),
            hidden_size=shape.hidden,
            intermediate_size=shape.intermediate,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads[0],
            num_key_value_heads=shape.heads[1],
            head_dim=shape.head_dim,
            query_pre_attn_scalar=shape.query_scalar,
            sliding_window=shape.window,
            rope_parameters={
                "full_attention": stretched,
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            },
            pad_token_id=identity(PAD),
            bos_token_id=identity(BOS),
            eos_token_id=identity(EOS),
        ).to_dict(),
        vision_config=SiglipVisionConfig(
            image_size=shape.image_size,
            patch_size=shape.patch_size,
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=shape.vision_layers,
            num_attention_heads=2,
            vision_use_head=False,
        ).to_dict(),
        mm_tokens_per_image=shape.soft_tokens,
        boi_token_index=identity(START_OF_IMAGE),
        eoi_token_index=identity(END_OF_IMAGE),
        image_token_index=identity(IMAGE_SOFT_TOKEN),
        eos_token_id=[identity(EOS), identity(END_OF_TURN)],
    )


def random_model(shape: Shape, *, attention: str = "sdpa") -> Gemma3ForConditionalGeneration:
    """A seeded model whose weights are far from what makes attention uniform.

    Norm weights, which start at zero, are random as well: else (1 + w) would go untested, and
    queries and keys would have equal lengths in every layer.
    """
    config = configuration(shape)
    config._attn_implementation = attention
    model = Gemma3ForConditionalGeneration(config).eval()
    identity = tokenizer().convert_tokens_to_ids
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=[identity(EOS), identity(END_OF_TURN)]
    )
    random = torch.Generator().manual_seed(shape.seed)
    with torch.no_grad():
        for parameter in model.parameters():
            width = parameter.shape[-1]
            std = 0.3 if parameter.ndim == 1 else width**-0.5
            parameter.normal_(std=std, generator=random)
    return model


def random_adapter(shape: Shape, *, attention: str = "sdpa") -> VisionLanguageModel:
    """The model as the program holds it."""
    return wrap_model(random_model(shape, attention=attention), processor(shape))


def saved_model(shape: Shape, folder: Path) -> Path:
    """The model and its processor as a checkpoint in a folder."""
    random_model(shape).save_pretrained(folder)
    processor(shape).save_pretrained(folder)
    return folder


def encodings_of(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one each time that the model encodes images from now on."""
    calls: list[int] = []
    original = model.hf_model.get_image_features

    def counted(*arguments, **options):
        calls.append(1)
        return original(*arguments, **options)

    monkeypatch.setattr(model.hf_model, "get_image_features", counted)
    return calls


def radiograph(seed: int = 0, height: int = 40, width: int = 36) -> Radiograph:
    """A picture of noise, not square."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Radiograph(
        pixels=pixels,
        sha256=sha256(pixels.tobytes()).hexdigest(),
        spacing_mm=None,
        laterality=Laterality("unknown", "made for a test"),
        intensities=pixels[..., 0].astype(np.float32),
        windows=(Window("full", 128.0, 256.0),),
    )
