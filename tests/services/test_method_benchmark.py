"""The benchmark measures what the public interface explains, keeps what is done, and reads back."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medgemma_dash.core.errors import ModelError, NoExplanationError, ResultFileError, SettingError
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED
from medgemma_dash.methods import available
from medgemma_dash.metrics.agreement import agreement
from medgemma_dash.metrics.localisation import energy_inside, iou_best, pointing_hit
from medgemma_dash.services.datasets.annotations import read_annotations
from medgemma_dash.services.evaluation.benchmark import MEASURES, cases, observing, read_summary
from medgemma_dash.services.evaluation.benchmark.cases import (
    AffirmingWord,
    Case,
    CaseSource,
    Picture,
    annotated_cases,
    synthetic_cases,
    words_that_affirm,
)
from medgemma_dash.services.evaluation.benchmark.observing import Removals, observe
from medgemma_dash.services.evaluation.benchmark.run import (
    QUICK_OPTIONS,
    chosen_methods,
    run_benchmark,
)
from medgemma_dash.services.evaluation.benchmark.stored import observations_parquet, summary_json
from medgemma_dash.services.evaluation.benchmark.summary import summarise
from medgemma_dash.services.evaluation.benchmark.table import as_markdown
from medgemma_dash.services.evaluation.known_answers import word_tokens
from medgemma_dash.services.explaining.explain import explain
from medgemma_dash.services.faithfulness.scoring import faithfulness_of
from tests.random_answers import case
from tests.services.makers import make_answer

SHAPE = "heads 4 on 1, window shorter than the image"
COMMAND = "python -m medgemma_dash benchmark"


def known_case(radiograph: str = "1", *, right: bool = True) -> Case:
    """A random model's forced answer "Yes, in the right lower zone.", and a lesion."""
    answer = case(SHAPE).answer
    mask = np.zeros(answer.radiograph.pixels.shape[:2], np.bool_)
    mask[mask.shape[0] // 2 :, : mask.shape[1] // 3] = True
    words = []
    for kind, text in (("presence", "Yes"), ("side", "right"), ("zone", "lower")):
        start = answer.text.index(text)
        words.append(AffirmingWord(kind, text, word_tokens(answer, start, start + len(text))))
    return Case(radiograph, "consolidation", mask, answer, tuple(words) if right else ())


@pytest.fixture(scope="module")
def observations():
    """Every registered method on one answer."""
    return observe(
        case(SHAPE).model, known_case(), available(), QUICK_OPTIONS, remove_for_all_words=True
    )


def source(*pictures, stop: bool = False) -> CaseSource:
    def give():
        yield from pictures
        if stop:
            raise KeyboardInterrupt

    return CaseSource("pictures", "The rule.", len(pictures), give())


def run(*pictures, stop: bool = False, methods=("raw_attention", "occlusion")):
    made = (Picture(tuple(lambda one=one: one for one in cases)) for cases in pictures)
    given = source(*made, stop=stop)
    return run_benchmark(case(SHAPE).model, given, chosen_methods(methods))


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


def test_controls_always_come_along_and_names_are_checked():
    names = {spec.name for spec in chosen_methods(["chefer"])}
    assert names == {"chefer", "random", "centre", "uniform"}
    assert len(chosen_methods(None)) == len(available())


def test_ctrl_c_keeps_the_radiographs_that_are_done_and_the_table_says_so():
    stopped = run((known_case("1"),), (known_case("2", right=False),), stop=True)
    assert not stopped.complete
    assert (stopped.radiographs, stopped.answers, stopped.wrong_answers) == (2, 2, 1)
    assert "Partial result" in as_markdown(summarise(stopped, COMMAND))
    with pytest.raises(KeyboardInterrupt):
        run(stop=True)


def test_without_a_right_answer_there_is_no_benchmark():
    with pytest.raises(ModelError, match="none of 1 questions"):
        run((known_case(right=False),))


def test_seeds_of_training_are_refused():
    with pytest.raises(SettingError, match=str(FIRST_EVALUATION_SEED)):
        synthetic_cases(None, 1, FIRST_EVALUATION_SEED - 1)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("Yes", ",", " a nod", "ule", "."), [("presence", (0,)), ("finding", (2, 3))]),
        (("yes", ",", " there is."), [("presence", (0,))]),
        (("No", ", no ", "nodule", "."), []),
        (("Yes", "terday ", "a ", "nodule"), []),
        (("A nodule", ": ", "yes"), []),
    ],
)
def test_an_answer_affirms_when_yes_leads_it(texts, words):
    found = words_that_affirm(make_answer(texts), "nodule")
    assert [(word.kind, word.tokens) for word in found] == words


def test_annotated_pictures_are_asked_about_their_labels(tmp_path, monkeypatch):
    asked = []

    def answering(model, radiograph, question):
        asked.append(question)
        return make_answer(("Yes", ", ", "mass", "."), question, radiograph)

    monkeypatch.setattr(cases, "ask", answering)
    for name in ("a", "b"):
        Image.fromarray(np.full((60, 40), 90, np.uint8)).save(tmp_path / f"{name}.png")
    table = tmp_path / "boxes.csv"
    table.write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h]\na.png,Mass,2,3,5,6\n"
        "b.png,Mass,1,1,2,2\na.png,Nodule,0,0,4,4\n"
    )
    read = read_annotations(table, tmp_path)
    (tmp_path / "b.png").unlink()
    first, second = (
        [make() for make in one.cases] for one in annotated_cases(None, read.findings, 10).pictures
    )
    assert [one.finding for one in first] == ["mass", "nodule"]
    assert first[0].mask.sum() == 30
    assert asked == ["Is there evidence of mass?", "Is there evidence of nodule?"]
    assert [len(one.words) for one in first] == [2, 1]
    assert second == [None]  # left out
    assert "a.png" not in repr(first[0].radiograph)


@pytest.fixture(scope="module")
def summary():
    return summarise(run((known_case("1"), known_case("2"))), COMMAND)


def test_each_kind_of_word_counts_alike_and_undefined_measures_have_no_mean(summary):
    found = summary.score("raw_attention")
    assert found.words == summary.words == 6
    assert {one.measure: one.n for one in found.scores}["pointing"] == 6
    assert summary.score("occlusion").interval("spearman") is None
    assert found.interval("spearman") is not None
    assert summary.score("magic") is None


def test_the_table_has_every_method_its_settings_and_the_rules(summary):
    table = as_markdown(summary)
    for method in summary.methods:
        assert table.count(f"| {method.title} |") == 3
    for fact in (COMMAND, "no map", "The rule.", "block: 2x2", "scored as a miss", "bootstrap"):
        assert fact in table
    assert table.index("Raw attention") < table.index("Uniform map")


def test_a_summary_reads_back_as_it_was_written(summary, tmp_path):
    path = tmp_path / "benchmark.json"
    path.write_text(summary_json(summary), encoding="utf-8")
    assert read_summary(path) == summary


def changed(**fields):
    def change(document):
        document.update(fields)
        return document

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda document: [], "schema"),
        (changed(schema="other"), "schema is medgemma-dash/benchmark"),
        (changed(schema_version=99), "99"),
        (changed(words="six"), "words is not of the type int"),
        (changed(words=True), "words is not of the type int"),
        (changed(extra=1), "the summary needs exactly"),
        (changed(methods=[{}]), "methods needs exactly name, title"),
        (changed(methods=None), "methods is not a list"),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_reason(summary, tmp_path, change, told):
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(change(json.loads(summary_json(summary)))), encoding="utf-8")
    with pytest.raises(ResultFileError, match=told) as refused:
        read_summary(path)
    assert "--out FOLDER" in str(refused.value)


@pytest.mark.parametrize(("text", "told"), [(None, "cannot be read"), ("{", "no JSON")])
def test_a_missing_or_broken_file_is_refused(tmp_path, text, told):
    path = tmp_path / "benchmark.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ResultFileError, match=told):
        read_summary(path)


def test_the_pages_read_a_summary_without_loading_torch(repository):
    code = (
        "import sys\nfrom medgemma_dash.services.evaluation.benchmark import read_summary\n"
        "print('torch' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True)
    assert printed.stdout.strip() == b"False"


def test_parquet_holds_every_observation(observations, tmp_path):
    (tmp_path / "benchmark.parquet").write_bytes(observations_parquet(observations))
    frame = pd.read_parquet(tmp_path / "benchmark.parquet")
    assert len(frame) == len(observations)
    assert set(frame.columns) == {field.name for field in dataclasses.fields(observations[0])}
    assert frame["method"].tolist() == [one.method for one in observations]
