"""Whether a model and a processor can be explained, found out before the first question."""

from typing import Any

import numpy as np
import torch
from transformers import Gemma3ForConditionalGeneration

from medgemma_dash.core.errors import MedGemmaDashError, ModelError, UnsupportedModelError
from medgemma_dash.core.radiograph import Laterality, Radiograph, Window
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.chat_template import chat_template
from medgemma_dash.models.gemma3 import read_layout
from medgemma_dash.models.prompting import encode_prompt

MERGING = (
    "merge it into its base model, peft.PeftModel.from_pretrained(base, adapter).merge_and_unload()"
)
_SIDE = 32  # pixels of the picture that is tried


def check_model(hf_model: Any) -> None:
    """Refuse what holds a Gemma 3 image-text model, is a part of one, or is one only in part.

    Raises UnsupportedModelError or ModelError, each with what to give instead.
    """
    if not isinstance(hf_model, torch.nn.Module):
        raise UnsupportedModelError(
            f"A model is needed, and this is of the type {type(hf_model).__name__}. Load a folder "
            "or a hub id with load_model, or give a model of transformers."
        )
    # An adapter's weights stand beside those that the methods read, which would be the base's.
    if any(type(part).__module__.split(".")[0] == "peft" for part in hf_model.modules()):
        raise UnsupportedModelError(
            f"This model carries an adapter of peft, such as LoRA. First {MERGING}, and give that."
        )
    read_layout(getattr(hf_model, "config", None))
    whole = getattr(hf_model, "_orig_mod", hf_model)  # what torch.compile was given
    if not isinstance(whole, Gemma3ForConditionalGeneration):
        raise UnsupportedModelError(
            f"A Gemma3ForConditionalGeneration is needed, and this is a {type(whole).__name__}: a "
            "part of such a model, a wrapper around one, or a model of another kind. Load it with "
            "transformers' AutoModelForImageTextToText.from_pretrained."
        )
    parameters = dict(hf_model.named_parameters())
    if absent := [name for name, one in parameters.items() if one.is_meta]:
        raise ModelError(
            f"{len(absent)} weights of this model are not in memory, {absent[0]} among them. Load "
            "it whole, without offloading, onto one device."
        )
    formats = sorted({str(one.dtype) for one in parameters.values() if one.is_floating_point()})
    if len(formats) > 1:
        raise ModelError(
            f"This model mixes number formats: {', '.join(formats)}. Convert it to one, such as "
            "hf_model.to(torch.bfloat16) or hf_model.float()."
        )


def check_processor(processor: Any) -> None:
    """Refuse what is no processor of a Gemma 3 image-text model; raises ModelError."""
    if not (hasattr(processor, "image_processor") and hasattr(processor, "tokenizer")):
        raise ModelError(
            "A processor for pictures and text is needed, and this is of the type "
            f"{type(processor).__name__}. Take transformers' AutoProcessor.from_pretrained of the "
            "same checkpoint, which has its preprocessor_config.json beside the tokenizer."
        )
    chat_template(processor)


def check_together(model: VisionLanguageModel) -> None:
    """Put a question about a grey picture into the form that the model reads.

    Raises ModelError when the processor cannot, or makes what another model would read.
    """
    try:
        encoded = encode_prompt(model, [_grey()], "Is it normal?")
    except MedGemmaDashError:
        raise
    except Exception as error:  # transformers' processors raise whatever a setting leads them to
        raise ModelError(
            "The processor cannot prepare a radiograph and a question "
            f"({described(error)}). Take the processor of the same checkpoint."
        ) from error
    side = model.layout.image_size
    if encoded.pixel_values.shape[-2:] != (side, side):
        height, width = encoded.pixel_values.shape[-2:]
        raise ModelError(
            f"The processor makes pictures of {width} x {height} pixels; the vision tower takes "
            f"{side} x {side}. Take the processor of the same checkpoint."
        )
    known = len(model.processor.tokenizer)
    if known > model.vocabulary_size:
        raise ModelError(
            f"The tokenizer knows {known} tokens; the model has embeddings for "
            f"{model.vocabulary_size}. Take the processor of the same checkpoint."
        )


def described(error: BaseException) -> str:
    """An error of another library in one line of bounded length."""
    text = " ".join(str(error).split())[:300]
    plain = isinstance(error, OSError | ValueError | RuntimeError)
    return text if text and plain else f"{type(error).__name__}: {text}".rstrip(": ")


def _grey() -> Radiograph:
    pixels = np.full((_SIDE, _SIDE, 3), 128, np.uint8)
    return Radiograph(
        pixels=pixels,
        sha256="",
        spacing_mm=None,
        laterality=Laterality("unknown", "a grey picture"),
        intensities=pixels[..., 0].astype(np.float32),
        windows=(Window("full", 128.0, 256.0),),
    )
