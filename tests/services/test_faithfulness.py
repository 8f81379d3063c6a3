"""Scores of masked images against the model asked plainly."""

import numpy as np
import pytest
import torch

from medgemma_dash.core.target import Target
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.explain import explain
from medgemma_dash.services.faithfulness.scoring import (
    VARIANTS_AT_ONCE_ON_PROCESSORS,
    faithfulness_of,
    faithfulness_steps,
    target_score,
)
from tests.oracles.gemma3_float64 import decode
from tests.random_answers import SHAPES, case


@pytest.mark.parametrize("shape", SHAPES)
def test_removing_nothing_scores_what_the_answer_was_given(shape):
    found = case(shape)
    target = Target("span", (1, 2), "")
    masks = np.zeros((2, np.prod(found.answer.grid)), np.bool_)
    masks[1] = True
    score = target_score(found.model, found.answer, target, masks)
    given = sum(np.log(found.answer.tokens[i].probability) for i in (1, 2))
    assert score[0] == pytest.approx(given, rel=1e-4)
    assert score[1] != pytest.approx(given, rel=1e-3)


def test_scores_do_not_depend_on_how_masks_are_batched():
    found = case("six layers, heads 8 on 4")
    generator = np.random.default_rng(0)
    masks = generator.random((5, np.prod(found.answer.grid))) < 0.5
    target = Target("token", (2,), "")
    together = target_score(found.model, found.answer, target, masks)
    alone = [target_score(found.model, found.answer, target, masks[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(together, alone, rtol=1e-4)


def test_soft_tokens_of_all_images_are_removed_each_for_the_mean_of_its_own():
    found = case("six layers, heads 8 on 4", images=2)
    answer, target = found.answer, Target("token", (1,), "")
    cells = [np.prod(image.grid) for image in answer.images]
    of_first = np.arange(sum(cells)) < cells[0]
    masks = np.stack([of_first, ~of_first, of_first | True])
    score = target_score(found.model, answer, target, masks)
    with pytest.raises(ValueError, match="soft tokens; the images have"):
        target_score(found.model, answer, target, masks[:, : cells[0]])
    for removed, given in zip(masks, score, strict=True):
        soft = found.features.clone()
        for part in (of_first, ~of_first):
            soft[torch.from_numpy(part & removed)] = found.features[torch.from_numpy(part)].mean(0)
        logits = decode(found.model.hf_model, answer.input_ids, soft).logits.detach()
        row = logits[answer.tokens[1].position - 1].log_softmax(-1)
        assert given == pytest.approx(float(row[answer.tokens[1].id]), rel=1e-4)


def test_an_earlier_images_cells_are_ranked_with_the_current_ones():
    found = case("six layers, heads 8 on 4", images=2)
    result = explain(found.model, found.answer, token=1)
    spans = [result.row[slice(*image.span)] for image in found.answer.images]
    assert np.array_equal(result.cells, np.concatenate(spans))
    first = np.zeros(len(result.cells), np.float32)
    count = round(0.2 * len(first))
    first[:count] = 1
    everything = faithfulness_of(found.model, found.answer, result.target, [first, result.cells])
    removed = np.zeros((1, len(first)), np.bool_)
    removed[0, :count] = True
    score = target_score(found.model, found.answer, result.target, removed)[0]
    lost = everything.p - np.exp(score)
    assert everything.maps[0].comprehensiveness == pytest.approx(lost, abs=1e-6)
    assert len(everything.random) == 10


def test_the_table_has_every_map_and_leaves_the_model_as_it_was():
    found = case("six layers, heads 8 on 4")
    before = explain(found.model, found.answer, token=2)
    table = faithfulness_of(found.model, found.answer, before.target, [before.image] * 2)
    assert table.maps[0] == table.maps[1]
    assert len(table.random) == 10
    after = explain(found.model, found.answer, token=2)
    assert np.array_equal(before.row, after.row)
    assert replay_answer(found.model, found.answer).keeps_graph


def test_in_steps_it_gives_the_same_table_and_lets_others_in_after_every_few_variants():
    found = case("six layers, heads 8 on 4")
    before = explain(found.model, found.answer, token=2)
    images = [before.image, -before.image]
    counted: list[tuple[int, int]] = []
    steps = faithfulness_steps(
        lambda: found.model,
        found.answer,
        before.target,
        images,
        lambda: None,
        lambda *so_far: counted.append(so_far),
    )
    turns = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            table = end.value
            break
        turns += 1
    variants = 2 + 2 * (len(images) + len(table.random))
    assert turns == -(-variants // VARIANTS_AT_ONCE_ON_PROCESSORS) - 1
    assert counted[0] == (0, variants)
    assert counted[-1] == (variants, variants)
    whole = faithfulness_of(found.model, found.answer, before.target, images)
    assert table.p == pytest.approx(whole.p, rel=1e-4)
    for one, other in zip(table.maps + table.random, whole.maps + whole.random, strict=True):
        # Batches of another size multiply in another order.
        assert one.comprehensiveness == pytest.approx(other.comprehensiveness, abs=1e-5)
        assert one.sufficiency == pytest.approx(other.sufficiency, abs=1e-5)
