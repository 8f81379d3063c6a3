"""The replay of an answer, kept while the answer is open."""

import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.prompting import encode_prompt
from medgemma_dash.models.replay import Replay
from medgemma_dash.models.replay_forward import build_replay


def replay_answer(model: VisionLanguageModel, answer: Answer, check: Check | None = None) -> Replay:
    """The kept replay of an answer, or a rebuilt one. The caller holds the model's lock."""

    def build() -> Replay:
        radiographs = [image.radiograph for image in answer.images]
        encoded = encode_prompt(model, radiographs, answer.prompt)
        features = model.encode_images(radiographs, encoded.pixel_values)
        input_ids = torch.from_numpy(answer.input_ids.copy())
        return build_replay(model, input_ids, answer.image_spans, features, check=check)

    return model.replays.get_or_make(answer.key, build)
