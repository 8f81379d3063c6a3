"""Words in the answer, in the prompt and forced, against the hand-written decoder in float64."""

import numpy as np
import pytest
import torch

from medgemma_dash import ask, explain, read_record
from medgemma_dash.core.errors import (
    CancelledError,
    MethodError,
    NoExplanationError,
    PromptError,
    TargetError,
)
from medgemma_dash.core.resources import resource
from medgemma_dash.imaging import body_mask, load_radiograph
from medgemma_dash.methods.gradcam import GradCAM
from medgemma_dash.methods.text_to_image_attention import TextToImageAttention
from medgemma_dash.models.logit_target import LogitTerm
from medgemma_dash.reports.html import html_page
from medgemma_dash.reports.records import record_report
from medgemma_dash.services.words.run import target_words, words_plan, words_steps
from medgemma_dash.services.words.sightings import sightings, whole_word_spans
from tests.oracles.chefer_matrices import chefer
from tests.oracles.gemma3_float64 import decode
from tests.random_answers import FORCED, QUESTION, case, relative_difference

SIX = "six layers, heads 8 on 4"
PUSHED = "image pushed back by a text in front"


def by_definition(found, ids, positions):
    """Mean over these positions' tokens of full-matrix Chefer maps, and their log-probability."""
    forward = decode(found.model.hf_model, ids, found.features)
    rows = [chefer(forward, [LogitTerm(p - 1, (int(ids[p]),), 1.0)], "mean") for p in positions]
    logits = forward.logits.detach().log_softmax(-1)
    nats = sum(logits[p - 1, int(ids[p])].item() for p in positions)
    return torch.stack(rows).mean(0).detach().numpy(), nats


def grids(found, row):
    return [row[slice(*image.span)].reshape(image.grid) for image in found.answer.images]


def check_rows(found, record, rows, ids, positions):
    """Every image's map of one word, and what is said of it."""
    wanted, nats = by_definition(found, ids, positions)
    for number, (row, image) in enumerate(zip(rows.itertuples(), found.answer.images, strict=True)):
        assert row.image == number + 1
        assert row.log_probability == pytest.approx(nats, abs=1e-4)  # float32 logits
        # Float32 against float64, and rows in which a short prefix leaves little to average over.
        assert relative_difference(record.maps[row.map], grids(found, wanted)[number]) < 1e-5
        check_quality(row, record.maps[row.map].astype(np.float64), image.radiograph)


def check_quality(row, m, radiograph):
    """The row's numbers by hand, from the raw map."""
    P = m.clip(0) / m.clip(0).sum()
    rows, cols = P.shape
    body = body_mask(radiograph.pixels).astype(float)
    enlarged = np.kron(body, np.ones((rows, cols)))  # each cell now is whole pixels
    covered = enlarged.reshape(rows, body.shape[0], cols, body.shape[1]).mean((1, 3))
    assert row.inside_body == pytest.approx((P * covered).sum(), abs=1e-9)
    assert row.border == pytest.approx(1 - P[1:-1, 1:-1].sum(), abs=1e-9)
    assert row.left == pytest.approx(P[:, : cols // 2].sum(), abs=1e-9)
    assert row.right == pytest.approx(P[:, cols // 2 :].sum(), abs=1e-9)
    thirds = np.kron(P, np.ones((3, 1))).reshape(3, -1).sum(1) / 3
    assert (row.apical, row.basal) == pytest.approx((thirds[0], thirds[2]), abs=1e-9)
    held = P[P > 0]
    assert row.entropy == pytest.approx(-(held * np.log(held)).sum(), abs=1e-9)
    assert row.peak_ratio == pytest.approx(m.clip(0).max() / m.clip(0).mean(), abs=1e-9)


def positions_of(found, text, start, stop):
    """Positions whose tokens make up a text, found by decoding every window."""
    decoded = found.model.processor.tokenizer.decode
    ids = found.answer.input_ids
    for first in range(start, stop):
        for last in range(first + 1, stop + 1):
            if decoded(ids[first:last]).strip() == text:
                return range(first, last)
    raise AssertionError(text)


@pytest.mark.parametrize(("shape", "images"), [(SIX, 1), (PUSHED, 1), (SIX, 2)])
def test_a_words_map_is_that_of_its_tokens_in_answer_and_prompt(shape, images):
    found = case(shape, images=images)
    ids, first = found.answer.input_ids, found.answer.prompt_length
    record = target_words(
        found.model, found.answer, ("right lower", "EVIDENCE  of"), places=("answer", "prompt")
    )
    words = record.tables["words"]
    assert words["word"].tolist() == ["right lower"] * images + ["EVIDENCE of"] * images
    assert words["place"].tolist() == ["answer"] * images + ["prompt"] * images
    in_answer = positions_of(found, "right lower", first, len(ids))
    in_prompt = positions_of(found, "evidence of", found.answer.image_span[1], first)
    check_rows(found, record, words[:images], ids, in_answer)
    check_rows(found, record, words[images:], ids, in_prompt)
    spans = [f"{in_answer[0] - first}:{in_answer[-1] + 1 - first}",
             f"{in_prompt[0]}:{in_prompt[-1] + 1}"]  # fmt: skip
    assert words["tokens"].tolist() == [one for one in spans for _ in range(images)]
    assert words["preceding"].tolist()[images:] == ["Is there"] * images
    assert len(record.maps) == len(words)


def test_a_forced_word_stands_behind_the_words_it_is_put_behind():
    found = case(SIX)
    tokenizer = found.model.processor.tokenizer
    start, _ = whole_word_spans([token.text for token in found.answer.tokens], "right")[0]
    record = target_words(
        found.model, found.answer, ("pneumonia",), places=("forced",), forced_after=start
    )
    (row,) = record.tables["words"].itertuples()
    first = found.answer.prompt_length
    word = tokenizer(" pneumonia", add_special_tokens=False)["input_ids"]
    ids = [*found.answer.input_ids[: first + start], *word]
    positions = range(first + start, len(ids))
    assert tokenizer.decode(ids[first:]) == "Yes, in the pneumonia"
    assert (row.place, row.tokens) == ("forced", f"{start}:{start + len(word)}")
    assert (row.preceding, row.text) == ("Yes, in the", " pneumonia")
    check_rows(found, record, record.tables["words"], np.array(ids), positions)
    assert record.plan["asked"]["answer"] == FORCED


def test_a_forced_word_goes_where_its_first_token_was_most_probable():
    found = case(SIX)
    tokenizer, answer = found.model.processor.tokenizer, found.answer
    before, nats = answer.prompt_length - 1, found.forward.logits.detach().log_softmax(-1)
    starts = [start for start, stop in answer.words if answer.tokens[start].text.strip().isalpha()]
    texts = ["evidence" if start == 0 else " evidence" for start in starts]
    firsts = [tokenizer(text, add_special_tokens=False)["input_ids"][0] for text in texts]
    scores = [float(nats[before + s, one]) for s, one in zip(starts, firsts, strict=True)]
    record = target_words(found.model, answer, ["evidence"], places=["forced"])
    assert len(starts) > 4
    assert record.tables["words"]["tokens"][0].split(":")[0] == str(starts[np.argmax(scores)])


def test_forcing_what_was_said_where_it_was_said_changes_nothing():
    found = case(SIX)
    start = whole_word_spans([token.text for token in found.answer.tokens], "right lower")[0][0]
    record = target_words(
        found.model, found.answer, ["right lower"], places=("forced", "answer"), forced_after=start
    )
    said, forced = record.tables["words"].itertuples()
    assert (said.place, forced.place) == ("answer", "forced")
    assert said.tokens == forced.tokens
    # The same sums over a shorter sequence, in other blocks.
    assert relative_difference(record.maps[forced.map], record.maps[said.map]) < 1e-5


def test_it_is_what_explain_gives_and_every_occurrence_is_a_row():
    found = case(SIX)
    answer = ask(
        found.model, found.answer.radiograph, QUESTION, force="No. Pneumonia, no pneumonia"
    )
    record = target_words(found.model, answer, ("no", "pneumonia"), method="input_x_gradient")
    words = record.tables["words"]
    assert words["occurrence"].tolist() == [1, 2, 1, 2]
    for row in words.itertuples():
        span = tuple(map(int, row.tokens.split(":")))
        wanted = explain(found.model, answer, span=span, method="input_x_gradient")
        np.testing.assert_array_equal(record.maps[row.map], wanted.image)
        assert wanted.target.text.strip(" .,").lower() == row.word
        assert row.signed
        assert row.method == "input_x_gradient"


def test_words_are_whole_words_by_letters_across_tokens():
    texts = ["No", " pneu", "monia", ",", " no", "-one", "  right\n", "lower", " zone."]
    assert whole_word_spans(texts, "no") == ((0, 1), (4, 5))
    assert whole_word_spans(texts, "PNEUMONIA") == ((1, 3),)
    assert whole_word_spans(texts, "right lower") == ((6, 8),)
    assert whole_word_spans(texts, "pneumonia,") == ((1, 4),)
    assert whole_word_spans(texts, "mon") == ()
    assert whole_word_spans(["a", "(b)", "?"], "(b)?") == ((1, 3),)


@pytest.mark.parametrize(
    ("words", "places", "reason"),
    [
        (["effusion"], ["answer", "prompt"], "neither in the answer nor in the prompt.*forced"),
        (["evidence"], ["answer"], "not in the answer, but it is in the prompt"),
        (["low"], ["answer"], "only inside a longer one"),
        ([], ["answer"], "no word"),
        ([" "], ["answer"], "empty"),
        (["Right", "right "], ["answer"], "twice"),
        (["a b c d e f"], ["forced"], "6 words long. Allowed: 5"),
        (["right"], ["question"], "answer, prompt, forced; not in 'question'"),
        (["right"], [], "not in none"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_before_the_model_runs(words, places, reason):
    found = case(SIX)
    with pytest.raises(TargetError, match=reason):
        words_plan(found.answer, words, places)


def test_a_place_beyond_the_answer_and_a_chain_with_options_are_refused():
    found = case(SIX)
    with pytest.raises(TargetError, match="behind 999 tokens"):
        target_words(found.model, found.answer, ["x"], places=["forced"], forced_after=999)
    with pytest.raises(MethodError, match="no options"):
        target_words(found.model, found.answer, ["right"], method="chain", options={"a": "b"})
    with pytest.raises(MethodError, match="no method 'gradcan'"):
        target_words(found.model, found.answer, ["right"], method="gradcan")


def attempts_of(record):
    table = record.tables["attempts"]
    return list(zip(table["method"], table["made_map"], table["reason"], strict=True))


def test_the_chain_names_the_method_that_made_the_map_and_why_others_did_not(monkeypatch):
    found = case(SIX, vision_layers=3)
    whole = target_words(found.model, found.answer, ["right lower"], method="chain")
    assert attempts_of(whole) == [("gradcam_multi", True, "")]
    wanted = explain(
        found.model, found.answer, phrase="right lower", method="gradcam",
        words="sum of log-probabilities",
    )  # fmt: skip
    np.testing.assert_array_equal(next(iter(whole.maps.values())), wanted.image)

    def nothing(self, call):
        raise NoExplanationError("No place spoke for it.")

    def even(self, call):
        return call.relevance(call.on_images(torch.ones(len(call.targets), len(call.cells))))

    monkeypatch.setattr(GradCAM, "rows", nothing)
    next_best = target_words(found.model, found.answer, ["Yes"], method="chain")
    assert next_best.tables["words"]["method"].tolist() == ["text_to_image_attention"]
    monkeypatch.setattr(TextToImageAttention, "rows", even)
    last = target_words(found.model, found.answer, ["right lower"], method="chain")
    (row,) = last.tables["words"].itertuples()
    assert (row.method, row.per_word) == ("activation_norm", False)
    assert attempts_of(last) == [
        ("gradcam_multi", False, "No place spoke for it."),
        ("gradcam", False, "No place spoke for it."),
        ("text_to_image_attention", False, "It found the same everywhere on it: that is no map."),
        ("activation_norm", True, ""),
    ]


def test_a_uniform_map_is_no_map_and_the_other_words_have_theirs():
    found = case(SIX)
    record = target_words(found.model, found.answer, ["right", "zone"], method="uniform")
    words = record.tables["words"]
    assert record.maps == {}
    assert words["method"].tolist() == words["map"].tolist() == ["", ""]
    assert words[["inside_body", "entropy", "peak_ratio"]].isna().all(axis=None)
    assert [made for _, made, _ in attempts_of(record)] == [False, False]


def test_it_goes_on_word_by_word_and_stops_when_told_to():
    found = case(SIX)
    told = []
    plan = words_plan(found.answer, ["right", "lower", "zone"])
    steps = words_steps(
        lambda: found.model, found.answer, plan, progress=lambda *done: told.append(done)
    )
    assert sum(1 for _ in steps) == 2
    assert told == [(done, 3) for done in range(4)]

    def stop():
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError, match="Enough"):
        target_words(found.model, found.answer, ["right"], check=stop)


def test_words_of_a_prompt_are_the_users_and_not_the_templates():
    answer = case(PUSHED).answer
    assert [one.span is not None for one in sightings(answer, ["Is"], ["prompt"])] == [True]
    for word in ("careful", "user", "model"):  # of the system text, and of the template
        with pytest.raises(TargetError, match=f"'{word}' is not in the prompt"):
            sightings(answer, [word], ["prompt"])


def test_what_the_demo_model_looks_at_for_its_words(demo_model):
    film = load_radiograph(resource("assets", "samples", "consolidation-right-lower.png"))
    answer = ask(demo_model, film, "Is there evidence of pneumonia in this chest radiograph?")
    record = target_words(demo_model, answer, ["consolidation", "right"])
    words = record.tables["words"].set_index("word")
    assert (words["inside_body"] > 0.7).all()
    # The patient's right is the image's left.
    assert (words["left"] > 0.65).all()


def test_words_of_any_letters_are_saved_read_and_reported(tmp_path):
    found = case(SIX)
    words = ["½ (σ) <b>?", "肺炎 😀", "a/../b_c", "x" * 200]
    record = target_words(found.model, found.answer, words, places=["forced"])
    record.save(tmp_path / "words.zip")
    again = read_record(tmp_path / "words.zip")
    assert again.tables["words"]["word"].tolist() == words
    assert list(again.maps) == again.tables["words"]["map"].tolist()
    assert "<b>?" not in html_page(record_report(again))
    with pytest.raises(PromptError, match="control tag"):
        target_words(found.model, found.answer, ["<end_of_turn>"], places=["forced"])
