"""Greedy decoding that streams tokens with their probabilities, and its faithful replay."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.core.answer import Answer, AnswerImage, Candidate, Fidelity, Token
from medgemma_dash.core.errors import PromptError
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.decoding import greedy_tokens
from medgemma_dash.models.prompting import EncodedPrompt, encode_continuation, encode_prompt
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
Check = Callable[[], None]


def stream_answer(
    model: VisionLanguageModel,
    radiograph: Radiograph,
    prompt: str,
    *,
    max_new_tokens: int = 256,
    force: str | None = None,
    on_token: OnToken | None = None,
    check: Check | None = None,
) -> Answer:
    """Ask, stream the answer, then replay it teacher-forced and record the fidelity.

    max_new_tokens counts the closing control token. `force` gives the answer instead of
    generating it. `check` is called for every token and every layer and may raise.
    Raises PromptError for a question, a forced text or a token count that is not allowed.
    """
    if max_new_tokens < 1:
        raise PromptError(f"max_new_tokens is {max_new_tokens}; at least 1 is needed.")
    began = time.perf_counter()
    with model.lock:
        encoded = encode_prompt(model, radiograph, prompt)
        forced_ids = None if force is None else encode_continuation(model, force)
        features = model.encode_image(radiograph.sha256, encoded.pixel_values)
        if forced_ids is None:
            answer_ids, generated, stopped = _decode(
                model, encoded, features, max_new_tokens, on_token, check
            )
        else:
            answer_ids, generated, stopped = forced_ids, None, "forced"
        input_ids = torch.cat([encoded.input_ids, answer_ids])
        replay = build_replay(model, input_ids, encoded.image_span, features, check=check)
        logits = torch.stack(
            [replay.logits(row) for row in range(len(encoded.input_ids) - 1, len(input_ids) - 1)]
        )
        answer = Answer(
            text="",
            tokens=(),
            input_ids=input_ids.numpy(),
            images=(AnswerImage(radiograph, encoded.image_span, model.layout.grid),),
            prompt=prompt,
            fidelity=measure_fidelity(answer_ids, logits, generated),
            piece_texts=_piece_texts(model, input_ids),
            model_name=model.name,
            model_revision=model.revision,
            is_demo=model.is_demo,
            forced=force is not None,
            stopped=stopped,
            seconds=0.0,
        )
        tokens = _tokens(model, answer_ids, logits, len(encoded.input_ids))
        answer = replace(
            answer,
            text="".join(token.text for token in tokens),
            tokens=tokens,
            seconds=time.perf_counter() - began,
        )
        model.replays.put(answer.key, replay)
        return answer


def measure_fidelity(
    answer_ids: Int[Tensor, " tokens"],
    replayed: Float[Tensor, "tokens vocabulary"],
    generated: Sequence[Float[Tensor, " vocabulary"]] | None,
) -> Fidelity:
    """Compare the replayed logits with the tokens said and, if generated, with their logits."""
    said = answer_ids.to(replayed.device)
    mismatches = (replayed.argmax(-1) != said).nonzero().flatten().tolist()
    difference = None
    if generated is not None:
        difference = max(
            float((now - then.float()).abs().max())
            for now, then in zip(replayed, generated, strict=True)
        )
    return Fidelity(not mismatches, tuple(mismatches), difference)


def end_ids(model: VisionLanguageModel) -> set[int]:
    """Ids of the tokens that end an answer."""
    configured = model.hf_model.generation_config.eos_token_id
    ids = {configured} if isinstance(configured, int) else set(configured or ())
    return ids | {model.processor.tokenizer.eos_token_id}


def _decode(
    model: VisionLanguageModel,
    encoded: EncodedPrompt,
    features: Tensor,
    max_new_tokens: int,
    on_token: OnToken | None,
    check: Check | None,
) -> tuple[Tensor, list[Tensor], str]:
    """Greedy decoding with a key/value cache; returns ids, their logits, and why it ended."""
    pieces = PieceStream(model.processor.tokenizer)
    ends = end_ids(model)
    ids: list[int] = []
    kept: list[Tensor] = []
    if check is not None:
        check()
    for token, logits in greedy_tokens(model, encoded.input_ids, encoded.image_span, features):
        ids.append(token)
        kept.append(logits)
        if on_token is not None:
            probability = float(logits.float().softmax(-1)[token])
            on_token(GeneratedToken(len(ids) - 1, pieces.push(token), probability))
        if token in ends or len(ids) == max_new_tokens:
            break
        if check is not None:
            check()
    return torch.tensor(ids), kept, "end of turn" if ids[-1] in ends else "length"


def _tokens(
    model: VisionLanguageModel, answer_ids: Tensor, logits: Tensor, prompt_length: int
) -> tuple[Token, ...]:
    tokenizer = model.processor.tokenizer
    # Not every control token is among the tokenizer's own special ones (start of turn is not).
    special = set(tokenizer.all_special_ids) | end_ids(model)
    special |= {id_ for id_, added in tokenizer.added_tokens_decoder.items() if added.special}
    texts = text_pieces(tokenizer, answer_ids.tolist())
    tokens = []
    for index, (token_id, text) in enumerate(zip(answer_ids.tolist(), texts, strict=True)):
        probabilities = logits[index].softmax(-1)
        best = probabilities.topk(RUNNERS_UP + 1)
        runners_up = [
            Candidate(candidate, tokenizer.decode([candidate]), probability)
            for candidate, probability in zip(
                best.indices.tolist(), best.values.tolist(), strict=True
            )
            if candidate != token_id
        ]
        tokens.append(
            Token(
                index=index,
                id=token_id,
                text=text,
                position=prompt_length + index,
                probability=float(probabilities[token_id]),
                special=token_id in special,
                runners_up=tuple(runners_up[:RUNNERS_UP]),
            )
        )
    return tuple(tokens)


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
