"""Maps of chosen words, each with its quality and the method that made it."""

import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MethodError, NoExplanationError, TargetError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.progress import Check, Progress, finish
from medgemma_dash.core.record import Asked, Record
from medgemma_dash.imaging import body_mask
from medgemma_dash.methods import get
from medgemma_dash.metrics.map_quality import MapQuality, map_quality
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.explain import explain_target
from medgemma_dash.services.explaining.provenance import record_provenance
from medgemma_dash.services.words.plan import (
    CHAIN,
    FALLBACKS,
    KIND,
    Attempt,
    WordsPlan,
    checked_places,
    checked_words,
)
from medgemma_dash.services.words.sequences import Said, said
from medgemma_dash.services.words.sightings import Sighting, sightings

QUALITY = (
    "inside_body", "border", "left", "right", "apical", "basal", "entropy", "peak_ratio",
    "middle", "entropy_share", "gini", "focus",
)  # fmt: skip
MARKS = ("inside_body_mark", "border_mark", "entropy_mark", "peak_mark")


def target_words(
    model: VisionLanguageModel,
    answer: Answer,
    words: Sequence[str],
    *,
    places: Sequence[str] = ("answer",),
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    forced_after: int | None = None,
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """Where the model looked for words, or phrases of up to five: a record of the kind "words".

    places: "answer", "prompt" or "forced", or several. A forced word is put into the answer behind
    its first `forced_after` tokens, or by default in place of the word where its own first token
    was most probable, and nothing behind it matters.
    method, options: a method's name and its options, or "chain": Grad-CAM of the whole phrase, of
    its tokens, text-to-image attention, activation norm, each where those before it gave no map.
    progress counts words; check may raise to stop. Raises TargetError for a word that is in none
    of the places, MethodError, and PromptError for a word that cannot be forced.
    """
    plan = words_plan(answer, words, places, method, options, forced_after)
    return finish(words_steps(lambda: model, answer, plan, check, progress))


def words_plan(
    answer: Answer,
    words: Sequence[str],
    places: Sequence[str] = ("answer",),
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    forced_after: int | None = None,
) -> WordsPlan:
    """The plan of `target_words`; raises TargetError and MethodError as it does."""
    plan = WordsPlan(
        Asked.of(answer),
        checked_words(words),
        checked_places(places),
        method,
        chosen_options(method, options),
        forced_after,
    )
    sightings(answer, plan.words, plan.places)
    return plan


def chosen_options(method: str, options: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """All options of the method, or of the chain, which has none; raises MethodError."""
    if method != CHAIN:
        return get(method).spec.option_values(options or {})
    if options:
        raise MethodError("The chain's methods take no options. Choose one method for that.")
    return ()


def words_steps(
    current: Callable[[], VisionLanguageModel],
    answer: Answer,
    plan: WordsPlan,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Record]:
    """As `target_words`, one word at a time; yields between them."""
    began, found = time.perf_counter(), sightings(answer, plan.words, plan.places)
    tell = progress or (lambda done, total: None)
    alone = (Attempt(plan.method, plan.method, plan.options),)
    ladder = FALLBACKS if plan.method == CHAIN else alone
    seen: list[_Seen] = []
    for number, sighting in enumerate(found):
        tell(number, len(found))
        if number:
            yield
        model = current()
        with model.lock:
            word = said(model, answer, sighting, plan.forced_after, check)
            explanation, tried = _first_map(model, word, ladder, check)
        seen.append(_Seen(sighting, word, explanation, tried))
    tell(len(found), len(found))
    tables, maps = _tables(answer, seen)
    asked = Asked.of(answer)
    return Record(
        kind=KIND,
        plan=asdict(plan),
        tables=tables,
        maps=maps,
        provenance=record_provenance(
            model, tuple(dict.fromkeys(asked.image_sha256s)), time.perf_counter() - began
        ),
    )


@dataclass(frozen=True)
class _Tried:
    """An attempt and why it made no map; "" where it did."""

    attempt: Attempt
    reason: str


@dataclass(frozen=True)
class _Seen:
    """A word in its place, its map if any, and what was tried for it."""

    sighting: Sighting
    said: Said
    explanation: Explanation | None
    tried: tuple[_Tried, ...]

    @property
    def made_by(self) -> Attempt | None:
        return self.tried[-1].attempt if self.explanation is not None else None


def _first_map(
    model: VisionLanguageModel, word: Said, ladder: Sequence[Attempt], check: Check | None
) -> tuple[Explanation | None, tuple[_Tried, ...]]:
    """The map of the first method that gives one, and what came of each that was tried."""
    tried = []
    for attempt in ladder:
        if attempt.several_tokens and len(word.target.token_indices) == 1:
            tried.append(_Tried(attempt, "The word is a single token."))
            continue
        try:
            found = explain_target(
                model,
                word.answer,
                word.target,
                method=attempt.method,
                options=dict(attempt.options),
                check=check,
            )
        except (MethodError, NoExplanationError, TargetError) as error:
            tried.append(_Tried(attempt, str(error)))
            continue
        if all(np.ptp(image) == 0 for image in found.images):
            empty = "nothing on the image" if not found.cells.any() else "the same everywhere on it"
            tried.append(_Tried(attempt, f"It found {empty}: that is no map."))
            continue
        return found, (*tried, _Tried(attempt, ""))
    return None, tuple(tried)


def _tables(
    answer: Answer, seen: Sequence[_Seen]
) -> tuple[dict[str, pd.DataFrame], dict[str, npt.NDArray[np.float32]]]:
    bodies = [body_mask(image.radiograph.pixels) for image in answer.images]
    rows: list[dict[str, object]] = []
    attempts: list[dict[str, object]] = []
    maps: dict[str, npt.NDArray[np.float32]] = {}
    for one in seen:
        for image, body in enumerate(bodies):
            name = ""
            if one.explanation is not None:
                name = _map_name(len(rows) + 1, one.sighting.word)
                maps[name] = one.explanation.images[image].copy()
            quality = map_quality(maps[name], body) if name else None
            rows.append(_row(one) | {"image": image + 1, "map": name} | _measured(quality))
        attempts += [_place(one) | _attempted(tried) for tried in one.tried]
    return {"words": pd.DataFrame(rows), "attempts": pd.DataFrame(attempts)}, maps


def _place(one: _Seen) -> dict[str, object]:
    return {
        "word": one.sighting.word,
        "place": one.sighting.place,
        "occurrence": one.sighting.occurrence,
    }


def _attempted(tried: _Tried) -> dict[str, object]:
    return {
        "method": tried.attempt.name,
        "options": _options(tried.attempt),
        "made_map": not tried.reason,
        "reason": tried.reason,
    }


def _options(attempt: Attempt) -> str:
    every = get(attempt.method).spec.option_values(dict(attempt.options))
    return ", ".join(f"{name}={value}" for name, value in every)


def _row(one: _Seen) -> dict[str, object]:
    made, word = one.made_by, one.said
    spec = None if made is None else get(made.method).spec
    return _place(one) | {
        "tokens": f"{word.first}:{word.stop}",
        "method": "" if made is None else made.name,
        "text": word.target.text,
        "preceding": word.preceding,
        "log_probability": word.log_probability,
        "per_word": spec is not None and spec.per_token,
        "signed": spec is not None and spec.signed,
    }


def _measured(quality: MapQuality | None) -> dict[str, object]:
    if quality is None:
        return dict.fromkeys(QUALITY, np.nan) | dict.fromkeys(MARKS, "")
    return {name: getattr(quality, name) for name in QUALITY} | {
        name: getattr(quality, name) or "" for name in MARKS
    }


def _map_name(number: int, word: str) -> str:
    """The row's number and the word, of such letters as a map's name may have."""
    return f"{number} {re.sub(r'[^ ,.+:-]|_', _kept, word)}"[:60].strip()


def _kept(match: re.Match[str]) -> str:
    return match[0] if match[0].isalnum() else " "
