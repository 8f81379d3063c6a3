"""What the URL says of what is open; `state.honouring` is the way back.

`?sample=`, `?question=`, `?word=` (a token of the answer, as "4", several as "4-6", or "all"),
`?against=` (the id of the token that the word is held against), `?method=` and `?methods=` (those
compared, as "chefer,tam") can be shared and are honoured on every page; what is the default is
left out. Of an upload a URL says only that one stood there, `?film=upload-` and a random marker:
neither its name, nor its digest, nor what was asked about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from medgemma_dash.services.explaining.tasks import ASK
from medgemma_dash.ui.state.actions import LONGEST_PROMPT_CHARACTERS
from medgemma_dash.ui.state.collecting import span_words
from medgemma_dash.ui.state.methods import COMPARED, DEFAULT_METHOD, FIRST_COMPARED
from medgemma_dash.ui.state.samples import sample_named
from medgemma_dash.ui.state.session import METHOD, Session, widget_value
from medgemma_dash.ui.state.uploads import MARKER
from medgemma_dash.ui.state.word_targets import opening_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medgemma_dash.core.target import Target
    from medgemma_dash.ui.state.study import Span, Study

_LONGEST_SHOWN = 48
LONGEST_SEARCH = 16_384


def address_of(session: Session) -> dict[str, str]:
    """What the URL says of what is open; what is the default is left out."""
    address = {}
    study = session.study
    if study is None:
        if MARKER.fullmatch(session.missing):
            address["film"] = session.missing
    elif study.sample is None:
        address["film"] = study.marker
    else:
        address = _of_sample(session, study, study.sample)
    method = str(widget_value(METHOD, DEFAULT_METHOD))
    if method != DEFAULT_METHOD:
        address["method"] = method
    compared = widget_value(COMPARED, FIRST_COMPARED) or ()
    if compared and set(compared) != set(FIRST_COMPARED):
        address["methods"] = ",".join(compared)
    return address


def search_of(address: Mapping[str, str]) -> str:
    """The address as it stands behind the question mark."""
    return urlencode(address, safe=",")


def address_in(search: str) -> dict[str, str]:
    """The address that stands behind a question mark; of what is named twice the last."""
    return dict(parse_qsl(search.removeprefix("?")[:LONGEST_SEARCH]))


def _of_sample(session: Session, study: Study, name: str) -> dict[str, str]:
    address, sample, answered = {"sample": name}, sample_named(name), study.answered
    asked = session.jobs.about(ASK) or session.question
    if answered is not None and ASK not in session.jobs:
        asked = answered.answer.prompt
    if (sample is None or asked != sample.question) and len(asked) <= LONGEST_PROMPT_CHARACTERS:
        address["question"] = asked
    if answered is None or ASK in session.jobs:
        if study.opening_span is not None:
            address["word"] = span_words(study.opening_span)
        if study.opening_against is not None:
            address["against"] = str(study.opening_against)
    elif answered.target is not None:
        opening = opening_target(answered.answer, study.opening_word)
        if opening is None or opening.token_indices != answered.target.token_indices:
            address["word"] = span_words(_span_of(answered.target))
        if answered.target.against is not None:
            address["against"] = str(answered.target.against.id)
    return {key: value for key, value in address.items() if value}


def _span_of(target: Target) -> Span:
    if target.kind == "answer":
        return "all"
    return target.token_indices[0], target.token_indices[-1] + 1


def shown(value: str) -> str:
    """What stands in an address, as a sentence about it quotes it."""
    value = "".join(letter if letter.isprintable() else " " for letter in value)
    return f"“{value if len(value) <= _LONGEST_SHOWN else value[: _LONGEST_SHOWN - 1] + '…'}”"
