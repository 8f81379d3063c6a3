"""Common mistakes on the way to a map, made on purpose, by the code that makes the right one.

Each is a wrong argument to the replay or a wrong target: nothing of the model is changed, and what
is replayed wrongly is kept nowhere. The caller holds the model's lock.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.call import logit_target
from medgemma_dash.methods.chefer_rules import unroll
from medgemma_dash.metrics.agreement import agreement
from medgemma_dash.metrics.agreement_controls import judged_agreement
from medgemma_dash.models.embedding import soft_positions
from medgemma_dash.models.logit_target import LogitTarget
from medgemma_dash.models.replay import Replay
from medgemma_dash.models.replay_forward import build_replay
from medgemma_dash.services.pipeline.view import LogitThere, Mistake, MistakeName, Replayed


@dataclass(frozen=True, eq=False)
class RightWay:
    """What the mistakes are made beside: the answer's own replay, and the token's right map."""

    replay: Replay
    answer: Answer
    target: Target
    image_map: Float[np.ndarray, "rows cols"]
    check: Check

    @property
    def logit(self) -> LogitTarget:
        """z at p-1."""
        return logit_target(self.answer, self.target)

    @property
    def input_ids(self) -> Int[Tensor, " sequence"]:
        """The sequence as the model got it."""
        return torch.from_numpy(self.answer.input_ids.copy())

    @property
    def soft_tokens(self) -> Float[Tensor, "soft_tokens hidden"]:
        """Of all images, as the replay was given them."""
        return self.replay.embeddings[soft_positions(self.answer.image_spans)]


def doubled_bos(right: RightWay) -> Mistake:
    """The template's text tokenised once more: two BOS, and the image where it was before.

    p moves with the sequence; the span in which the image is read, written down, does not.
    """
    ids, spans = right.input_ids, right.answer.image_spans
    bos = torch.tensor([right.replay.model.processor.tokenizer.bos_token_id])
    replay = build_replay(
        right.replay.model,
        torch.cat([bos, ids]),
        [(start + 1, stop + 1) for start, stop in spans],
        right.soft_tokens,
        check=right.check,
        keep_graph=False,
    )
    return _mistake("doubled_bos", right, replay, _moved(right.logit, 1), _replayed(right, replay))


def causal_images(right: RightWay) -> Mistake:
    """`token_type_ids` left out of the replay: no image token sees one behind it."""
    replay = build_replay(
        right.replay.model,
        right.input_ids,
        right.answer.image_spans,
        right.soft_tokens,
        check=right.check,
        keep_graph=False,
        causal_images=True,
    )
    return _mistake("causal_images", right, replay, right.logit, _replayed(right, replay))


def last_position(right: RightWay) -> Mistake:
    """The most probable token after the whole answer, in place of the token that was chosen."""
    last = right.replay.sequence - 1
    logit = LogitTarget.of_token(last, int(right.replay.logits(last).argmax()))
    return _mistake("last_position", right, right.replay, logit)


def row_p(right: RightWay) -> Mistake:
    """The same token's logit and row one position late, at p, where the token itself is read."""
    return _mistake("row_p", right, right.replay, _moved(right.logit, 1))


EVERY: tuple[Callable[[RightWay], Mistake], ...] = (
    doubled_bos,
    causal_images,
    last_position,
    row_p,
)


def logits_there(
    replay: Replay, position: int, ids: Int[Tensor, " tokens"]
) -> tuple[LogitThere, ...]:
    """Some tokens' logits at a position."""
    logits, tokenizer = replay.logits(position), replay.model.processor.tokenizer
    return tuple(
        LogitThere(token, tokenizer.decode([token]), float(logits[token])) for token in ids.tolist()
    )


def _mistake(
    name: MistakeName,
    right: RightWay,
    replay: Replay,
    logit: LogitTarget,
    replayed: Replayed | None = None,
) -> Mistake:
    row = unroll(replay, [logit], check=right.check)[0].cpu()
    row[logit.rows[0]] = 0  # self-relevance
    found, moved = _on_image(right, row), replay.sequence - right.replay.sequence
    token = torch.tensor(logit.terms[0].ids[:1])
    (explained,) = logits_there(replay, logit.rows[0], token)
    return Mistake(
        name=name,
        image_map=found,
        read_row=logit.rows[0],
        explained=explained,
        span=right.answer.image_span,
        divergence=judged_agreement(right.image_map, found, "divergence"),
        overlap=judged_agreement(right.image_map, found, "top_overlap"),
        replayed=replayed,
        found_anew=(
            agreement(right.image_map, _on_image(right, row, moved)).divergence if moved else None
        ),
    )


def _on_image(
    right: RightWay, row: Float[Tensor, " positions"], moved: int = 0
) -> Float[np.ndarray, "rows cols"]:
    start, stop = right.answer.image_span
    found: Float[np.ndarray, "rows cols"] = (
        row[start + moved : stop + moved].reshape(right.answer.grid).numpy().copy()
    )
    return found


def _moved(logit: LogitTarget, places: int) -> LogitTarget:
    terms = tuple(replace(term, row=term.row + places) for term in logit.terms)
    return replace(logit, terms=terms)


def _replayed(right: RightWay, replay: Replay) -> Replayed:
    """Token by token: the logits of a long answer take gigabytes on a real model."""
    moved = replay.sequence - right.replay.sequence
    probabilities, instead, differences = [], [], []
    for token in right.answer.tokens:
        right.check()
        wanted = right.replay.logits(token.position - 1)
        found = replay.logits(token.position - 1 + moved)
        chosen = int(found.argmax())
        probabilities.append(float(found.softmax(-1)[token.id]))
        differences.append(float((found - wanted).abs().max()))
        text = replay.model.processor.tokenizer.decode([chosen])
        instead.append("" if chosen == int(wanted.argmax()) else text)
    return Replayed(
        np.array(probabilities, np.float32), tuple(instead), np.array(differences, np.float32)
    )
