"""The same conversation without any image: what the words alone make of an answer."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.prompting import encode_text_prompt


def text_only_log_probabilities(
    model: VisionLanguageModel,
    prompt: str,
    answer_ids: Sequence[int],
    check: Callable[[], None] | None = None,
) -> Float[Tensor, " tokens"]:
    """Log-probability of each answer token when the prompt is rendered without an image.

    Float32, in nats, teacher-forced; the caller holds the model's lock.
    """
    before = encode_text_prompt(model, prompt)
    given = torch.tensor(list(answer_ids))
    ids = torch.cat([before, given]).to(model.device).unsqueeze(0)
    if check is not None:
        check()
    with torch.no_grad():
        states = model.hf_model.model(
            input_ids=ids, token_type_ids=torch.zeros_like(ids), use_cache=False
        ).last_hidden_state[0, len(before) - 1 : -1]
        found = [
            # One at a time: the logits of a long answer take gigabytes on a real model.
            model.hf_model.lm_head(state).float().log_softmax(-1)[token]
            for state, token in zip(states, answer_ids, strict=True)
        ]
    return torch.stack(found)
