"""What is particular to the methods that need no gradient."""

import numpy as np
import pytest

from medgemma_dash.core.errors import MethodError
from medgemma_dash.models import attention, streaming_backward
from medgemma_dash.services.explaining.explain import explain
from tests.methods.running import SIX, SLIDING, rows, words
from tests.random_answers import case, relative_difference

TOLERANCE = 1e-5  # float32 against float64: the acceptance's


def test_what_lies_outside_the_window_is_exactly_zero():
    found = case(SLIDING)
    token = found.answer.tokens[3]
    outside = np.arange(token.position - found.model.layout.sliding_window)
    assert outside.size > found.answer.image_span[0]  # it cuts the image
    for layer in ("last", "first"):  # both slide
        (row,) = rows("raw_attention", found, words(3), layer=layer)
        assert not row[outside].any()
        assert row[outside.size : token.position - 1].all()
    (row,) = rows("raw_attention", found, words(3), layer="last global")
    assert row[: token.position - 1].all()


def test_rollout_reaches_beyond_the_window_by_way_of_other_positions():
    found = case("heads 4 on 4, four soft tokens, sequence longer than the window")
    (row,) = rows("rollout", found, words(3))
    assert row[: found.answer.tokens[3].position - 1].all()


def test_rollout_keeps_a_share_of_two_to_the_minus_layers_in_place_and_loses_nothing():
    found = case("one layer")
    (row,) = rows("rollout", found, words(2))
    predicting = found.answer.tokens[2].position - 1
    own = found.forward.attentions[0].detach().mean(0)[predicting, predicting]
    assert row.sum() == pytest.approx(1 - float(0.5 + 0.5 * own), abs=1e-6)


def test_only_rollout_forms_whole_attention_maps_and_only_in_blocks(monkeypatch):
    found = case("34 layers")
    asked = []
    weights = attention.attention_weights

    def counted(record, places):
        result = weights(record, places)
        asked.append(result.shape[1])
        return result

    for module in ("attention_rows", "rollout"):
        monkeypatch.setattr(f"medgemma_dash.methods.{module}.attention_weights", counted)
    for method, most in (
        ("raw_attention", 1),
        ("direct_attention", 34),
        ("text_to_image_attention", 5),
        ("rollout", 34 * len(found.answer.input_ids)),
    ):
        asked.clear()
        rows(method, found, words(len(found.answer.tokens) - 1))
        assert sum(asked) <= most
        assert max(asked) <= streaming_backward.MOST_PROCESSOR_ROWS


def test_rollout_and_direct_attention_can_be_stopped_in_every_layer():
    found = case(SIX)
    for method in ("rollout", "direct_attention"):
        calls = []
        rows(method, found, words(1), lambda calls=calls: calls.append(1))
        assert len(calls) >= 6


@pytest.mark.parametrize(
    ("shape", "method", "given", "message"),
    [
        ("one layer", "raw_attention", {"layer": "last global"}, "no global layer"),
        ("one layer", "direct_attention", {"layers": "global"}, "no global layer"),
        (SIX, "raw_attention", {"layer": "6"}, "no layer 6. Allowed: 0 to 5"),
        (SIX, "raw_attention", {"heads": "8"}, "no head 8. Allowed: 0 to 7"),
        (SIX, "direct_attention", {"layers": "0,4-7"}, "no layer 7. Allowed: 0 to 5"),
    ],
)
def test_a_layer_or_head_that_the_model_lacks_is_refused_with_those_it_has(
    shape, method, given, message
):
    found = case(shape)
    with pytest.raises(MethodError, match=message):
        explain(found.model, found.answer, token=0, method=method, **given)


def test_the_first_word_has_one_row_and_the_second_the_mean_of_two():
    found = case(SIX)
    seen = rows("raw_attention", found, words(*range(7)))[:, found.cells]
    shown = rows("text_to_image_attention", found, words(*range(7)))[:, found.cells]
    for index in range(7):
        mean = np.mean(seen[max(0, index - 4) : index + 1], 0)
        assert relative_difference(shown[index], mean) < TOLERANCE


def test_the_last_three_layers_count_one_two_and_three_sixths():
    found = case("34 layers")
    row = found.answer.tokens[0].position - 1
    A = [
        found.forward.attentions[layer].detach().mean(0)[row, found.cells] for layer in (-3, -2, -1)
    ]
    (shown,) = rows("text_to_image_attention", found, words(0), layers="last three")
    mixed = (1 * A[0] + 2 * A[1] + 3 * A[2]) / 6
    assert relative_difference(shown[found.cells], mixed.numpy()) < TOLERANCE
