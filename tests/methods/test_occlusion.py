"""Blocks, batches, and one run for every word."""

import pytest
import torch

from medgemma_dash.methods.occlusion import blocks_of
from medgemma_dash.models import masked_forward
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
from tests.random_answers import SHAPES, case, relative_difference

TOLERANCE = 1e-5  # float32 summed in another order


def test_blocks_cover_every_cell_once_also_where_the_grid_is_no_multiple():
    blocks = blocks_of((5, 3), 2)
    assert blocks.shape == (6, 15)
    assert (blocks.sum(0) == 1).all()
    assert sorted(blocks.sum(1).tolist()) == [1, 2, 2, 2, 4, 4]
    assert blocks[1].reshape(5, 3).nonzero().tolist() == [[0, 2], [1, 2]]


def test_three_by_three_leaves_one_row_and_column_of_a_grid_of_sixteen():
    sizes = blocks_of((16, 16), 3).sum(1).reshape(6, 6)
    assert (sizes[:5, :5] == 9).all()
    assert (sizes[5, :5] == 3).all()
    assert (sizes[:5, 5] == 3).all()
    assert sizes[5, 5] == 1


def test_all_words_come_from_one_run(monkeypatch):
    found = case("six layers, heads 8 on 4")
    layer = found.model.hf_model.model.language_model.layers[0]
    explain(found.model, found.answer, token=1)  # the replay is at hand
    batches = []
    hook = layer.register_forward_hook(lambda _m, _i, output: batches.append(len(output)))
    try:
        relevancy_tensor(found.model, found.answer, method="occlusion")
    finally:
        hook.remove()
    assert sum(batches) == 16 + 1  # one per cell, and one with nothing taken away


def test_the_size_of_the_batches_changes_nothing(monkeypatch):
    found = case("six layers, heads 8 on 4")
    wanted = explain(found.model, found.answer, token=1, method="occlusion").row
    monkeypatch.setattr(masked_forward, "PROCESSOR_BYTES", 1)
    calls = []
    alone = explain(
        found.model, found.answer, token=1, method="occlusion", check=lambda: calls.append(1)
    ).row
    assert len(calls) >= 17 * 6
    assert relative_difference(alone, wanted) < TOLERANCE


@pytest.mark.parametrize("shape", SHAPES)
def test_a_variant_that_masks_nothing_is_the_replay(shape):
    found = case(shape)
    replay = replay_answer(found.model, found.answer)
    tokens = torch.arange(5).tolist()
    row = found.answer.tokens[1].position - 1
    h = replay.pieces[0].input[0, slice(*found.answer.image_span)].detach()
    logits = masked_forward.masked_logits(
        replay,
        found.answer.image_spans,
        torch.zeros(1, len(h), dtype=torch.bool),
        h,
        [(row, token) for token in tokens],
    )
    assert relative_difference(logits[0], replay.logits(row)[tokens]) < TOLERANCE
