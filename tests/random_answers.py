"""Answers of random models, with the hand-written float64 forward beside each."""

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.target import Against, Target
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.logit_target import LogitTerm
from medgemma_dash.services.explaining.asking import ask
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.oracles.gemma3_float64 import FullForward, decode
from tests.oracles.siglip_float64 import TowerForward, see
from tests.oracles.target import terms_of

QUESTION = "Is there evidence of pneumonia?"
FORCED = "Yes, in the right lower zone."

# What each is for stands in its name. Sequences are 31 to 91 positions long, so that some of the
# engine's passes have more than one block of rows, and a last one that is not full.
SHAPES = {
    "one layer": Shape(layers=1, seed=1),
    "six layers, heads 8 on 4": Shape(seed=2),
    # Rounding grows with depth: with gentler attention float32 still resolves 1e-5 in 34 layers.
    "34 layers": Shape(layers=34, query_scalar=12, seed=3),
    "heads 4 on 1, window shorter than the image": Shape(
        layers=7,
        heads=(4, 1),
        head_dim=16,
        query_scalar=8,
        window=24,
        image_size=56,
        soft_tokens=64,
        seed=4,
    ),
    "heads 4 on 4, four soft tokens, sequence longer than the window": Shape(
        layers=8, heads=(4, 4), head_dim=6, soft_tokens=4, window=10, seed=5
    ),
    "image pushed back by a text in front": Shape(
        layers=6, system_text="You are a careful radiologist.", window=32, seed=6
    ),
    "pooling 4, no stretched rotary": Shape(
        layers=6, image_size=112, patch_size=7, soft_tokens=16, rope_factor=None, seed=7
    ),
}


@dataclass(frozen=True, eq=False)
class Case:
    """A model, an answer it gave, and the same forward by definition in float64."""

    model: VisionLanguageModel
    answer: Answer
    forward: FullForward

    def terms(self, *tokens: int, against: int | None = None) -> list[LogitTerm]:
        """The oracles' terms of these tokens' logits."""
        rival = None if against is None else Against(against, "")
        every = range(len(self.answer.tokens))
        targets = [Target("token", (every[index],), "", rival) for index in tokens]
        return [term for target in targets for term in terms_of(self.answer, target)]

    @cached_property
    def cells(self) -> list[int]:
        """Positions of all soft tokens."""
        return [i for image in self.answer.images for i in range(*image.span)]

    @cached_property
    def pixels(self) -> torch.Tensor:
        """What the vision tower is shown, (images, 3, height, width)."""
        return processed(self.model, self.answer)["pixel_values"]

    @cached_property
    def features(self) -> torch.Tensor:
        """All soft tokens, by way of transformers alone."""
        return soft_tokens(self.model, self.answer)

    @cached_property
    def towers(self) -> list[TowerForward]:
        """The hand-written vision tower's pass over each image."""
        return [see(self.model.hf_model, one[None]) for one in self.pixels]

    @cached_property
    def seen_forward(self) -> FullForward:
        """The decoder's pass over the hand-written towers' soft tokens."""
        seen = torch.cat([tower.soft_tokens for tower in self.towers])
        return decode(self.model.hf_model, self.answer.input_ids, seen)


@cache
def case(name: str, *, vision_layers: int = 1, keeps_graph: bool = True, images: int = 1) -> Case:
    """One of SHAPES, asked once about some images; tests leave it as they found it."""
    model = random_adapter(replace(SHAPES[name], vision_layers=vision_layers))
    if not keeps_graph:
        model.replays.budget_bytes = 0
    radiographs = [radiograph(seed) for seed in range(images)]
    answer = ask(model, radiographs, QUESTION, force=FORCED)
    return Case(model, answer, full_forward(model, answer))


def full_forward(model: VisionLanguageModel, answer: Answer) -> FullForward:
    """The hand-written forward over an answer."""
    features = soft_tokens(model, answer)
    return decode(model.hf_model, answer.input_ids, features)


def soft_tokens(model: VisionLanguageModel, answer: Answer) -> torch.Tensor:
    """The radiographs' soft tokens one behind the other, by way of transformers alone."""
    with torch.no_grad():
        pixels = processed(model, answer)["pixel_values"].to(model.dtype)
        return model.hf_model.get_image_features(pixels).pooler_output.flatten(0, 1)


def processed(model: VisionLanguageModel, answer: Answer):
    """The prompt as transformers' processor makes it."""
    user = [
        {"type": "image", "image": np.asarray(image.radiograph.pixels)} for image in answer.images
    ]
    user.append({"type": "text", "text": answer.prompt})
    return model.processor.apply_chat_template(
        [{"role": "user", "content": user}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )


def transformers_forward(model: VisionLanguageModel, answer: Answer, attention: str):
    """Transformers' own forward over prompt and answer, from the embeddings; the graph is kept.

    Returns the embeddings (1, S, hidden), a leaf, and the model's output.
    """
    hf_model = model.hf_model
    ids = torch.tensor(answer.input_ids)[None]
    is_image = ids == model.layout.image_token_id
    types = is_image.long()
    with torch.no_grad():
        embeddings = hf_model.get_input_embeddings()(ids).clone()
        embeddings[is_image] = soft_tokens(model, answer)
    embeddings.requires_grad_()
    before = hf_model.config.text_config._attn_implementation
    hf_model.set_attn_implementation({"text_config": attention})
    try:
        output = hf_model(
            inputs_embeds=embeddings,
            token_type_ids=types,
            use_cache=False,
            output_attentions=attention == "eager",
        )
    finally:
        hf_model.set_attn_implementation({"text_config": before})
    return embeddings, output


def relative_difference(found, wanted) -> float:
    """Largest difference over the largest wanted value."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())
