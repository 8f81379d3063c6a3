"""What each word owes to the image, against the hand-written decoder in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medgemma_dash import evidence
from medgemma_dash.core.errors import CancelledError, ImageError
from medgemma_dash.services.evidence.donors import donors_for
from medgemma_dash.services.evidence.plan import mark_of
from medgemma_dash.services.evidence.run import evidence_steps
from tests.gemma3_factory import radiograph
from tests.oracles.gemma3_float64 import decode
from tests.random_answers import SHAPES, case, soft_tokens

DONORS = [radiograph(seed) for seed in range(20, 25)]
COLUMNS = ["log_probability", "blank", "swapped", "no_image"]


def said(hf_model, ids, features, answer):
    """Float64 log-probabilities of the answer's tokens behind these ids."""
    before = len(ids) - len(answer.tokens)
    with torch.no_grad():
        logits = decode(hf_model, ids, features).logits.log_softmax(-1)
    places = range(before - 1, len(ids) - 1)
    pairs = zip(places, answer.tokens, strict=True)
    return np.array([float(logits[row, token.id]) for row, token in pairs])


def text_only(model, answer):
    """The conversation's ids as transformers' processor writes it without an image."""
    user = [{"type": "text", "text": answer.prompt}]
    prompt = model.processor.apply_chat_template(
        [{"role": "user", "content": user}], add_generation_prompt=True, tokenize=True,
        return_dict=True,
    )["input_ids"]  # fmt: skip
    return [*np.ravel(prompt).tolist(), *(token.id for token in answer.tokens)]


@pytest.mark.parametrize(("shape", "images"), [*((shape, 1) for shape in SHAPES), ("34 layers", 2)])
def test_every_number_is_what_the_decoder_by_definition_gives(shape, images):
    found = case(shape, images=images)
    model, answer = found.model, found.answer
    record = evidence(model, answer, donors=DONORS)
    count = int(np.prod(answer.grid))
    features = [found.features[i * count : (i + 1) * count] for i in range(images)]
    blank = torch.cat([one.mean(0, keepdim=True).expand_as(one) for one in features])
    shown = [soft_tokens(model, answer_about(answer, one)) for one in DONORS]
    swaps = [
        torch.cat([shown[(place + image) % len(shown)] for image in range(images)])
        for place in range(len(shown))
    ]
    by_donor = [said(model.hf_model, answer.input_ids, one, answer) for one in swaps]
    wanted = {
        "log_probability": said(model.hf_model, answer.input_ids, found.features, answer),
        "blank": said(model.hf_model, answer.input_ids, blank, answer),
        "swapped": np.mean(by_donor, 0),
        "no_image": said(model.hf_model, text_only(model, answer), found.features[:0], answer),
    }
    words = record.tables["words"]
    for name in COLUMNS:
        # Float32 over up to 34 layers; the numbers are of some nats.
        np.testing.assert_allclose(words[name], wanted[name], rtol=2e-4, atol=2e-4, err_msg=name)
    np.testing.assert_array_equal(words["image_effect"], words["log_probability"] - words["blank"])
    each = record.tables["swaps"]["log_probability"].to_numpy().reshape(len(DONORS), -1)
    np.testing.assert_allclose(each, by_donor, rtol=2e-4, atol=2e-4)
    cells = found.cells
    access = [
        sum(bool(visible[token.position - 1, cells].any()) for visible in found.forward.visible)
        for token in answer.tokens
    ]
    assert words["layers_with_access"].tolist() == access


def answer_about(answer, radiograph):
    """The answer as if it had been about another radiograph alone."""
    return replace(answer, images=(replace(answer.images[0], radiograph=radiograph),))


def test_the_answers_numbers_follow_from_its_tokens():
    found = case("six layers, heads 8 on 4")
    record = evidence(found.model, found.answer, donors=DONORS)
    words, answer = record.tables["words"], found.answer
    texts = ["".join(t.text for t in answer.tokens[a:b]).strip().lower() for a, b in answer.words]
    assert texts == ["yes", ",", "in", "the", "right", "lower", "zone", "."]
    content = [
        words["image_effect"][a:b].sum()
        for (a, b), text in zip(answer.words, texts, strict=True)
        if text in {"yes", "right", "lower", "zone"}
    ]
    whole = record.tables["answer"].iloc[0]
    assert whole["content_words"] == 4
    assert whole["mean_image_effect"] == pytest.approx(np.mean(content), abs=1e-12)
    said_tokens = words[~words["special"]]
    assert whole["log_probability_variance"] == pytest.approx(
        np.var(said_tokens["log_probability"]), abs=1e-12
    )
    gap = (said_tokens["log_probability"] - said_tokens["no_image"]).abs().mean()
    assert whole["evidence_magnitude"] == pytest.approx(gap, abs=1e-12)
    assert record.plan["asked"]["answer"] == answer.text
    assert record.plan["donors"] == tuple(one.sha256 for one in DONORS)


@pytest.mark.parametrize(
    ("losses", "mark"),
    [
        ((0.0, 0.0, 0.0), "language prior"),
        ((-3.0, 0.09, 0.0), "language prior"),
        ((0.0, 0.0, 0.1), "in part"),
        ((0.99, 0.0, 0.0), "in part"),
        ((0.0, 1.0, 0.0), "needs the image"),
    ],
)
def test_a_word_is_marked_by_the_most_that_it_loses(losses, mark):
    assert mark_of(losses) == mark


def test_a_words_tokens_are_marked_together():
    found = case("six layers, heads 8 on 4")
    words = evidence(found.model, found.answer, donors=DONORS).tables["words"]
    for start, stop in found.answer.units:
        part = words[start:stop]
        sums = part[["blank", "swapped", "no_image"]].sum()
        assert part["word"].nunique() == 1
        assert set(part["mark"]) == {mark_of(list(part["log_probability"].sum() - sums))}


def test_donors_are_other_radiographs_and_enough_of_them():
    answer = case("six layers, heads 8 on 4").answer
    own = answer.radiograph
    assert own.sha256 not in {one.sha256 for one in donors_for(answer, [own, *DONORS])}
    for few in ([own, *DONORS[:4]], [*DONORS[:4], DONORS[0]]):
        with pytest.raises(ImageError, match="4 other radiographs"):
            donors_for(answer, few)
    shipped = donors_for(answer)
    assert len({one.sha256 for one in shipped}) == 5


def test_it_goes_on_run_by_run_counts_them_and_stops_when_told_to():
    found = case("six layers, heads 8 on 4")
    told = []
    steps = evidence_steps(
        lambda: found.model,
        found.answer,
        donors_for(found.answer, DONORS),
        progress=lambda done, total: told.append((done, total)),
    )
    runs = sum(1 for _ in steps)
    assert runs == 7
    assert told == [(done, 8) for done in range(9)]

    def stop():
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError, match="Enough"):
        evidence(found.model, found.answer, donors=DONORS, check=stop)


def test_what_the_demo_model_owes_to_the_image(demo_model):
    """The finding's side is seen; what stands between is language."""
    from medgemma_dash import ask, load_radiograph
    from medgemma_dash.core.resources import resource

    film = load_radiograph(resource("assets", "samples", "consolidation-right-lower.png"))
    answer = ask(demo_model, film, "Is there evidence of pneumonia in this chest radiograph?")
    words = evidence(demo_model, answer).tables["words"]
    marks = dict(zip(words["text"].str.strip(), words["mark"], strict=True))
    assert marks["right"] == marks["lower"] == "needs the image"
    assert marks["zone"] == marks["the"] == "language prior"
