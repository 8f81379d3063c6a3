"""The answer as words to click: one component, registered once, mounted with a key.

A choice travels as component *state* with a nonce, not as a one-shot trigger: state survives a
rerun that interrupts the one which carried the click, so no click is lost, and the nonce
remembered in the session makes sure that no click is answered twice.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from math import prod
from typing import Any, Protocol

import streamlit as st

from medgemma_dash.core.words import with_control_tokens
from medgemma_dash.ui.state.session import Underline


class StripToken(Protocol):
    """What the strip draws of a token; `core.Token` and a token still being generated both fit."""

    @property
    def text(self) -> str: ...
    @property
    def probability(self) -> float: ...
    @property
    def special(self) -> bool: ...


@dataclass(frozen=True)
class TokenChoice:
    """What the reader chose: the half-open span start <= index < stop of the answer's tokens.

    whole: the whole answer was asked for, with its button.
    generation: the id of the answer that was on screen when the choice was made.
    nonce: different for every choice of a session.
    """

    generation: str
    start: int
    stop: int
    whole: bool
    nonce: str


_SOURCES = files(__name__)
_mount = st.components.v2.component(
    "medgemma_dash_token_strip",
    css=_SOURCES.joinpath("strip.css").read_text("utf-8"),
    js=_SOURCES.joinpath("strip.js").read_text("utf-8"),
    # The tokens stay reachable for browser tests and user styles; every rule is namespaced.
    isolate_styles=False,
)


def token_strip(
    tokens: Sequence[StripToken],
    words: Sequence[tuple[int, int]],
    *,
    key: str,
    generation: str,
    selected: tuple[int, int] | None = None,
    measure: Underline = "image share",
    image_shares: Sequence[float | None] | None = None,
    word_shares: Sequence[float | None] | None = None,
    effects: Sequence[float] | None = None,
    word_effects: Sequence[float] | None = None,
    word_marks: Sequence[str] | None = None,
    runners_up: Sequence[str] | None = None,
    computed: Collection[int] = (),
    ready: bool = True,
    busy: bool = False,
    note: str = "",
    on_choose: Callable[[TokenChoice], None] | None = None,
) -> TokenChoice | None:
    """Draw the words; return the reader's choice once, in the run that it caused.

    A click chooses a word, Alt-click a token of it; a switch beside the words makes every click
    choose a token.

    words: half-open ranges of tokens, as `Answer.words` has them.
    generation: id of this answer; a click made on another one is dropped.
    selected: half-open span that stands boxed; None for the whole answer.
    measure: what the underlines show. Image shares are 0 to 1, None where not yet known: one for
        each token, and one for each of `with_control_tokens(words, len(tokens))`.
    effects, word_effects: image effects in nats, of the same; word_marks: what each is called.
    runners_up: for each token, what else the model could have said, for the tooltip.
    computed: indices whose explanation is at hand; the others are underlined with dashes.
    ready: False while the answer is still being written; nothing can be chosen then.
    busy: the selected words are being explained.
    note: a sentence for the line under the words.
    on_choose: called with the choice before the script runs, so that the page is drawn with it
        at once; the function then returns None.
    """
    memory_key = f"_{key}_choices"
    memory: _Memory = st.session_state.setdefault(memory_key, _Memory())

    def receive() -> None:
        choice = _read(st.session_state.get(key), generation, len(tokens))
        nonce = _nonce(st.session_state.get(key))
        if nonce == memory.seen:
            return
        memory.seen = nonce
        if choice is None:
            return
        if on_choose is not None:
            on_choose(choice)
        else:
            memory.waiting = choice

    choice, memory.waiting = memory.waiting, None
    if choice is not None and choice.generation != generation:
        choice = None
    if choice is not None:
        # The caller learns of it only when this function returns; the strip shows it already.
        selected = None if choice.whole else (choice.start, choice.stop)
    _mount(
        key=key,
        data={
            "generation": generation,
            "tokens": [
                {
                    "text": token.text,
                    "special": token.special,
                    "probability": token.probability,
                    "share": image_shares[index] if image_shares is not None else None,
                    "effect": effects[index] if effects is not None else None,
                    "runners_up": runners_up[index] if runners_up is not None else "",
                    "computed": index in computed,
                }
                for index, token in enumerate(tokens)
            ],
            "words": [
                {
                    "start": start,
                    "stop": stop,
                    "probability": prod(token.probability for token in tokens[start:stop]),
                    "share": word_shares[place] if word_shares is not None else None,
                    "effect": word_effects[place] if word_effects is not None else None,
                    "mark": word_marks[place] if word_marks is not None else "",
                }
                for place, (start, stop) in enumerate(with_control_tokens(words, len(tokens)))
            ],
            "selected": list(selected) if selected is not None else None,
            "measure": measure,
            "ready": ready,
            "busy": busy,
            "note": note,
            "seen": memory.seen,
        },
        on_choice_change=receive,
    )
    return choice


@dataclass
class _Memory:
    """Per session and key: the last choice received, and one that waits for its run."""

    seen: str = ""
    waiting: TokenChoice | None = None


def _nonce(state: Any) -> str:
    payload = state.get("choice") if isinstance(state, Mapping) else None
    nonce = payload.get("nonce") if isinstance(payload, Mapping) else None
    return nonce if isinstance(nonce, str) else ""


def _read(state: Any, generation: str, count: int) -> TokenChoice | None:
    """The choice in the component's state, or None if it is not one that can be honoured.

    What a browser sends is checked like any input: types, range, and the answer it belongs to.
    """
    payload = state.get("choice") if isinstance(state, Mapping) else None
    if not isinstance(payload, Mapping) or payload.get("generation") != generation:
        return None
    start, stop = payload.get("start"), payload.get("stop")
    if type(start) is not int or type(stop) is not int or not 0 <= start < stop <= count:
        return None
    return TokenChoice(generation, start, stop, payload.get("whole") is True, _nonce(state))
