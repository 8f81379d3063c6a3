"""Whether a model and a processor can be explained, found out before the first question."""

from typing import Any

import numpy as np
import torch
from transformers import Gemma3ForConditionalGeneration

from medgemma_dash.core.errors import MedGemmaDashError, ModelError, UnsupportedModelError, quoted
from medgemma_dash.core.radiograph import Laterality, Radiograph, Window
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.chat_template import chat_template
from medgemma_dash.models.ending import end_ids
from medgemma_dash.models.gemma3 import read_layout
from medgemma_dash.models.prompting import encode_prompt

MERGING = (
    "merge it into its base model, peft.PeftModel.from_pretrained(base, adapter).merge_and_unload()"
)
_SENTENCE = "Is it 3.5 cm wide, left-sided?"
_SIDE = 32  # pixels of the picture that is tried
# Of black and white as the vision tower sees them: the published processor makes -1 and 1, that of
# any data set in use at most 3; a picture that was not rescaled goes up to 255.
_LARGEST, _LEAST_APART = 10.0, 0.1


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
    """Put a question about a picture, half black and half white, into the form that is read.

    Raises ModelError when the processor cannot, or makes what another model would read.
    """
    try:
        encoded = encode_prompt(model, [_half_white()], "Is it normal?")
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
    _check_shades(encoded.pixel_values)
    _check_words(model)
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


def _check_words(model: VisionLanguageModel) -> None:
    """Put text into tokens and back, and look for the tokens that end an answer.

    Raises ModelError.
    """
    tokenizer = model.processor.tokenizer
    ids = tokenizer(_SENTENCE, add_special_tokens=False)["input_ids"]
    if tokenizer.decode(ids) != _SENTENCE:
        raise ModelError(
            f"The tokenizer does not give back what it is given: {quoted(_SENTENCE)} becomes "
            f"{quoted(tokenizer.decode(ids))}. Take the tokenizer of the same checkpoint."
        )
    ends = end_ids(model)
    if not ends or not all(
        isinstance(one, int) and 0 <= one < model.vocabulary_size for one in ends
    ):
        raise ModelError(
            f"Answers would have no end: the tokens that end one, {quoted(sorted(ends, key=str))}, "
            f"are to be numbers from 0 to {model.vocabulary_size - 1}. Set eos_token_id in "
            "generation_config.json as the checkpoint has it."
        )


def _check_shades(values: torch.Tensor) -> None:
    """Compare what became of the black half and of the white one; raises ModelError."""
    quarter = values.shape[-1] // 4
    black, white = values[..., :quarter].float(), values[..., -quarter:].float()
    if not bool(torch.isfinite(values).all()):
        fault = "makes numbers of a picture that are not finite"
    elif float(white.min() - black.max()) < _LEAST_APART:
        fault = "makes no difference between black and white, or turns them around"
    elif float(values.abs().max()) > _LARGEST:
        fault = f"makes numbers of a picture that are as large as {float(values.abs().max()):g}"
    else:
        return
    raise ModelError(
        f"The processor {fault}: its rescale_factor, image_mean or image_std is wrong. Take the "
        "processor of the same checkpoint."
    )


def _half_white() -> Radiograph:
    pixels = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    pixels[:, _SIDE // 2 :] = 255
    return Radiograph(
        pixels=pixels,
        sha256="",
        spacing_mm=None,
        laterality=Laterality("unknown", "a picture of two halves"),
        intensities=pixels[..., 0].astype(np.float32),
        windows=(Window("full", 128.0, 256.0),),
    )
