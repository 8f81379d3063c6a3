"""A word's place as a target: in the answer, in its prompt, or forced into the answer.

A word of the prompt is explained as one of the answer is: its tokens' logits at the positions in
front of them, teacher-forced. What the image did for it is what the image did to make the model
expect it, though it was the user who wrote it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from medgemma_dash.core.answer import Answer, Token
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.generation import stream_answer
from medgemma_dash.models.masked_forward import replayed_log_probabilities
from medgemma_dash.models.prompting import encode_continuation
from medgemma_dash.services.explaining.prompt_words import question_positions
from medgemma_dash.services.explaining.targets import span_target
from medgemma_dash.services.words.sightings import Sighting


@dataclass(frozen=True)
class Said:
    """A word as a target of the answer in which it stands.

    first, stop: its tokens, as a record has them. preceding: what stands in front of it in its
    place. log_probability: of its tokens together, each behind those in front of it, in nats.
    """

    answer: Answer
    target: Target
    first: int
    stop: int
    preceding: str
    log_probability: float


def said(
    model: VisionLanguageModel,
    answer: Answer,
    sighting: Sighting,
    forced_after: int | None = None,
    check: Check | None = None,
) -> Said:
    """Where the word stands. The caller holds the model's lock.

    Raises TargetError for a place that the answer does not have, PromptError for a word that
    cannot be forced.
    """
    if sighting.span is None:
        after, ids = _forced_ids(model, answer, sighting.word, forced_after, check)
        kept = [token.id for token in answer.tokens[:after]]
        radiographs = [image.radiograph for image in answer.images]
        within = stream_answer(model, radiographs, answer.prompt, force=[*kept, *ids], check=check)
        start, stop, offset = after, after + len(ids), 0
    elif sighting.place == "prompt":
        within = _from_question(answer)
        offset = within.prompt_length
        start, stop = (place - offset for place in sighting.span)
    else:
        (start, stop), within, offset = sighting.span, answer, 0
    target = span_target(within, start, stop)
    places = [(token.position - 1, token.id) for token in within.tokens[start:stop]]
    replay = replay_answer(model, within, check)
    nats = float(replayed_log_probabilities(replay, places).double().sum())
    preceding = _text(within.tokens[:start])
    return Said(within, target, start + offset, stop + offset, preceding, nats)


def _from_question(answer: Answer) -> Answer:
    """The same sequence, of which all that stands behind the question's beginning is the answer.

    The model sees no difference: tokens of the prompt become targets as those of the answer are.
    """
    behind = answer.images[-1].span[1]
    start = min(place for place in question_positions(answer) if place >= behind)
    stop = answer.prompt_length
    of_prompt = [
        Token(
            index=place - start,
            id=int(answer.input_ids[place]),
            text=answer.piece_texts[place],
            position=place,
            probability=float("nan"),  # a person wrote it
            special=False,
        )
        for place in range(start, stop)
    ]
    moved = [replace(token, index=token.index + stop - start) for token in answer.tokens]
    tokens = (*of_prompt, *moved)
    return replace(answer, tokens=tokens, text="".join(token.text for token in tokens))


def _forced_ids(
    model: VisionLanguageModel,
    answer: Answer,
    word: str,
    after: int | None,
    check: Check | None,
) -> tuple[int, list[int]]:
    """How many of the answer's tokens stand in front of a forced word, and its token ids."""
    most = sum(not token.special for token in answer.tokens)
    if after is not None and not 0 <= after <= most:
        raise TargetError(
            f"A word cannot be forced behind {after} tokens of the answer. Allowed: 0 to {most}."
        )
    starts = [0] if after is None else [after]
    if after is None:
        starts += [one for one, stop in answer.words if one and _is_word(answer.tokens[one:stop])]
    ids = [
        encode_continuation(model, _space_before(answer, start) + word, "forced word").tolist()
        for start in starts
    ]
    if len(starts) == 1:
        return starts[0], ids[0]
    before = answer.prompt_length - 1
    firsts = [(before + start, one[0]) for start, one in zip(starts, ids, strict=True)]
    nearest = int(replayed_log_probabilities(replay_answer(model, answer, check), firsts).argmax())
    return starts[nearest], ids[nearest]


def _is_word(tokens: Sequence[Token]) -> bool:
    return any(letter.isalnum() for letter in _text(tokens))


def _space_before(answer: Answer, start: int) -> str:
    """White space as in front of the word whose place is taken; behind other text a space."""
    if any(start == first for first, _ in answer.words):
        text = _text(answer.tokens[start:])
        return text[: len(text) - len(text.lstrip())]
    before = _text(answer.tokens[:start])
    return " " if before and not before[-1].isspace() else ""


def _text(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens)
