"""Which words are looked for, where, and by which methods one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.record import Asked

KIND = "words"
MOST_IN_A_PHRASE = 5
CHAIN = "chain"

Place = Literal["answer", "prompt", "forced"]
PLACES: tuple[Place, ...] = get_args(Place)


@dataclass(frozen=True)
class WordsPlan:
    """Words of an answer, of its prompt, or forced into the answer, and what maps them.

    method: its name, or "chain" for the published fallbacks. options: of the method.
    forced_after: how many tokens of the answer stand in front of a forced word; None: those in
        front of the word in whose place its first token was most probable.
    """

    asked: Asked
    words: tuple[str, ...]
    places: tuple[Place, ...]
    method: str
    options: tuple[tuple[str, str], ...] = ()
    forced_after: int | None = None


@dataclass(frozen=True)
class Attempt:
    """A method that is tried. name: as published; method, options: what it is called here.

    several_tokens: for words of several tokens only.
    """

    name: str
    method: str
    options: tuple[tuple[str, str], ...] = ()
    several_tokens: bool = False


# MedGemma Visualizer documentation: each is tried where those before it gave no map. Its last
# resort, a uniform map, is left out: where all fail there is no explanation.
FALLBACKS = (
    Attempt("gradcam_multi", "gradcam", (("words", "sum of log-probabilities"),), True),
    Attempt("gradcam", "gradcam"),
    Attempt("text_to_image_attention", "text_to_image_attention"),
    Attempt("activation_norm", "activation_norm"),
)


def checked_words(words: Sequence[str]) -> tuple[str, ...]:
    """The words with single spaces; raises TargetError for none, an empty, long or double one."""
    given = (words,) if isinstance(words, str) else tuple(words)
    if not given:
        raise TargetError("There is no word to look for. Give one, such as consolidation.")
    found: list[str] = []
    for one in given:
        if not isinstance(one, str) or not one.split():
            raise TargetError("One of the words is empty. Give words, or phrases of a few words.")
        word = " ".join(one.split())
        if len(word.split()) > MOST_IN_A_PHRASE:
            raise TargetError(
                f"{word!r} is {len(word.split())} words long. Allowed: {MOST_IN_A_PHRASE} in a "
                "phrase. Give shorter phrases; there may be several."
            )
        if word.lower() in (other.lower() for other in found):
            raise TargetError(f"{word!r} is given twice. Give each word once.")
        found.append(word)
    return tuple(found)


def checked_places(places: Sequence[str]) -> tuple[Place, ...]:
    """The places in the order of `PLACES`; raises TargetError for none and for others."""
    given = (places,) if isinstance(places, str) else tuple(places)
    unknown = [repr(one) for one in given if one not in PLACES]
    if unknown or not given:
        raise TargetError(
            f"Words are looked for in these places: {', '.join(PLACES)}; not in "
            f"{', '.join(unknown) or 'none'}."
        )
    return tuple(place for place in PLACES if place in given)
