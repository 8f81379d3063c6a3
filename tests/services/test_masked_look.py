"""What is shown at a step of a curve is what the model is given, and what it says to that."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medgemma_dash import faithfulness
from medgemma_dash.core.errors import CancelledError, MethodError
from medgemma_dash.imaging.removal import CellRemoval, on_pixels
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.faithfulness.look import (
    LONGEST_SIDE_PX,
    Step,
    masked_answer,
    masked_picture,
)
from medgemma_dash.services.faithfulness.reading import removed_cells
from tests.oracles.gemma3_float64 import decode
from tests.random_answers import case

SIX = "six layers, heads 8 on 4"


@pytest.fixture(scope="module", params=[1, 2], ids=["one image", "two images"])
def found(request):
    return case(SIX, images=request.param)


@pytest.fixture(scope="module")
def tested(found):
    """A model's own answer, and its record."""
    radiographs = [image.radiograph for image in found.answer.images]
    answer = ask(found.model, radiographs, found.answer.prompt, max_new_tokens=12)
    record = faithfulness(
        found.model, answer, token=1, methods=["rollout"],
        removals=["mean token", "another patient", "mean grey"], sanity=False,
    )  # fmt: skip
    return found.model, answer, record


def asked(model, answer, pixels):
    """What it says about the current image changed in this way."""
    *earlier, image = (one.radiograph for one in answer.images)
    changed = replace(
        image, pixels=pixels, intensities=pixels[..., 0].astype(np.float32), sha256="changed"
    )
    return ask(model, [*earlier, changed], answer.prompt, max_new_tokens=96).text


def test_with_nothing_removed_it_says_what_it_said(tested):
    model, answer, record = tested
    whole = ask(model, [one.radiograph for one in answer.images], answer.prompt, max_new_tokens=96)
    for removal in ("mean token", "another patient", "mean grey"):
        said = masked_answer(
            lambda: model, answer, record, Step("rollout", removal, "deletion", 0.0)
        )
        assert said.text == whole.text
        assert said.same == (said.text == answer.text)
        assert said.cut_off == (whole.stopped == "length")


def test_in_pixel_space_it_answers_to_the_picture_that_is_shown(tested):
    model, answer, record = tested
    step = Step("rollout", "mean grey", "insertion", 0.2)
    pixels = answer.radiograph.pixels
    picture = masked_picture(pixels, record, step)
    assert max(pixels.shape) <= LONGEST_SIDE_PX  # so it is shown as it is
    removed = removed_cells(record, "rollout", "insertion", 0.2)
    np.testing.assert_array_equal(
        picture, CellRemoval(pixels, answer.grid, "mean grey").without(removed)
    )
    if len(answer.images) == 1:
        said = masked_answer(lambda: model, answer, record, step)
        assert said.text == asked(model, answer, picture)


def test_in_token_space_the_covered_cells_are_the_removed_ones(tested):
    _, answer, record = tested
    pixels = answer.radiograph.pixels
    picture = masked_picture(pixels, record, Step("rollout", "mean token", "deletion", 0.3))
    removed = removed_cells(record, "rollout", "deletion", 0.3)
    inside = on_pixels(removed, pixels.shape[:2])
    assert (picture[inside][:, 2] > picture[inside][:, 0]).all()
    np.testing.assert_array_equal(picture[~inside], pixels[~inside])


def test_in_token_space_it_says_what_the_decoder_by_definition_says(tested, found):
    model, answer, record = tested
    said = masked_answer(
        lambda: model, answer, record, Step("rollout", "mean token", "deletion", 1.0)
    )
    means, start = [], 0
    for first, last in answer.image_spans:
        own = found.features[start : start + last - first]
        means.append(own.mean(0, keepdim=True).expand_as(own))
        start += last - first
    ids = answer.input_ids[: answer.prompt_length]
    for _ in range(4):
        with torch.no_grad():
            logits = decode(model.hf_model, ids, torch.cat(means)).logits[-1]
        ids = np.append(ids, int(logits.argmax()))
    text = model.processor.tokenizer.decode(ids[answer.prompt_length :], skip_special_tokens=True)
    assert said.text.startswith(text.rstrip("\ufffd"))


def test_it_stops_when_it_is_told_to_and_refuses_another_answer(tested, found):
    model, answer, record = tested
    step = Step("rollout", "mean token", "deletion", 0.5)

    def stop():
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError, match="Enough"):
        masked_answer(lambda: model, answer, record, step, stop)
    with pytest.raises(MethodError, match="another answer"):
        masked_answer(lambda: model, found.answer, record, step)
