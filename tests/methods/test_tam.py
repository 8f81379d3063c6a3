"""Token activation maps against their cell by cell rewrite in float64."""

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import CancelledError
from medgemma_dash.core.target import Target
from medgemma_dash.methods import get
from medgemma_dash.methods.tam import rank_gaussian, without_interference
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
from tests.gemma3_factory import radiograph, random_adapter
from tests.models.test_restoring import InterruptAt, Interrupted, state
from tests.oracles import tam as oracle
from tests.random_answers import FORCED, QUESTION, SHAPES, Case, case, relative_difference

TOLERANCE = 1e-5  # float32 against float64: the acceptance's
every_shape = pytest.mark.parametrize("shape", SHAPES)


def rows(found: Case, targets, check=None) -> np.ndarray:
    replay = replay_answer(found.model, found.answer)
    return get("tam").rows(replay, found.answer, targets, (), check).relevance.numpy()


def token_targets(*indices: int) -> list[Target]:
    return [Target("token", (index,), "") for index in indices]


@every_shape
def test_every_token_equals_the_rewrite_cell_by_cell(shape):
    found = case(shape)
    answer = found.answer
    tensor = relevancy_tensor(found.model, answer, method="tam")
    wanted = np.array(
        [
            oracle.tam(
                found.model.hf_model,
                found.forward,
                answer.input_ids,
                answer.image_span,
                token.position,
            )
            for token in answer.tokens
        ]
    )
    assert (wanted.max(1) > 0).sum() >= len(wanted) / 2
    assert relative_difference(tensor, wanted) < TOLERANCE
    for row, oracles in zip(tensor, wanted, strict=True):
        if oracles.max() > 0.05 * wanted.max():  # the rest is what a subtraction left over
            assert relative_difference(row, oracles) < TOLERANCE


@every_shape
def test_a_click_and_a_batch_give_the_same_row(shape):
    found = case(shape)
    together = rows(found, token_targets(4, 0, 2, 2))
    for row, index in zip(together, (4, 0, 2, 2), strict=True):
        assert (row == rows(found, token_targets(index))[0]).all()


def test_a_recomputed_graph_gives_what_a_kept_one_gives():
    model = random_adapter(SHAPES["heads 4 on 1, window shorter than the image"])
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    kept = relevancy_tensor(model, answer, method="tam")
    model.replays.clear()
    model.replays.budget_bytes = 0
    recomputed = relevancy_tensor(model, answer, method="tam")
    assert not replay_answer(model, answer).keeps_graph
    assert relative_difference(recomputed, kept) < TOLERANCE


def test_relevance_lies_on_the_image_alone_and_is_not_negative():
    found = case("heads 4 on 1, window shorter than the image")
    tensor = relevancy_tensor(found.model, found.answer, method="tam")
    start, stop = found.answer.image_span
    assert (tensor >= 0).all()
    assert tensor[:, start:stop].any()
    assert not tensor[:, :start].any()
    assert not tensor[:, stop:].any()


def test_a_map_that_earlier_words_explain_wholly_vanishes():
    own, other = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([3.0, 1.0, 2.0])
    alone = without_interference(own, torch.stack([own * 5], 1), torch.ones(1))
    assert alone.max() < 1e-6
    assert (without_interference(own, torch.stack([other], 1), torch.zeros(1)) == own).all()
    # s = (own . other) / (other . other) = 11 / 14
    rest = without_interference(own, torch.stack([other], 1), torch.ones(1))
    assert rest.tolist() == pytest.approx([0, 2 - 11 / 14, 3 - 22 / 14])


def test_a_word_that_stood_in_the_question_keeps_its_map():
    model = random_adapter(SHAPES["six layers, heads 8 on 4"])
    answer = ask(model, radiograph(), "Yes or no?", force="Yes.")
    said = answer.tokens[0]
    assert said.id in answer.input_ids[: answer.prompt_length]
    assert explain(model, answer, token=0, method="tam").image.any()


@pytest.mark.parametrize("size", [(2, 2), (1, 5), (4, 7), (16, 16)])
@pytest.mark.parametrize("spread", [1e-4, 0.3, 1])
def test_the_filter_equals_its_rewrite(size, spread):
    image = 1 - spread * np.random.default_rng(3).random(size)
    found = rank_gaussian(torch.tensor(image))
    assert relative_difference(found, oracle.rank_gaussian(image)) < 1e-12


def test_the_filter_keeps_what_is_constant_and_removes_a_single_peak():
    assert (rank_gaussian(torch.full((4, 4), 0.1)) == 0.1).all()
    assert (rank_gaussian(torch.zeros(4, 4)) == 0).all()
    peak = torch.ones(5, 5)
    peak[2, 2] = 1.2
    assert rank_gaussian(peak).max() < 1.01
    edge = torch.ones(6, 6)
    edge[:, 3:] = 2
    assert rank_gaussian(edge)[2].tolist() == pytest.approx([1, 1, 1, 2, 2, 2], abs=0.05)


@pytest.mark.parametrize("error", [CancelledError, Interrupted])
def test_an_interruption_anywhere_leaves_the_model_and_chefers_map_as_they_were(error):
    model = random_adapter(SHAPES["six layers, heads 8 on 4"])
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    found = Case(model, answer, None)
    chefer = explain(model, answer, token=1)
    before = state(model)
    targets = token_targets(0, 1, 2)
    counter = InterruptAt(None, error)
    rows(found, targets, counter)
    assert counter.calls == 3
    for place in range(3):
        with pytest.raises(error):
            rows(found, targets, InterruptAt(place, error))
        assert state(model) == before
    assert (explain(model, answer, token=1).row == chefer.row).all()
