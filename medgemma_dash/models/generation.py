"""Greedy decoding that streams tokens with their probabilities, and its faithful replay."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from medgemma_dash.core.answer import Answer, AnswerImage, Candidate, Fidelity, Token
from medgemma_dash.core.errors import PromptError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.decision import margin
from medgemma_dash.models.decoding import greedy_tokens, read_logits
from medgemma_dash.models.ending import end_ids
from medgemma_dash.models.fidelity import FidelityMeter
from medgemma_dash.models.prompting import EncodedPrompt, encode_continuation, encode_prompt
from medgemma_dash.models.replay import Replay
from medgemma_dash.models.replay_forward import build_replay
from medgemma_dash.models.text_pieces import PieceStream, text_pieces

RUNNERS_UP = 5


@dataclass(frozen=True)
class GeneratedToken:
    """A token as it is said, before the whole answer is known."""

    index: int
    text: str
    probability: float


OnToken = Callable[[GeneratedToken], None]


def stream_answer(
    model: VisionLanguageModel,
    radiographs: Sequence[Radiograph],
    prompt: str,
    *,
    max_new_tokens: int = 256,
    force: str | Sequence[int] | None = None,
    on_token: OnToken | None = None,
    check: Check | None = None,
) -> Answer:
    """Ask, stream the answer, then replay it teacher-forced and record the fidelity.

    radiographs: in order, the current one last; each sees those in front of it.
    max_new_tokens counts the closing control token. `force` gives the answer instead of
    generating it, as a text or as token ids. `check` is called for every token and every layer
    and may raise.
    Raises PromptError for radiographs, a question, a forced text or a token count that is not
    allowed.
    """
    if max_new_tokens < 1:
        raise PromptError(f"max_new_tokens is {max_new_tokens}; at least 1 is needed.")
    began = time.perf_counter()
    with model.lock:
        encoded = encode_prompt(model, radiographs, prompt)
        forced_ids = _forced_ids(model, force)
        features = model.encode_images(radiographs, encoded.pixel_values)
        if forced_ids is None:
            answer_ids, states, stopped = _decode(
                model, encoded, features, max_new_tokens, on_token, check
            )
        else:
            answer_ids, states, stopped = forced_ids, None, "forced"
        input_ids = torch.cat([encoded.input_ids, answer_ids])
        replay = build_replay(model, input_ids, encoded.image_spans, features, check=check)
        tokens, fidelity, decision = _read(replay, answer_ids, states)
        shown = zip(radiographs, encoded.image_spans, strict=True)
        answer = Answer(
            text="".join(token.text for token in tokens),
            tokens=tokens,
            input_ids=input_ids.numpy(),
            images=tuple(AnswerImage(one, span, model.layout.grid) for one, span in shown),
            prompt=prompt,
            fidelity=fidelity,
            piece_texts=_piece_texts(model, input_ids),
            model_name=model.name,
            model_revision=model.revision,
            is_demo=model.is_demo,
            forced=force is not None,
            stopped=stopped,
            seconds=time.perf_counter() - began,
            margin=decision,
        )
        model.replays.put(answer.key, replay)
        return answer


def _forced_ids(model: VisionLanguageModel, force: str | Sequence[int] | None) -> Tensor | None:
    if force is None or isinstance(force, str):
        return None if force is None else encode_continuation(model, force)
    return torch.tensor(list(force))


def _decode(
    model: VisionLanguageModel,
    encoded: EncodedPrompt,
    features: Tensor,
    max_new_tokens: int,
    on_token: OnToken | None,
    check: Check | None,
) -> tuple[Tensor, list[Tensor], str]:
    """Greedy decoding; returns ids, the states that chose them, and why it ended."""
    pieces = PieceStream(model.processor.tokenizer)
    ends = end_ids(model)
    ids: list[int] = []
    states: list[Tensor] = []
    if check is not None:
        check()
    for token in greedy_tokens(model, encoded.input_ids, encoded.image_spans, features):
        ids.append(token.id)
        states.append(token.state)
        if on_token is not None:
            probability = float(token.logits.float().softmax(-1)[token.id])
            on_token(GeneratedToken(len(ids) - 1, pieces.push(token.id), probability))
        if token.id in ends or len(ids) == max_new_tokens:
            break
        if check is not None:
            check()
    return torch.tensor(ids), states, "end of turn" if ids[-1] in ends else "length"


def _read(
    replay: Replay, answer_ids: Tensor, states: Sequence[Tensor] | None
) -> tuple[tuple[Token, ...], Fidelity, float | None]:
    """The answer's tokens, how faithful the replay is, and the margin.

    One token at a time: the logits of a long answer would take gigabytes on a real model.
    """
    model, tokenizer = replay.model, replay.model.processor.tokenizer
    # Not every control token is among the tokenizer's own special ones (start of turn is not).
    special = set(tokenizer.all_special_ids) | end_ids(model)
    special |= {id_ for id_, added in tokenizer.added_tokens_decoder.items() if added.special}
    ids = answer_ids.tolist()
    prompt_length = replay.sequence - len(ids)
    meter, tokens, decision = FidelityMeter(), [], None
    for index, (token_id, text) in enumerate(zip(ids, text_pieces(tokenizer, ids), strict=True)):
        position = prompt_length + index
        logits = replay.logits(position - 1)
        meter.compare(
            token_id, logits, None if states is None else read_logits(model, states[index])
        )
        if index == 0:
            decision = margin(tokenizer, logits)
        probabilities = logits.softmax(-1)
        tokens.append(
            Token(
                index=index,
                id=token_id,
                text=text,
                position=position,
                probability=float(probabilities[token_id]),
                special=token_id in special,
                runners_up=_runners_up(tokenizer, probabilities, token_id),
            )
        )
    return tuple(tokens), meter.fidelity, decision


def _runners_up(tokenizer: Any, probabilities: Tensor, token_id: int) -> tuple[Candidate, ...]:
    best = probabilities.topk(RUNNERS_UP + 1)
    others = [
        Candidate(candidate, tokenizer.decode([candidate]), probability)
        for candidate, probability in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        if candidate != token_id
    ]
    return tuple(others[:RUNNERS_UP])


def _piece_texts(model: VisionLanguageModel, input_ids: Tensor) -> tuple[str, ...]:
    ids = input_ids.tolist()
    places = [place for place, i in enumerate(ids) if i != model.layout.image_token_id]
    pieces = text_pieces(
        model.processor.tokenizer, [ids[place] for place in places], skip_special_tokens=False
    )
    texts = [""] * len(ids)
    for place, piece in zip(places, pieces, strict=True):
        texts[place] = piece
    return tuple(texts)
