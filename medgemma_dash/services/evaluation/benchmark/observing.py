"""One answer's words, explained by every method and measured."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from medgemma_dash.core.errors import CancelledError, OutOfMemoryError
from medgemma_dash.imaging import body_mask
from medgemma_dash.methods import MethodSpec, get
from medgemma_dash.metrics.agreement import agreement
from medgemma_dash.metrics.controls import blurred_random_maps
from medgemma_dash.metrics.faithfulness import Faithfulness, FaithfulnessTable, measure_faithfulness
from medgemma_dash.metrics.localisation import (
    auprc,
    energy_inside,
    iou_at,
    iou_best,
    mask_coverage,
    pointing_hit,
)
from medgemma_dash.metrics.map_quality import map_quality
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.evaluation.benchmark.cases import AffirmingWord, Case
from medgemma_dash.services.evaluation.benchmark.measures import BLURRED, LESION, NAN, Observation
from medgemma_dash.services.explaining.run import run_method
from medgemma_dash.services.explaining.targets import token_target
from medgemma_dash.services.faithfulness.scoring import token_scores
from medgemma_dash.services.runtime.failures import plain_error

REFERENCE = "occlusion"

MapImage = Float[np.ndarray, "rows cols"]
OptionsByMethod = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Attempt:
    """A method's map of one word, or why there is none."""

    image: MapImage | None
    failure: str = ""
    seconds: float = NAN


def observe(
    model: VisionLanguageModel,
    case: Case,
    methods: Sequence[MethodSpec],
    options: OptionsByMethod,
    *,
    remove_for_all_words: bool = False,
) -> list[Observation]:
    """All words of the case by all methods, and by the benchmark's own controls.

    A case is about one radiograph, whose lesion is known: where a map points and what it looks like
    are measures of one image. What the maps mark is removed from it for one word of the answer,
    drawn by the answer's key, or for all of them: two runs of the model per map are most of what
    a benchmark costs.
    """
    if not case.words:
        return []
    attempts = {spec.name: _attempts(model, case, spec, options) for spec in methods}
    attempts[BLURRED] = [Attempt(_blurred(case, word)) for word in case.words]
    attempts[LESION] = [Attempt(_lesion(case))] * len(case.words)
    body = body_mask(case.answer.radiograph.pixels)
    removals = Removals(model, case)
    drawn = int(case.answer.key, 16) % len(case.words)
    found = []
    for place, word in enumerate(case.words):
        of_word = {name: tried[place] for name, tried in attempts.items()}
        tests_removal = remove_for_all_words or place == drawn
        tested_maps = of_word.values() if tests_removal else [of_word[LESION]]
        images = [one.image for one in tested_maps if one.image is not None]
        table = removals.measure(word, images)
        tested = iter(table.maps)
        reference = of_word[REFERENCE].image if REFERENCE in of_word else None
        for name, one in of_word.items():
            removed = Faithfulness(NAN, NAN)
            if tests_removal:
                nothing_removed = Faithfulness(0.0, table.image_dependence)
                removed = nothing_removed if one.image is None else next(tested)
            found.append(_observation(case, word, name, one, removed, table, reference, body))
    return found


@dataclass
class Removals:
    """Probabilities of one answer's tokens with parts of the image removed.

    All masks of a word that were not met before are scored in one batched call: the words share
    the random rankings, and the maps that are the same for every word.
    """

    model: VisionLanguageModel
    case: Case
    _known: dict[bytes, Float[np.ndarray, " tokens"]] = field(default_factory=dict)

    def measure(self, word: AffirmingWord, images: Sequence[MapImage]) -> FaithfulnessTable:
        """Comprehensiveness and sufficiency of maps of one word."""
        columns = np.isin(_tokens(self.case), word.tokens)

        def score(masks: Bool[np.ndarray, "masks cells"]) -> Float[np.ndarray, " masks"]:
            found: Float[np.ndarray, " masks"] = self._scores(masks)[:, columns].sum(1)
            return found

        return measure_faithfulness(score, images, seed=int(self.case.answer.key, 16))

    def _scores(self, masks: Bool[np.ndarray, "masks cells"]) -> Float[np.ndarray, "masks tokens"]:
        keys = [mask.tobytes() for mask in masks]
        new = {key: mask for key, mask in zip(keys, masks, strict=True) if key not in self._known}
        if new:
            scores = token_scores(
                self.model, self.case.answer, _tokens(self.case), np.stack(list(new.values()))
            )
            self._known.update(zip(new, scores, strict=True))
        return np.stack([self._known[key] for key in keys])


def _attempts(
    model: VisionLanguageModel, case: Case, spec: MethodSpec, options: OptionsByMethod
) -> list[Attempt]:
    """One per word. What stops the method stops it for all of them, and is told in one line."""
    answer, tokens = case.answer, _tokens(case)
    targets = [token_target(answer, index) for index in tokens]
    every_option = spec.option_values(dict(options.get(spec.name, {})))
    began = time.perf_counter()
    try:
        rows = run_method(model, answer, targets, get(spec.name), every_option).rows
    except CancelledError:
        raise
    except Exception as raised:
        error = plain_error(raised, f"Explaining by {spec.name}")
        if isinstance(error, OutOfMemoryError):
            model.drop_caches()
        return [Attempt(None, str(error))] * len(case.words)
    seconds = (time.perf_counter() - began) / len(case.words)
    start, stop = answer.image_span
    found = []
    for word in case.words:
        row = rows[np.isin(tokens, word.tokens)].mean(0)
        image = row[start:stop].reshape(answer.grid)
        if not np.isfinite(row).all():
            found.append(Attempt(None, "The map holds numbers that are not finite.", seconds))
        elif not image.any():
            found.append(Attempt(None, "No relevance on the image.", seconds))
        else:
            found.append(Attempt(image, seconds=seconds))
    return found


def _tokens(case: Case) -> list[int]:
    """The tokens of all words, ascending, each once."""
    return sorted({index for word in case.words for index in word.tokens})


def _blurred(case: Case, word: AffirmingWord) -> MapImage:
    # Seeded as the random method is: repeatable, and another for every word.
    generator = np.random.default_rng([int(case.answer.key, 16), word.tokens[0]])
    image: MapImage = blurred_random_maps(case.answer.grid, 1, generator)[0]
    return image


def _lesion(case: Case) -> MapImage:
    return mask_coverage(case.mask, case.answer.grid).astype(np.float32)


def _observation(
    case: Case,
    word: AffirmingWord,
    method: str,
    tried: Attempt,
    removed: Faithfulness,
    table: FaithfulnessTable,
    reference: MapImage | None,
    body: Bool[np.ndarray, "height width"],
) -> Observation:
    image, mask = tried.image, case.mask
    measured: dict[str, float] = {}
    if image is not None:
        quality = map_quality(image, body)
        measured = {
            "pointing": pointing_hit(image, mask),
            "energy": energy_inside(image, mask) or 0.0,
            "iou_best": iou_best(image, mask),
            "iou_half": iou_at(image, mask),
            "auprc": auprc(image, mask),
            "inside_body": quality.inside_body,
            "entropy": quality.entropy,
            "peak_ratio": quality.peak_ratio,
            "gini": quality.gini,
            "border": quality.border,
        }
        if reference is not None and method != REFERENCE:
            alike = agreement(image, reference)
            measured |= {"spearman": alike.spearman, "divergence": alike.divergence}
    return Observation(
        radiograph=case.radiograph,
        finding=case.finding,
        kind=word.kind,
        word=word.text,
        method=method,
        failure=tried.failure,
        p=table.p,
        p_blank=table.p_blank,
        comprehensiveness=removed.comprehensiveness,
        sufficiency=removed.sufficiency,
        above_random=_above_random(image, removed, table),
        seconds=tried.seconds,
        **measured,
    )


def _above_random(image: MapImage | None, removed: Faithfulness, table: FaithfulnessTable) -> float:
    if np.isnan(removed.comprehensiveness):
        return NAN
    lower = [one.comprehensiveness < removed.comprehensiveness for one in table.random]
    return 0.0 if image is None else float(np.mean(lower))
