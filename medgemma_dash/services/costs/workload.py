"""A sequence of a given length for any model; what is in it does not change what it costs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.methods.chefer_rules import unroll
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.embedding import embed
from medgemma_dash.models.logit_target import LogitTarget
from medgemma_dash.models.plain_forward import plain_logit
from medgemma_dash.models.replay import Replay
from medgemma_dash.models.replay_forward import build_replay

IMAGE_START = 5  # where a Gemma 3 prompt has its soft tokens
ANSWER_TOKENS = 64


@dataclass(frozen=True, eq=False)
class Workload:
    """Prompt, image and an answer of ANSWER_TOKENS tokens; the click is on its middle token."""

    model: VisionLanguageModel
    input_ids: Int[Tensor, " sequence"]
    features: Float[Tensor, "soft_tokens hidden"]
    embeddings: Float[Tensor, "1 sequence hidden"]
    token_types: Int[Tensor, "1 sequence"]

    @property
    def image_span(self) -> tuple[int, int]:
        """Where the soft tokens stand."""
        return IMAGE_START, IMAGE_START + self.model.layout.soft_tokens

    @property
    def row(self) -> int:
        """The position that predicts the clicked token."""
        return len(self.input_ids) - ANSWER_TOKENS // 2 - 1

    @property
    def token(self) -> int:
        """The clicked token's id."""
        return int(self.input_ids[self.row + 1])

    def replay(self) -> Replay:
        """A new replay, outside the model's cache."""
        return build_replay(self.model, self.input_ids, [self.image_span], self.features)

    def click(self, replay: Replay) -> Float[Tensor, "1 sequence"]:
        """One streamed Chefer row."""
        row = unroll(replay, [LogitTarget.of_token(self.row, self.token)])
        row[:, self.row] = 0  # self-relevance
        return row.cpu()

    def whole_answer(self, replay: Replay) -> None:
        """The streamed Chefer rows of all answer tokens."""
        last = len(self.input_ids) - 1
        targets = [
            LogitTarget.of_token(row, int(self.input_ids[row + 1]))
            for row in range(last - ANSWER_TOKENS, last)
        ]
        for start in range(0, len(targets), replay.targets_at_once):
            unroll(replay, targets[start : start + replay.targets_at_once])

    def bare(self) -> Callable[[], Tensor]:
        """A plain SDPA forward, once; what is returned is its backward from the same logit."""
        embeddings = self.embeddings.detach().requires_grad_()
        with torch.enable_grad():
            z, _ = plain_logit(self.model, embeddings, self.token_types, self.row, self.token)
        return lambda: torch.autograd.grad(z, embeddings, retain_graph=True)[0]


def build_workload(model: VisionLanguageModel, length: int) -> Workload:
    """A workload of `length` positions, seeded."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(10, min(model.vocabulary_size, 500), (length,), generator=generator)
    span = (IMAGE_START, IMAGE_START + model.layout.soft_tokens)
    ids[slice(*span)] = model.layout.image_token_id
    layout = model.layout
    features = torch.randn(layout.soft_tokens, layout.hidden_size, generator=generator)
    features = features.to(model.device, model.dtype)
    embeddings, token_types = embed(model, ids, [span], features)
    return Workload(model, ids, features, embeddings, token_types)
