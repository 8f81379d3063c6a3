"""Which words are looked for, where and how: the page's controls, and words that are not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.function_words import is_content_word
from medgemma_dash.core.words import touched
from medgemma_dash.services.words.plan import (
    CHAIN,
    FALLBACKS,
    MOST_IN_A_PHRASE,
    PLACES,
    checked_words,
)
from medgemma_dash.services.words.sightings import sightings, whole_word_spans
from medgemma_dash.ui.components.method_picker import method_options
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.components.wording import quoted
from medgemma_dash.ui.pages.words.state import AFTER, METHOD, TYPED, WHERE, WordsAsked, WordsState
from medgemma_dash.ui.state.methods import DEFAULT_METHOD, chosen_options, specs_by_family
from medgemma_dash.ui.state.session import current_session, give_widget, page_state, widget_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.target import Target
    from medgemma_dash.services.words.plan import Place
    from medgemma_dash.ui.state.study import Options

FIRST_WORDS = 6
METHOD_PX, AFTER_PX = 250, 240
LONGEST_TYPED = 2000
PROBABLE = -1
CHAIN_TITLE = "Published chain"
PLACE_TITLES: dict[Place, str] = {"answer": "Answer", "prompt": "Prompt", "forced": "Forced"}
MISSING = "words_missing"
_SEPARATORS, _QUOTES = re.compile(r"[,;\n]"), " \t\"'“”„‘’"


def method_title(method: str) -> str:
    """What a method is called on this page; only once the model is ready."""
    if method == CHAIN:
        return CHAIN_TITLE
    return next((spec.title for spec in specs_by_family() if spec.name == method), method)


def words_asked(answer: Answer, target: Target) -> WordsAsked:
    """Draw the controls; what they ask for, but for words that are not there, which are told."""
    _follow(answer, target)
    with st.container(horizontal=True, key="words_controls", vertical_alignment="top", gap="small"):
        typed = st.text_input(
            "Words",
            key=TYPED,
            max_chars=LONGEST_TYPED,
            placeholder="consolidation, right lower",
            help=f"Words or phrases of up to {MOST_IN_A_PHRASE} words, with commas between them. A "
            "click on a word of the answer above adds it.",
            persist_state="session",
        )
        places = _places()
        after = _forced_after(answer) if "forced" in places else None
        method = _method()
    options: Options = ()
    if method != CHAIN:
        spec = next(spec for spec in specs_by_family() if spec.name == method)
        options = chosen_options(spec)
    words = _that_are_there(answer, typed_words(typed or ""), places)
    return WordsAsked(words, places, method, options, after)


def typed_words(text: str) -> tuple[str, ...]:
    """The words of a list with commas between them, without quotes around them."""
    words = (" ".join(one.strip(_QUOTES).split()) for one in _SEPARATORS.split(text))
    return tuple(word for word in words if word)


def first_words(answer: Answer, target: Target) -> tuple[str, ...]:
    """The answer's first content words, each once, the chosen one among them."""
    found: dict[str, str] = {}
    chosen = chosen_word(answer, target)
    every = [_text(answer, *span) for span in answer.words]
    for text in ([chosen] if chosen else []) + [one for one in every if is_content_word(one)]:
        if _can_be_typed(text) and len(found) < FIRST_WORDS:
            found.setdefault(text.lower(), text)
    # In the order in which they are said.
    order = {text.lower(): place for place, text in reversed(list(enumerate(every)))}
    return tuple(sorted(found.values(), key=lambda text: order.get(text.lower(), -1)))


def chosen_word(answer: Answer, target: Target) -> str:
    """The chosen words as they can be looked for; "" for what is no phrase, as a whole answer."""
    words = touched(answer.words, target.token_indices)
    text = _text(answer, words[0][0], words[-1][1]) if words else ""
    return text if _can_be_typed(text) and _is_in(answer, text) else ""


def _text(answer: Answer, start: int, stop: int) -> str:
    return " ".join("".join(token.text for token in answer.tokens[start:stop]).split())


def _can_be_typed(text: str) -> bool:
    words = typed_words(text)
    return (
        len(words) == 1
        and words[0] == text
        and any(map(str.isalnum, text))
        and len(text.split()) <= MOST_IN_A_PHRASE
    )


def _is_in(answer: Answer, text: str) -> bool:
    return bool(whole_word_spans([token.text for token in answer.tokens], text))


def _follow(answer: Answer, target: Target) -> None:
    """Have the box hold the first words of an answer, and each word that is chosen on the strip.

    Words of the user's own stay for the next answer: the same is asked of another film.
    """
    state, chosen = page_state(WordsState), (answer.key, target.token_indices)
    if state.followed == chosen:
        return
    typed = widget_value(TYPED, "") or ""
    if state.followed is None or state.followed[0] != answer.key:
        if typed_words(typed) in ((), typed_words(state.offered)):
            state.offered = ", ".join(first_words(answer, target))
            give_widget(TYPED, state.offered)
    else:
        word, words = chosen_word(answer, target), typed_words(typed)
        if word and word.lower() not in map(str.lower, words):
            give_widget(TYPED, ", ".join((*words, word)))
            give_widget(WHERE, _with(widget_value(WHERE, None), "answer"))
    state.followed = chosen


def _places() -> tuple[Place, ...]:
    known = st.session_state.get(WHERE)
    give_widget(WHERE, ["answer"] if known is None else known)
    chosen = st.pills(
        "Looked for in",
        PLACES,
        selection_mode="multi",
        format_func=PLACE_TITLES.__getitem__,
        key=WHERE,
        help="Answer: as the model said it. Prompt: as the question says it; its map is of what "
        "made the model expect it. Forced: put into the answer, said or not, to see what the model "
        "would lean on.",
        persist_state="session",
    )
    return tuple(place for place in PLACES if place in (chosen or ()))


def _forced_after(answer: Answer) -> int | None:
    """How many tokens stand in front of a forced word; None: where it is most probable."""
    ends = {stop: quoted(_text(answer, 0, stop)[-24:]) for _, stop in answer.words}
    choices = [PROBABLE, 0, *ends]
    key = f"{AFTER}_{current_session().study.generation}"  # type: ignore[union-attr]

    def words(after: int) -> str:
        if after == PROBABLE:
            return "where it is most probable"
        return f"behind “…{ends[after]}”" if after else "at the beginning"

    chosen = st.selectbox(
        "Forced",
        choices,
        format_func=words,
        key=key,
        width=AFTER_PX,
        help="Where the word is put: what stands in front of it is the answer's, and nothing "
        "behind it matters. Most probable: in place of the word where its first token was.",
        persist_state="session",
    )
    return None if chosen == PROBABLE else int(chosen)


def _method() -> str:
    titles = {spec.name: spec.title for spec in specs_by_family()}
    ordered = [DEFAULT_METHOD, CHAIN, *(name for name in titles if name != DEFAULT_METHOD)]
    chosen = widget_value(METHOD, DEFAULT_METHOD)
    give_widget(METHOD, chosen if chosen in ordered else DEFAULT_METHOD)
    chain = ", ".join(one.name for one in FALLBACKS)
    method = st.selectbox(
        "Method",
        ordered,
        format_func=method_title,
        key=METHOD,
        width=METHOD_PX,
        help=f"{CHAIN_TITLE}: {chain}, one after the other until one gives a map, which bears its "
        "name. Where all fail there is no map.",
        persist_state="session",
    )
    if method != CHAIN and any(spec.name == method and spec.options for spec in specs_by_family()):
        method_options([method])
    return str(method)


def _that_are_there(
    answer: Answer, typed: Sequence[str], places: tuple[Place, ...]
) -> tuple[str, ...]:
    """The words that can be looked for; of the others the reader is told why not."""
    if not typed or not places:
        what = "Choose a place to look in." if typed else "Type a word, or click one of the answer."
        rich_line([[Segment(what, "quiet")]], key="words_nothing")
        return ()
    found: tuple[str, ...] = ()
    reasons: list[tuple[str, str, str]] = []
    for word in typed:
        remedy = ""
        try:
            words = checked_words((*found, word))
            remedy = _remedy(answer, word, places)
            sightings(answer, [words[-1]], places)
        except TargetError as error:
            reasons.append((word, str(error), remedy))
        else:
            found = words
    if reasons:
        _missing(reasons)
    return found


def _remedy(answer: Answer, word: str, places: Sequence[Place]) -> str:
    """The place in which a word is that is in none of these: that of the text that has it."""
    texts: dict[Place, str] = {"answer": answer.text, "prompt": answer.prompt}
    there = (place for place, text in texts.items() if whole_word_spans([text], word))
    return next((place for place in there if place not in places), "forced")


def _missing(reasons: Sequence[tuple[str, str, str]]) -> None:
    def choose() -> None:
        place = chosen_action(MISSING)
        if place in PLACES:
            st.session_state[WHERE] = _with(st.session_state.get(WHERE), place)

    actions = {"forced": "force it into the answer", "prompt": "look in the prompt"}
    actions["answer"] = "look in the answer"
    lines = []
    for _, reason, remedy in reasons:
        line = [Segment(f"{reason} ")]
        if remedy:
            line.append(Segment(actions[remedy], "action", remedy))
        lines.append(line)
    rich_line(lines, key=MISSING, tone="caution", announce="status", on_choose=choose)


def _with(places: Sequence[str] | None, place: str) -> list[str]:
    return [one for one in PLACES if one == place or one in (places or ())]
