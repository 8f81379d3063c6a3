"""A question and its radiographs as the model's input."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from medgemma_dash.core.errors import ModelError, PromptError
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.chat_template import try_template

MAX_PROMPT_TOKENS = 1024  # of words; soft tokens do not count
# 2,048 soft tokens in MedGemma. What is kept and what a click costs grow faster than their number.
MAX_IMAGES = 8


@dataclass(frozen=True, eq=False)
class EncodedPrompt:
    """The prompt's token ids, where the soft tokens stand, and the preprocessed radiographs."""

    input_ids: Int[Tensor, " prompt"]
    image_spans: tuple[tuple[int, int], ...]
    pixel_values: Float[Tensor, "images 3 height width"]


def encode_prompt(
    model: VisionLanguageModel, radiographs: Sequence[Radiograph], prompt: str
) -> EncodedPrompt:
    """Apply the chat template once, radiographs in order and then the text; find their spans.

    Raises PromptError for an empty, over-long or tag-bearing question, and for no radiograph or
    too many.
    """
    if not 1 <= len(radiographs) <= MAX_IMAGES:
        raise PromptError(
            f"{len(radiographs)} radiographs cannot be asked about at once. Allowed: 1 to "
            f"{MAX_IMAGES}, the current one last."
        )
    encoded = _apply_template(model, radiographs, prompt)
    input_ids = encoded["input_ids"][0]
    spans = find_image_spans(input_ids, model, len(radiographs))
    words = len(input_ids) - len(radiographs) * model.layout.soft_tokens
    if words > MAX_PROMPT_TOKENS:
        raise PromptError(
            f"The question is too long: {words} tokens with its frame. "
            f"Allowed: {MAX_PROMPT_TOKENS}. Shorten it."
        )
    return EncodedPrompt(input_ids, spans, encoded["pixel_values"])


def preprocessed(
    model: VisionLanguageModel, radiograph: Radiograph
) -> Float[Tensor, "1 3 height width"]:
    """A radiograph as the vision tower is shown it, whatever is asked about it."""
    return _apply_template(model, (radiograph,), "?")["pixel_values"]  # type: ignore[no-any-return]


def encode_text_prompt(model: VisionLanguageModel, prompt: str) -> Int[Tensor, " prompt"]:
    """Token ids of the same conversation without a radiograph; raises PromptError as above."""
    input_ids: Int[Tensor, " prompt"] = _apply_template(model, (), prompt)["input_ids"][0]
    return input_ids


def _apply_template(
    model: VisionLanguageModel, radiographs: Sequence[Radiograph], prompt: str
) -> Any:
    check_text(model, prompt, "question")
    if not prompt.strip():
        raise PromptError(
            "The question is empty. Type a question, or choose one of the suggestions."
        )
    images = [{"type": "image", "image": Image.fromarray(one.pixels)} for one in radiographs]
    user = [*images, {"type": "text", "text": prompt}]
    conversation = [{"role": "user", "content": user}]
    try_template(model.processor, conversation)
    return model.processor.apply_chat_template(
        conversation,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs={"images_kwargs": {"do_pan_and_scan": False}},
    )


def find_image_spans(
    input_ids: Int[Tensor, " sequence"], model: VisionLanguageModel, images: int
) -> tuple[tuple[int, int], ...]:
    """Where the soft tokens stand: a run for each image, as long as the model expects; one BOS.

    Raises ModelError when the processor does not fit the model.
    """
    is_soft = (input_ids == model.layout.image_token_id).int()
    edges = torch.nn.functional.pad(is_soft, (1, 1)).diff()
    starts, stops = ((edges == sign).nonzero().flatten().tolist() for sign in (1, -1))
    spans = tuple(zip(starts, stops, strict=True))
    expected = model.layout.soft_tokens
    if [stop - start for start, stop in spans] != [expected] * images:
        runs = "one run" if images == 1 else f"each of {images} runs"
        raise ModelError(
            f"The processor wrote {int(is_soft.sum())} image tokens; the model expects {expected} "
            f"in {runs}. Take the processor of the same checkpoint, with pan-and-scan off."
        )
    beginnings = int((input_ids == model.processor.tokenizer.bos_token_id).sum())
    if beginnings != 1:
        raise ModelError(
            f"The prompt begins {beginnings} times (BOS tokens); exactly one is right."
        )
    return spans


def check_text(model: VisionLanguageModel, text: str, what: str) -> None:
    """Refuse half a character, and the model's control tags in typed text; raises PromptError."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PromptError(
            f"The {what} holds half a character (a lone surrogate), as text does that was decoded "
            "wrongly. Type it again, or read its file as UTF-8."
        ) from None
    tokenizer = model.processor.tokenizer
    tags = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    tags |= {str(tag) for tag in tokenizer.all_special_tokens if tag}
    for tag in sorted(tags, key=len, reverse=True):
        if tag and tag in text:
            raise PromptError(
                f"The {what} contains the control tag {tag!r}, which the model would read as "
                "structure, not as text. Remove it."
            )


def encode_continuation(
    model: VisionLanguageModel, text: str, what: str = "forced answer"
) -> Int[Tensor, " tokens"]:
    """Token ids of text placed behind the prompt; what: it is called so in a PromptError."""
    check_text(model, text, what)
    ids = model.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    if not ids:
        raise PromptError(f"The {what} is empty. Give the text that the model is to have said.")
    if len(ids) > MAX_PROMPT_TOKENS:
        raise PromptError(f"The {what} has {len(ids)} tokens. Allowed: {MAX_PROMPT_TOKENS}.")
    return torch.tensor(ids)
