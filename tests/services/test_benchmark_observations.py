"""The benchmark measures what the public interface explains, word by word."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.methods import available
from medgemma_dash.metrics.agreement import agreement
from medgemma_dash.metrics.localisation import energy_inside, iou_best, pointing_hit
from medgemma_dash.services.evaluation.benchmark import MEASURES, observing
from medgemma_dash.services.evaluation.benchmark.observing import Removals, observe
from medgemma_dash.services.evaluation.benchmark.run import QUICK_OPTIONS, chosen_methods
from medgemma_dash.services.evaluation.benchmark.stored import observations_parquet
from medgemma_dash.services.explaining.explain import explain
from medgemma_dash.services.faithfulness.scoring import faithfulness_of
from tests.random_answers import case
from tests.services.benchmark_runs import SHAPE, known_case


@pytest.fixture(scope="module")
def observations():
    """Every registered method on one answer."""
    return observe(
        case(SHAPE).model, known_case(), available(), QUICK_OPTIONS, remove_for_all_words=True
    )


def test_every_registered_method_and_control_is_measured_for_every_word(observations):
    methods = [spec.name for spec in available()] + ["blurred_random", "lesion"]
    seen = [(one.word, one.method) for one in observations]
    assert seen == [(word, name) for word in ("Yes", "right", "lower") for name in methods]
    for one in observations:
        values = [getattr(one, measure.name) for measure in MEASURES]
        if not one.failure:
            assert np.isfinite(values[: [m.name for m in MEASURES].index("spearman")]).all()


@pytest.mark.parametrize("method", ["chefer", "input_x_gradient", "rollout"])
def test_the_map_that_is_scored_is_the_one_that_explain_gives(observations, method):
    found, known = case(SHAPE), known_case()
    for word in known.words:
        span = (word.tokens[0], word.tokens[-1] + 1)
        image = explain(found.model, found.answer, span=span, method=method).image
        occluded = explain(
            found.model, found.answer, span=span, method="occlusion", **QUICK_OPTIONS["occlusion"]
        ).image
        one = next(o for o in observations if (o.word, o.method) == (word.text, method))
        assert one.pointing == pointing_hit(image, known.mask)
        assert one.energy == pytest.approx(energy_inside(image, known.mask), rel=1e-4)
        assert one.iou_best == pytest.approx(iou_best(image, known.mask), rel=1e-4)
        assert one.spearman == pytest.approx(agreement(image, occluded).spearman, abs=1e-3)


def test_the_lesion_itself_is_the_ceiling_and_occlusion_is_not_compared_with_itself(observations):
    ceiling = next(one for one in observations if one.method == "lesion")
    assert ceiling.pointing == 1
    assert ceiling.iou_best == max(one.iou_best for one in observations)
    assert all(np.isnan(one.spearman) for one in observations if one.method == "occlusion")


def test_removals_are_those_of_the_faithfulness_service_and_each_is_scored_once(monkeypatch):
    found, known = case(SHAPE), known_case()
    images = [np.random.default_rng(seed).random(found.answer.grid) for seed in range(2)]
    scored = []
    real = observing.token_scores

    def counting(model, answer, tokens, masks):
        scored.append(len(masks))
        return real(model, answer, tokens, masks)

    monkeypatch.setattr(observing, "token_scores", counting)
    removals = Removals(found.model, known)
    for word in known.words:
        expected = faithfulness_of(
            found.model, found.answer, Target("span", word.tokens, word.text), images
        )
        table = removals.measure(word, images)
        assert (table.p, table.p_blank) == pytest.approx((expected.p, expected.p_blank), rel=1e-4)
        for one, other in zip(table.maps, expected.maps, strict=True):
            assert dataclasses.astuple(one) == pytest.approx(dataclasses.astuple(other), abs=1e-5)
    assert scored == [2 + 2 * (2 + 10)]  # the same maps and rankings for the other words


def test_what_maps_mark_is_removed_for_one_drawn_word_or_for_all(observations):
    def words(found):
        return {one.word for one in found if np.isfinite(one.comprehensiveness)}

    known = known_case()
    chosen = chosen_methods(["chefer"])
    one = observe(case(SHAPE).model, known, chosen, QUICK_OPTIONS)
    every = observe(case(SHAPE).model, known, chosen, QUICK_OPTIONS, remove_for_all_words=True)
    assert len(words(one)) == 1
    assert words(every) == {word.text for word in known.words}
    drawn = [each for each in one if np.isfinite(each.comprehensiveness)]
    alike = [each for each in every if each.word == drawn[0].word]
    for each, other in zip(drawn, alike, strict=True):
        assert each.comprehensiveness == pytest.approx(other.comprehensiveness, abs=1e-6)
        assert each.above_random == other.above_random
    assert all(np.isfinite(each.p) for each in one)


def test_a_method_that_fails_is_a_miss_with_its_reason(monkeypatch):
    def fail(model, answer, targets, method, options):
        raise NoExplanationError("Nothing found.")

    monkeypatch.setattr(observing, "run_method", fail)
    found = observe(
        case(SHAPE).model,
        known_case(),
        chosen_methods(["chefer"]),
        QUICK_OPTIONS,
        remove_for_all_words=True,
    )
    missing = [one for one in found if one.method == "chefer"]
    assert len(missing) == 3
    for one in missing:
        assert one.failure == "Nothing found."
        assert (one.pointing, one.energy, one.auprc, one.comprehensiveness) == (0, 0, 0, 0)
        assert one.sufficiency == one.p - one.p_blank
        assert np.isnan(one.entropy)


def test_a_map_without_relevance_on_the_image_is_no_map(monkeypatch):
    def text_only(model, answer, targets, method, options):
        rows = np.zeros((len(targets), len(answer.input_ids)), np.float32)
        rows[:, 0] = 1
        return Relevance(rows)

    monkeypatch.setattr(observing, "run_method", text_only)
    found = observe(case(SHAPE).model, known_case(), chosen_methods(["chefer"]), QUICK_OPTIONS)
    assert {one.failure for one in found if one.method == "chefer"} == {
        "No relevance on the image."
    }


def test_parquet_holds_every_observation(observations, tmp_path):
    (tmp_path / "benchmark.parquet").write_bytes(observations_parquet(observations))
    frame = pd.read_parquet(tmp_path / "benchmark.parquet")
    assert len(frame) == len(observations)
    assert set(frame.columns) == {field.name for field in dataclasses.fields(observations[0])}
    assert frame["method"].tolist() == [one.method for one in observations]
