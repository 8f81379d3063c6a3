"""Words of an answer or a prompt, as values."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import Literal, Protocol, runtime_checkable
from unicodedata import category, east_asian_width

Range = tuple[int, int]

# Kinds of characters: white space, of a word, divider (full-width punctuation), all others.
_CORE = re.compile("w(?:[wo]*w)?")
_SPACE_BETWEEN = re.compile("(?<=[^s])s+(?=[^s])")


@runtime_checkable
class Piece(Protocol):
    """What is joined to words; `Token` and a token still being generated both fit."""

    @property
    def text(self) -> str: ...
    @property
    def special(self) -> bool: ...


@dataclass(frozen=True)
class WordRelevance:
    """A word of the sequence and the raw relevance of its tokens for the target, summed."""

    text: str
    value: float
    part: Literal["question", "answer"] = "question"


def word_ranges(pieces: Iterable[Piece]) -> tuple[Range, ...]:
    """Half-open token ranges of the words: ascending, and together every token but the special.

    A word reaches to the next white space, less the punctuation and symbols at its ends, which
    are a word of their own: "left-sided", "heart's", "and/or" and "3.5" are one word each, "(50%)."
    is "(", "50" and "%).". Full-width punctuation is apart inside a word too; of a script without
    spaces, what stands between two such marks is one word. White space belongs to the word behind
    it (" heart"), but with a line break to the word in front of it, which it ends.

    A token is never divided: where a word would end inside one ("(the"), it goes on to where
    token and word end together. Tokens without a text (all but the last token of a rare
    character) belong to the word of the text that follows.
    """
    words: list[Range] = []
    for special, run in groupby(enumerate(pieces), key=lambda numbered: numbered[1].special):
        if not special:
            numbered = list(run)
            first = numbered[0][0]
            cuts = _cuts([piece.text for _, piece in numbered])
            words.extend((first + start, first + stop) for start, stop in pairwise(cuts))
    return tuple(words)


def with_control_tokens(words: Iterable[Range], tokens: int) -> tuple[Range, ...]:
    """What a reader can choose, in order: the words, and each token that is in none, alone."""
    found: list[Range] = []
    at = 0
    for start, stop in (*words, (tokens, tokens)):
        found.extend((index, index + 1) for index in range(at, start))
        found.append((start, stop))
        at = stop
    return tuple(found[:-1])


def touched(words: Iterable[Range], token_indices: Sequence[int]) -> tuple[Range, ...]:
    """The words that have any of these tokens."""
    chosen = set(token_indices)
    return tuple(word for word in words if not chosen.isdisjoint(range(*word)))


def _cuts(texts: Sequence[str]) -> list[int]:
    """Where words begin and end among these tokens, both ends included."""
    token_at: dict[int, int] = {}  # of several tokens that begin at a character, the first
    for token, offset in enumerate(accumulate(map(len, texts), initial=0)):
        token_at.setdefault(offset, token)
    cuts = {0, len(texts)}
    for places in _ends("".join(texts)):
        cut = next((token_at[place] for place in places if place in token_at), None)
        if cut is not None:
            cuts.add(cut)
    return sorted(cuts)


def _ends(text: str) -> Iterator[Sequence[int]]:
    """For each place where a word ends within the text, the offsets that will do, best first."""
    kinds = "".join(_kinds(text))
    for core in _CORE.finditer(kinds):
        start, stop = core.span()
        if kinds[start - 1 : start] not in ("", "s"):
            yield (start,)
        if kinds[stop : stop + 1] not in ("", "s"):
            yield (stop,)
    for space in _SPACE_BETWEEN.finditer(kinds):
        first, last = space.span()
        behind = max(first, text.rfind("\n", first, last) + 1)
        yield (*range(behind, last + 1), *range(behind - 1, first - 1, -1))


def _kinds(text: str) -> Iterator[str]:
    """A letter for each character; accents and joiners are of the kind they are joined to."""
    kind = "o"
    for character in text:
        group = category(character)
        if character.isspace():
            kind = "s"
        elif group[0] == "M" or group == "Cf":
            kind = "o" if kind == "s" else kind
        elif group[0] in "LN":
            kind = "w"
        elif group[0] == "P" and east_asian_width(character) in "WF":
            kind = "d"
        else:
            kind = "o"
        yield kind
