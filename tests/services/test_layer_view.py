"""The view of a phrase is the mean of its tokens' views; its parts add up."""

import numpy as np
import pytest

from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.explain import explain
from medgemma_dash.services.layers.view import attention_of, layer_view
from tests.random_answers import case, relative_difference


@pytest.fixture(scope="module")
def found():
    return case("image pushed back by a text in front")


def test_a_span_is_the_mean_of_its_tokens(found):
    together = layer_view(found.model, found.answer, Target("span", (1, 2), ""))
    alone = [layer_view(found.model, found.answer, Target("token", (i,), "")) for i in (1, 2)]
    for name in ("attention", "weighted", "gathered"):
        mean = np.mean([getattr(one, name) for one in alone], axis=0)
        assert relative_difference(getattr(together, name), mean) < 1e-5


def test_shares_and_maps_are_parts_of_the_rows(found):
    view = layer_view(found.model, found.answer, Target("token", (2,), ""))
    result = explain(found.model, found.answer, token=2)
    assert relative_difference(view.image_shares.mean(1), result.layers) < 1e-5
    assert relative_difference(view.gathered_map(0), result.image) < 1e-5
    assert 0 < view.weighted_shares.sum() < 1
    every_cell = list(np.ndindex(*view.grids[0]))
    whole = view.layers_on_cells(every_cell)
    ((start, stop),) = view.image_spans
    np.testing.assert_allclose(whole, view.weighted[:, :, start:stop].mean(1).sum(1), rtol=1e-5)
    mean = np.mean([view.head_map(1, h, weighted=False) for h in range(8)], axis=0)
    assert relative_difference(view.head_map(1, None, weighted=False), mean) < 1e-5


def test_attention_of_any_position_sums_to_one(found):
    for position in (0, found.answer.image_span[0] + 1, len(found.answer.input_ids) - 1):
        attention = attention_of(found.model, found.answer, position, lambda: None)
        assert attention.shape[2] == len(found.answer.input_ids)
        np.testing.assert_allclose(attention.sum(-1), 1, rtol=1e-5)
