"""What several pages say about the answer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from medgemma_dash.core.token_words import runners_up_names
from medgemma_dash.services.evidence.reading import every_word
from medgemma_dash.services.explaining.tasks import EXPLAIN_ALL
from medgemma_dash.ui.components.job_watch import describe, watch
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.wording import RUNNERS_UP_SHOWN, probability, quoted, token_words
from medgemma_dash.ui.state.methods import method_words, shown_method
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Answered, Study


def no_answer_line(host: ModelHost, what_to_do: str) -> None:
    """Say why there is no answer: nothing was asked yet, or there is no model to ask."""
    if host.state == "failed":
        line = [
            Segment("There is no model to answer. ", "warning"),
            Segment(f"{host.message} Home has a button to try again."),
        ]
        rich_line([line], key="no_answer", tone="error", announce="alert")
    elif host.state == "ready":
        rich_line([[Segment(what_to_do, "quiet")]], key="no_answer")


def runners_up_words(answer: Answer) -> list[str]:
    """For each token, what came next after it and with which probability; "" where unknown."""
    lines = []
    for token in answer.tokens:
        named = zip(runners_up_names(token), token.runners_up, strict=True)
        told = [
            f"{quoted(name)} {probability(one.probability)}"
            for name, one in islice(named, RUNNERS_UP_SHOWN)
        ]
        name = token_words(answer, token.index)
        lines.append(f"in place of {name} next came {', '.join(told)}" if told else "")
    return lines


@dataclass(frozen=True)
class WeighedWords:
    """What the words' underlines and tooltips say of the image's effect; None until it is known.

    effects: of each token, in nats. words, marks: of each of `Answer.units`.
    """

    effects: list[float] | None = None
    words: list[float] | None = None
    marks: list[str] | None = None


def weighed_words(answered: Answered) -> WeighedWords:
    """Of the answer on screen."""
    record = answered.evidence
    if record is None:
        return WeighedWords()
    found = every_word(record, control_tokens=True)
    return WeighedWords(
        effects=[float(effect) for effect in record.tables["words"]["image_effect"]],
        words=[word.image_effect for word in found],
        marks=[word.mark for word in found],
    )


def fill_line(study: Study) -> None:
    """How far explaining every word is; it goes on when another method is chosen meanwhile."""
    choice = current_session().jobs.about(EXPLAIN_ALL)
    if choice is not None:
        by = "" if fills(study) else f"by {method_words(*choice)}"
        watch(EXPLAIN_ALL, words=lambda job: describe(job, by))


def fills(study: Study) -> bool:
    """Whether every word is being explained by the method that is on screen."""
    spec, options = shown_method(study)
    return bool(current_session().jobs.about(EXPLAIN_ALL) == (spec.name, options))
