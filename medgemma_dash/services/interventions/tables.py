"""The tables of an interventions record."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.metrics.box_scores import MEASURES, BoxScore, box_scores
from medgemma_dash.models.regeneration import Regenerated
from medgemma_dash.services.interventions.plan import InterventionPlan, mask_of

BEFORE, SELECTED, WHOLE, FIRST_COPY = range(4)


@dataclass(frozen=True, eq=False)
class Readings:
    """Of the answer's tokens: as it was given, with the selection removed or alone kept, with all
    of the image removed, and with each displaced selection.

    log_probabilities: in nats. first_after: the text of the token that is most probable at each
    place with the selection removed or alone kept.
    """

    logits: Float[np.ndarray, "variants tokens"]
    log_probabilities: Float[np.ndarray, "variants tokens"]
    first_after: tuple[str, ...]


def tables_of(
    answer: Answer,
    plan: InterventionPlan,
    readings: Readings,
    copies: Bool[np.ndarray, "copies rows cols"],
    generated: Sequence[Regenerated],
    image: Float[np.ndarray, "rows cols"] | None,
    problem: str,
) -> dict[str, pd.DataFrame]:
    """generated: after, and of a given answer before it as well. image: the map, or the problem."""
    return {
        "words": _words(answer, readings),
        "answers": _answers(answer, generated),
        "box": _box(plan, image, problem),
        "elsewhere": _elsewhere(plan, readings, copies),
    }


def _words(answer: Answer, readings: Readings) -> pd.DataFrame:
    logits, nats = readings.logits, readings.log_probabilities
    elsewhere = logits[FIRST_COPY:]
    word = np.zeros(len(answer.tokens), np.int64)
    for number, (start, stop) in enumerate(answer.units):
        word[start:stop] = number
    nowhere = np.full(len(answer.tokens), np.nan)
    return pd.DataFrame(
        {
            "token": np.arange(len(answer.tokens)),
            "text": [token.text for token in answer.tokens],
            "logit": logits[BEFORE],
            "logit_after": logits[SELECTED],
            "probability": np.exp(nats[BEFORE]),
            "probability_after": np.exp(nats[SELECTED]),
            "logit_without": logits[WHOLE],
            "probability_without": np.exp(nats[WHOLE]),
            "logit_elsewhere": elsewhere.mean(0) if len(elsewhere) else nowhere,
            "probability_elsewhere": (
                np.exp(nats[FIRST_COPY:]).mean(0) if len(elsewhere) else nowhere
            ),
            "first_after": list(readings.first_after),
            "special": [token.special for token in answer.tokens],
            "word": word,
        }
    )


def _answers(answer: Answer, generated: Sequence[Regenerated]) -> pd.DataFrame:
    margin = np.nan if answer.margin is None else answer.margin
    own = (answer.text, len(answer.tokens), answer.stopped, margin)
    rows = [("given" if answer.forced else "before", *own)]
    for which, one in reversed([*zip(("after", "before"), generated, strict=False)]):
        decision = np.nan if one.margin is None else one.margin
        rows.append((which, one.text, len(one.ids), one.stopped, decision))
    return pd.DataFrame(rows, columns=["which", "text", "tokens", "stopped", "margin"])


def _box(
    plan: InterventionPlan, image: Float[np.ndarray, "rows cols"] | None, problem: str
) -> pd.DataFrame:
    if image is None:
        scores = tuple(BoxScore(name, *[np.nan] * 6) for name in MEASURES)
    else:
        scores = box_scores(image, mask_of(plan.cells, plan.grid))
    frame = pd.DataFrame([vars(one) for one in scores])
    frame["problem"] = problem
    return frame


def _elsewhere(
    plan: InterventionPlan, readings: Readings, copies: Bool[np.ndarray, "copies rows cols"]
) -> pd.DataFrame:
    """A row for each displaced selection and token."""
    tokens = readings.logits.shape[1]
    origin = np.array(plan.cells).min(0)
    shifts = np.array([np.argwhere(copy).min(0) - origin for copy in copies], np.int64)
    down, right = shifts.reshape(-1, 2).repeat(tokens, axis=0).T
    return pd.DataFrame(
        {
            "copy": np.arange(len(copies)).repeat(tokens),
            "down": down,
            "right": right,
            "token": np.tile(np.arange(tokens), len(copies)),
            "logit": readings.logits[FIRST_COPY:].ravel(),
            "probability": np.exp(readings.log_probabilities[FIRST_COPY:]).ravel(),
        }
    )
