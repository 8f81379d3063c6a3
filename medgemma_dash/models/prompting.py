"""A question and a radiograph as the model's input."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from medgemma_dash.core.errors import ModelError, PromptError
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models.adapter import VisionLanguageModel

MAX_PROMPT_TOKENS = 1024


@dataclass(frozen=True, eq=False)
class EncodedPrompt:
    """The prompt's token ids, where the soft tokens stand, and the preprocessed radiograph."""

    input_ids: Int[Tensor, " prompt"]
    image_span: tuple[int, int]
    pixel_values: Float[Tensor, "1 3 height width"]


def encode_prompt(model: VisionLanguageModel, radiograph: Radiograph, prompt: str) -> EncodedPrompt:
    """Apply the chat template once and find the image span.

    Raises PromptError for an empty, over-long or tag-bearing question.
    """
    check_text(model, prompt, "question")
    if not prompt.strip():
        raise PromptError(
            "The question is empty. Type a question, or choose one of the suggestions."
        )
    user = [
        {"type": "image", "image": Image.fromarray(radiograph.pixels)},
        {"type": "text", "text": prompt},
    ]
    encoded = model.processor.apply_chat_template(
        [{"role": "user", "content": user}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs={"images_kwargs": {"do_pan_and_scan": False}},
    )
    input_ids = encoded["input_ids"][0]
    span = find_image_span(input_ids, model)
    words = len(input_ids) - model.layout.soft_tokens
    if words > MAX_PROMPT_TOKENS:
        raise PromptError(
            f"The question is too long: {words} tokens with its frame. "
            f"Allowed: {MAX_PROMPT_TOKENS}. Shorten it."
        )
    return EncodedPrompt(input_ids, span, encoded["pixel_values"])


def find_image_span(
    input_ids: Int[Tensor, " sequence"], model: VisionLanguageModel
) -> tuple[int, int]:
    """Where the soft tokens stand: one run, as long as the model expects, behind one BOS.

    Raises ModelError when the processor does not fit the model.
    """
    places = (input_ids == model.layout.image_token_id).nonzero().flatten()
    expected = model.layout.soft_tokens
    if len(places) != expected or int(places[-1] - places[0]) + 1 != expected:
        raise ModelError(
            f"The processor wrote {len(places)} image tokens; the model expects {expected} in one "
            "run. Take the processor of the same checkpoint, with pan-and-scan off."
        )
    beginnings = int((input_ids == model.processor.tokenizer.bos_token_id).sum())
    if beginnings != 1:
        raise ModelError(
            f"The prompt begins {beginnings} times (BOS tokens); exactly one is right."
        )
    return int(places[0]), int(places[-1]) + 1


def check_text(model: VisionLanguageModel, text: str, what: str) -> None:
    """Refuse the model's control tags in typed text; raises PromptError that names the tag."""
    tokenizer = model.processor.tokenizer
    tags = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    tags |= {str(tag) for tag in tokenizer.all_special_tokens if tag}
    for tag in sorted(tags, key=len, reverse=True):
        if tag and tag in text:
            raise PromptError(
                f"The {what} contains the control tag {tag!r}, which the model would read as "
                "structure, not as text. Remove it."
            )


def encode_continuation(model: VisionLanguageModel, text: str) -> Int[Tensor, " tokens"]:
    """Token ids of text placed behind the prompt as the answer; raises PromptError."""
    check_text(model, text, "forced answer")
    ids = model.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    if not ids:
        raise PromptError(
            "The forced answer is empty. Give the text that the model is to have said."
        )
    if len(ids) > MAX_PROMPT_TOKENS:
        raise PromptError(f"The forced answer has {len(ids)} tokens. Allowed: {MAX_PROMPT_TOKENS}.")
    return torch.tensor(ids)
