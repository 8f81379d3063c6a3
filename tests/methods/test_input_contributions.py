"""Methods that are linear in the logit."""

import numpy as np
import pytest

from tests.methods.running import SIX, phrase, rows, words
from tests.random_answers import case, relative_difference

TOLERANCE = 1e-5  # float32 summed in another order
LINEAR = {"input_x_gradient": {}, "attnlrp": {}, "integrated_gradients": {"baseline": "mean token"}}


@pytest.mark.parametrize("method", LINEAR)
def test_summed_logits_are_the_sum_of_the_maps_up_to_the_first_word(method):
    found = case(SIX)
    given = LINEAR[method]
    (summed,) = rows(method, found, [phrase(1, 2, 3)], words="summed logits", **given)
    apart = rows(method, found, words(1, 2, 3), **given)
    before = found.answer.tokens[1].position - 1
    assert relative_difference(summed[:before], apart.sum(0)[:before]) < TOLERANCE


@pytest.mark.parametrize(
    ("method", "off_the_image"),
    [
        ("input_x_gradient", True),
        ("attnlrp", True),
        ("integrated_gradients", False),
        ("occlusion", False),
        ("text_to_image_attention", False),
        ("tam", False),
        ("gradcam", False),
        ("activation_norm", False),
    ],
)
def test_words_have_relevance_only_where_the_method_looks_at_them(method, off_the_image):
    found = case(SIX)
    every = rows(method, found, words(*range(len(found.answer.tokens))))
    assert np.delete(every, found.cells, 1).any() == off_the_image
    assert every[:, found.cells].any()
