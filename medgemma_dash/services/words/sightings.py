"""Words found in an answer's and a prompt's tokens by their letters; no model is needed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.words import Range
from medgemma_dash.services.explaining.prompt_words import question_positions
from medgemma_dash.services.words.plan import Place


@dataclass(frozen=True)
class Sighting:
    """A word where it stands, or is to stand.

    occurrence: from 1, in its place. span: half-open; of the answer's tokens in the answer, of
    positions in the sequence in the prompt; None for a word that is yet to be forced.
    """

    word: str
    place: Place
    occurrence: int
    span: Range | None


def whole_word_spans(texts: Sequence[str], phrase: str) -> tuple[Range, ...]:
    """Half-open ranges of the texts that a phrase touches, for each time that it stands there.

    Whole words, in any case, with any white space between them: "no" is not in "pneumonia".
    """
    ends = list(accumulate(map(len, texts)))
    bounds = list(zip([0, *ends], ends, strict=False))
    spans = []
    for match in _pattern(phrase).finditer("".join(texts)):
        touched = [
            place
            for place, (start, stop) in enumerate(bounds)
            if start < match.end() and stop > match.start()
        ]
        spans.append((touched[0], touched[-1] + 1))
    return tuple(spans)


def sightings(
    answer: Answer, words: Sequence[str], places: Sequence[Place]
) -> tuple[Sighting, ...]:
    """Every occurrence of every word, word by word; a forced word stands once.

    Raises TargetError for a word that is in none of the places.
    """
    found: list[Sighting] = []
    for word in words:
        before = len(found)
        for place in places:
            spans: Sequence[Range | None] = [None]
            if place == "answer":
                spans = whole_word_spans([token.text for token in answer.tokens], word)
            elif place == "prompt":
                spans = list(_in_prompt(answer, word))
            found += [Sighting(word, place, nth, span) for nth, span in enumerate(spans, 1)]
        if len(found) == before:
            raise TargetError(_missing(answer, word, places))
    return tuple(found)


def _pattern(phrase: str) -> re.Pattern[str]:
    parts = phrase.split()
    inside = r"\s+".join(map(re.escape, parts))
    left = r"(?<!\w)" if re.match(r"\w", parts[0]) else ""
    right = r"(?!\w)" if re.search(r"\w\Z", parts[-1]) else ""
    return re.compile(f"{left}{inside}{right}", re.IGNORECASE)


def _in_prompt(answer: Answer, word: str) -> Iterator[Range]:
    """In what the user typed, behind the last image: positions in the sequence."""
    behind = answer.images[-1].span[1]
    typed = sorted(place for place in question_positions(answer) if place >= behind)
    for _, run in groupby(enumerate(typed), lambda numbered: numbered[1] - numbered[0]):
        positions = [place for _, place in run]
        texts = [answer.piece_texts[place] for place in positions]
        for start, stop in whole_word_spans(texts, word):
            yield positions[0] + start, positions[0] + stop


def _missing(answer: Answer, word: str, places: Sequence[Place]) -> str:
    texts = {"answer": answer.text, "prompt": answer.prompt}
    within = [place for place in places if word.lower() in texts.get(place, "").lower()]
    where = " nor in the ".join(places)
    said = f"{word!r} is {'neither ' if len(places) > 1 else 'not '}in the {where}"
    if within:
        return f"{said} as a whole word, only inside a longer one. Give the whole word."
    others = [name for name in texts if name not in places]
    other = next((name for name in others if whole_word_spans([texts[name]], word)), None)
    if other is not None:
        return f'{said}, but it is in the {other}. Choose the place "{other}" as well.'
    return f'{said}. Choose a word that is, or the place "forced": it is then put into the answer.'
