"""What is the text-to-image block's alone: the image, the last five rows, the weighted layers."""

import numpy as np

from tests.methods.test_attention_methods import TOLERANCE, rows
from tests.random_answers import SHAPES, case, relative_difference


def test_text_to_image_attention_shows_the_image_alone():
    for shape in SHAPES:
        found = case(shape)
        start, stop = found.answer.image_span
        for row in rows(found, "text_to_image_attention", [0, 4]):
            assert not row[:start].any()
            assert not row[stop:].any()


def test_the_first_word_has_one_row_and_the_second_the_mean_of_two():
    found = case("six layers, heads 8 on 4")
    span = slice(*found.answer.image_span)
    seen = [row[span] for row in rows(found, "raw_attention", range(7))]
    shown = [row[span] for row in rows(found, "text_to_image_attention", range(7))]
    for index in range(7):
        mean = np.mean(seen[max(0, index - 4) : index + 1], 0)
        assert relative_difference(shown[index], mean) < TOLERANCE


def test_the_last_three_layers_count_one_two_and_three_sixths():
    found = case("34 layers")
    span = slice(*found.answer.image_span)
    row = found.answer.tokens[0].position - 1
    A = [found.forward.attentions[layer].detach().mean(0)[row, span] for layer in (-3, -2, -1)]
    (shown,) = rows(found, "text_to_image_attention", [0], {"layers": "last three"})
    mixed = (1 * A[0] + 2 * A[1] + 3 * A[2]) / 6
    assert relative_difference(shown[span], mixed.numpy()) < TOLERANCE
