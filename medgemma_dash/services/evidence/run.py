"""How much each word of an answer needed the image, teacher-forced on the answer as it stands.

Log-probabilities in nats: with the image; with every soft token replaced by its image's mean one
(blank); with other radiographs in its place (swapped); and with no image in the conversation.
"""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.function_words import is_content_word
from medgemma_dash.core.progress import Check, Progress, finish
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Asked, Record
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.image_access import layers_with_access
from medgemma_dash.models.masked_forward import (
    replaced_log_probabilities,
    replayed_log_probabilities,
)
from medgemma_dash.models.text_forward import text_only_log_probabilities
from medgemma_dash.services.evidence.donors import Donor, donors_for
from medgemma_dash.services.evidence.plan import KIND, EvidencePlan, mark_of
from medgemma_dash.services.explaining.provenance import record_provenance


def evidence(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    donors: Sequence[Radiograph] | None = None,
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """How much each word of the answer needed the image: a record of the kind "evidence".

    donors: at least five other radiographs to swap in; by default the shipped samples.
    progress counts runs of the model; check may raise to stop. Raises ImageError for too few
    donors.
    """
    return finish(
        evidence_steps(lambda: model, answer, donors_for(answer, donors), check, progress)
    )


def evidence_steps(
    current: Callable[[], VisionLanguageModel],
    answer: Answer,
    donors: Sequence[Donor],
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Record]:
    """As `evidence`, one run of the model at a time; yields between them."""
    began, total = time.perf_counter(), len(donors) + 3
    tell = progress or (lambda done, total: None)
    spans, ids = answer.image_spans, [token.id for token in answer.tokens]
    places = [(token.position - 1, token.id) for token in answer.tokens]
    runs: list[Float[torch.Tensor, " tokens"]] = []
    for run in range(total):
        tell(run, total)
        if run:
            yield
        model = current()
        with model.lock:
            replay = replay_answer(model, answer, check)
            if run == 0:
                runs.append(replayed_log_probabilities(replay, places))
                access = layers_with_access(replay, [row for row, _ in places], spans).numpy()
                continue
            if run == 1:
                runs.append(text_only_log_probabilities(model, answer.prompt, ids, check))
                continue
            if run == 2:
                soft = [replay.embeddings[slice(*span)] for span in spans]
                features = torch.cat([h.float().mean(0, keepdim=True).expand_as(h) for h in soft])
            else:
                # Of several images each gets another donor.
                which = [(run - 3 + image) % len(donors) for image in range(len(spans))]
                features = torch.cat([donors[one].soft_tokens(model) for one in which])
            runs += replaced_log_probabilities(replay, spans, features[None], places, check)
    tell(total, total)
    found = torch.stack([run.cpu() for run in runs]).double().numpy()
    scores = _Scores(found[0], found[1], found[2], found[3:])
    return Record(
        kind=KIND,
        plan=asdict(EvidencePlan(Asked.of(answer), tuple(donor.sha256 for donor in donors))),
        tables={
            "words": _words(answer, scores, access),
            "answer": _answer(answer, scores),
            "swaps": _swaps(answer, scores, donors),
        },
        provenance=record_provenance(
            model,
            (*Asked.of(answer).image_sha256s, *(donor.sha256 for donor in donors)),
            time.perf_counter() - began,
        ),
    )


@dataclass(frozen=True)
class _Scores:
    """Log-probabilities of the answer's tokens, in nats."""

    given: Float[np.ndarray, " tokens"]
    no_image: Float[np.ndarray, " tokens"]
    blank: Float[np.ndarray, " tokens"]
    by_donor: Float[np.ndarray, "donors tokens"]

    @property
    def swapped(self) -> Float[np.ndarray, " tokens"]:
        mean: Float[np.ndarray, " tokens"] = self.by_donor.mean(0)
        return mean


def _words(answer: Answer, scores: _Scores, access: Int[np.ndarray, " tokens"]) -> pd.DataFrame:
    word, mark = np.zeros(len(answer.tokens), np.int64), [""] * len(answer.tokens)
    other = (scores.blank, scores.swapped, scores.no_image)
    for number, (start, stop) in enumerate(answer.units):
        word[start:stop] = number
        of_word = slice(start, stop)
        losses = [float((scores.given[of_word] - one[of_word]).sum()) for one in other]
        mark[of_word] = [mark_of(losses)] * (stop - start)
    return pd.DataFrame(
        {
            "token": np.arange(len(answer.tokens)),
            "text": [token.text for token in answer.tokens],
            "log_probability": scores.given,
            "blank": scores.blank,
            "swapped": scores.swapped,
            "no_image": scores.no_image,
            "image_effect": scores.given - scores.blank,
            "layers_with_access": access,
            "special": [token.special for token in answer.tokens],
            "word": word,
            "mark": mark,
        }
    )


def _answer(answer: Answer, scores: _Scores) -> pd.DataFrame:
    """One line: the whole answer's numbers."""
    effect = scores.given - scores.blank
    content = [
        float(effect[start:stop].sum())
        for start, stop in answer.words
        if is_content_word("".join(token.text for token in answer.tokens[start:stop]))
    ]
    said = np.array([not token.special for token in answer.tokens])
    return pd.DataFrame(
        {
            "content_words": [len(content)],
            "mean_image_effect": [float(np.mean(content)) if content else np.nan],
            "log_probability_variance": [float(scores.given[said].var()) if said.any() else np.nan],
            "evidence_magnitude": [
                float(np.abs(scores.given - scores.no_image)[said].mean()) if said.any() else np.nan
            ],
        }
    )


def _swaps(answer: Answer, scores: _Scores, donors: Sequence[Donor]) -> pd.DataFrame:
    tokens = len(answer.tokens)
    return pd.DataFrame(
        {
            "token": np.tile(np.arange(tokens), len(donors)),
            "donor": np.repeat([donor.sha256 for donor in donors], tokens),
            "log_probability": scores.by_donor.ravel(),
        }
    )
