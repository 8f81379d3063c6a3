"""An explanation says what it explains: a token, a phrase, a span, a contrast, the answer."""

import dataclasses

import numpy as np
import pytest

from medgemma_dash import ask, explain, relevancy_tensor
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.explanation import explanation_from_pandas
from medgemma_dash.methods import available
from medgemma_dash.services.explaining.steps import explain_steps
from medgemma_dash.services.explaining.store import RelevanceStore
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.random_answers import QUESTION
from tests.services.makers import NobodyWaits, finished, same_explanation


def test_image_is_the_rows_soft_tokens_in_reading_order(model, answer):
    found = explain(model, answer, token=1)
    start, stop = answer.image_span
    rows, cols = answer.grid
    assert found.image.dtype == found.row.dtype == found.layers.dtype == np.float32
    assert found.image.shape == (rows, cols)
    assert found.row.shape == answer.input_ids.shape
    assert found.layers.shape == (len(model.layout.layers),)
    assert (found.image == found.row[start:stop].reshape(rows, cols)).all()
    assert ((found.layers > 0) & (found.layers < 1)).all()
    assert not found.signed


def test_an_answer_about_two_images_is_explained_by_a_map_of_each(model):
    films = [radiograph(1), radiograph(2)]
    asked = ask(model, films, QUESTION, force="Yes, there.")
    found = explain(model, asked, span=(0, 2), method="gradcam")
    assert len(found.images) == len(found.fine_images) == 2
    for image, seen in zip(found.images, asked.images, strict=True):
        assert (image == found.row[slice(*seen.span)].reshape(seen.grid)).all()
    assert found.image is found.images[1]
    assert found.fine is found.fine_images[1]
    assert found.provenance.image_sha256s == tuple(film.sha256 for film in films)
    store = RelevanceStore(asked)
    steps = explain_steps(lambda: model, store, found.target, "gradcam", (), NobodyWaits())
    for one in (found, finished(steps)):
        same_explanation(explanation_from_pandas(one.to_pandas()), one)


def test_an_explanation_is_frozen(model, answer):
    found = explain(model, answer, token=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.method = "other"
    with pytest.raises(ValueError, match="read-only"):
        found.row[0] = 1


@pytest.mark.parametrize("method", [spec.name for spec in available()])
def test_a_phrase_a_span_and_the_answer_are_the_mean_of_their_tokens(model, answer, method):
    tensor = relevancy_tensor(model, answer, method=method)
    whole = explain(model, answer, method=method)
    span = explain(model, answer, span=(2, 6), method=method)
    phrase = explain(model, answer, phrase="right lower", method=method)
    close = {"rtol": 0, "atol": 1e-5 * float(tensor.max())}
    assert np.allclose(whole.row, tensor.mean(0), **close)
    assert np.allclose(span.row, tensor[2:6].mean(0), **close)
    assert np.allclose(phrase.row, tensor[list(phrase.target.token_indices)].mean(0), **close)
    assert whole.target.kind == "answer"
    assert "right lower" in phrase.target.text


def test_grad_cam_is_also_there_patch_by_patch_before_it_was_pooled():
    model = random_adapter(Shape(seed=22, image_size=56, vision_layers=2))
    asked = ask(model, radiograph(), QUESTION, force="Yes, there.")
    found = explain(model, asked, span=(0, 2), method="gradcam")
    assert found.image.shape == (4, 4)
    assert found.fine.shape == (8, 8)
    assert found.fine.dtype == np.float32
    assert not found.fine.flags.writeable
    pooled = found.fine.reshape(4, 2, 4, 2).mean((1, 3))
    assert np.allclose(pooled, found.image, rtol=0, atol=1e-6 * found.image.max())
    words = [explain(model, asked, token=index, method="gradcam").fine for index in (0, 1)]
    assert np.allclose(np.mean(words, 0), found.fine, rtol=0, atol=1e-6 * found.fine.max())
    assert explain(model, asked, token=0).fine is None


def test_a_contrast_differs_from_the_token_alone_and_from_its_reverse(model, answer):
    alone = explain(model, answer, token=2).row
    rival = answer.tokens[2].runners_up[0]
    against = explain(model, answer, token=2, against=rival.text)
    assert against.target.against.text.strip() == rival.text.strip()
    assert abs(against.row - alone).max() > 0.01 * alone.max()


def test_a_method_that_cannot_contrast_says_what_to_do_instead(model, answer):
    rival = answer.tokens[2].runners_up[0].text
    with pytest.raises(TargetError, match=r"cannot explain one token.*Explain the word alone"):
        explain(model, answer, token=2, against=rival, method="rollout")


def test_an_answer_that_says_nothing_has_nothing_to_explain(model):
    said = ask(model, radiograph(), QUESTION, max_new_tokens=1)
    model.hf_model.generation_config.eos_token_id = said.tokens[0].id
    try:
        silent = ask(model, radiograph(), QUESTION, max_new_tokens=5)
    finally:
        model.hf_model.generation_config.eos_token_id = [1, 5]
    assert silent.stopped == "end of turn"
    with pytest.raises(TargetError, match="said nothing"):
        explain(model, silent)
    assert explain(model, silent, token=0).row.any()  # its closing token can be explained
