"""The shipped checkpoint: an ordinary folder that loads, tokenizes exactly, and answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
)

from medgemma_dash.demo.dataset import make_example
from medgemma_dash.demo.decoder_training import answer_logits
from medgemma_dash.demo.dialogues import Dialogue, answer_to, every_text, training_dialogues
from medgemma_dash.demo.evaluation import evaluate, generate_answers
from medgemma_dash.demo.model_card import replace_section
from medgemma_dash.demo.packing import Packer
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.demo.tokenizer import SPECIAL_TOKENS, build_tokenizer
from medgemma_dash.demo.vision_training import pixel_values

FOLDER = Path(__file__).parents[2] / "assets" / "demo-model"


@pytest.fixture(scope="module")
def processor() -> Gemma3Processor:
    return AutoProcessor.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model() -> Gemma3ForConditionalGeneration:
    return AutoModelForImageTextToText.from_pretrained(FOLDER).eval()


def _inputs(processor: Gemma3Processor, pixels: np.ndarray, text: str) -> dict[str, torch.Tensor]:
    image = Image.fromarray(pixels).convert("RGB")
    content = [{"type": "image", "image": image}, {"type": "text", "text": text}]
    return dict(
        processor.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            add_generation_prompt=True,
        )
    )


@pytest.mark.parametrize(
    "text",
    ["Is there evidence of pneumonia?", "", " ", "naïve Ünïcödé", "肺炎はありますか？", "🫁🩻",
     "هل يوجد", "tab\tnew\r\nline\n\n\n end ", "\x00\x7f\u200b\u202e", "<b>x</b> <script>"],
)  # fmt: skip
def test_any_text_comes_back_unchanged(processor: Gemma3Processor, text: str) -> None:
    ids = processor.tokenizer(text, add_special_tokens=False).input_ids
    assert processor.tokenizer.decode(ids) == text


def test_the_shipped_tokenizer_is_the_one_that_training_builds(processor: Gemma3Processor) -> None:
    assert processor.tokenizer.get_vocab() == build_tokenizer(every_text()).get_vocab()
    assert processor.tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)) == list(range(9))


def test_a_prompt_has_one_bos_and_256_image_tokens_in_a_row(
    processor: Gemma3Processor, model: Gemma3ForConditionalGeneration
) -> None:
    inputs = _inputs(processor, np.zeros((300, 200), np.uint8), "Any nodule?")
    ids = inputs["input_ids"][0]
    assert int((ids == processor.tokenizer.bos_token_id).sum()) == 1
    places = torch.nonzero(ids == model.config.image_token_id).flatten()
    assert torch.equal(places, torch.arange(int(places[0]), int(places[0]) + 256))
    assert torch.equal(inputs["token_type_ids"][0] == 1, ids == model.config.image_token_id)
    assert inputs["pixel_values"].shape == (1, 3, 224, 224)


def test_training_sees_the_pixels_that_the_processor_gives(processor: Gemma3Processor) -> None:
    given = _inputs(processor, synthesize(3).pixels, "Any nodule?")["pixel_values"]
    torch.testing.assert_close(pixel_values([make_example(3)]), given, rtol=0, atol=1e-6)


def test_packed_dialogues_give_the_models_own_logits(
    processor: Gemma3Processor, model: Gemma3ForConditionalGeneration
) -> None:
    example, pixels = make_example(5), synthesize(5).pixels
    dialogues = training_dialogues(example, 3, np.random.default_rng(0))
    packer = Packer(processor.tokenizer)
    with torch.inference_mode():
        values = pixel_values([example])
        features = model.model.vision_tower(pixel_values=values).last_hidden_state
        logits, labels = answer_logits(model, features, packer.pack([dialogues]))
        alone = [_logits_alone(model, processor, pixels, dialogue) for dialogue in dialogues]
    expected = torch.cat(alone)
    assert len(labels) == len(expected)
    # Float32 sums in another order.
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-3)


def _logits_alone(
    model: Gemma3ForConditionalGeneration,
    processor: Gemma3Processor,
    pixels: np.ndarray,
    dialogue: Dialogue,
) -> torch.Tensor:
    inputs = _inputs(processor, pixels, dialogue.question.text)
    start = inputs["input_ids"].shape[1]
    answer = processor.tokenizer(
        dialogue.answer, add_special_tokens=False, return_tensors="pt"
    ).input_ids
    inputs["input_ids"] = torch.cat([inputs["input_ids"], answer], 1)
    inputs["token_type_ids"] = torch.cat([inputs["token_type_ids"], torch.zeros_like(answer)], 1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    return model(**inputs).logits[0, start - 1 :]


def test_the_shape_is_gemma_3s(model: Gemma3ForConditionalGeneration) -> None:
    text = model.config.text_config
    assert (text.num_attention_heads, text.num_key_value_heads) == (8, 4)
    kinds = ["full_attention" if (n + 1) % 6 == 0 else "sliding_attention"
             for n in range(text.num_hidden_layers)]  # fmt: skip
    assert text.layer_types == kinds
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 25 * 1024**2


def test_the_model_answers_unseen_radiographs(
    model: Gemma3ForConditionalGeneration, processor: Gemma3Processor
) -> None:
    scores = evaluate(model, processor, pictures=4, first_seed=FIRST_EVALUATION_SEED + 800_000)
    counts = scores.counts["technical", "yes/no"]
    assert counts.right >= 0.8 * counts.total
    assert "| technical |" in scores.as_table()


@pytest.mark.parametrize("text", ["", "hello", "🫁" * 30, "x" * 300, "Is there a fracture?"])
def test_any_prompt_gets_an_answer(
    model: Gemma3ForConditionalGeneration, processor: Gemma3Processor, text: str
) -> None:
    (answer,) = generate_answers(model, processor, [(synthesize(0), text)])
    assert isinstance(answer, str)


def test_what_the_model_was_not_taught_it_says_so() -> None:
    assert answer_to("Is there a fracture?", synthesize(0)).answer.endswith("to answer that.")


def test_a_cards_section_is_replaced_between_its_marks(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("a\n<!-- scores -->\nold\n<!-- /scores -->\nb\n")
    replace_section(card, "scores", "new")
    assert card.read_text() == "a\n<!-- scores -->\nnew\n<!-- /scores -->\nb\n"
    with pytest.raises(ValueError, match="no section"):
        replace_section(card, "grounding", "new")
