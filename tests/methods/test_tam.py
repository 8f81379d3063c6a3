"""The parts that a token activation map is made of."""

import numpy as np
import pytest
import torch

from medgemma_dash.methods.tam import rank_gaussian, without_interference
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import radiograph, random_adapter
from tests.methods.running import SIX, rows, words
from tests.oracles import tam as oracle
from tests.random_answers import SHAPES, case, relative_difference


@pytest.mark.parametrize("shape", SHAPES)
def test_most_words_have_a_map_and_a_batch_changes_nothing(shape):
    found = case(shape)
    every = rows("tam", found, words(*range(len(found.answer.tokens))))
    assert (every.max(1) > 0).sum() >= len(every) / 2
    for index, row in enumerate(every):
        assert (rows("tam", found, words(index))[0] == row).all()


def test_a_map_that_earlier_words_explain_wholly_vanishes():
    own, other = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([3.0, 1.0, 2.0])
    alone = without_interference(own, torch.stack([own * 5], 1), torch.ones(1))
    assert alone.max() < 1e-6
    assert (without_interference(own, torch.stack([other], 1), torch.zeros(1)) == own).all()
    # s = (own . other) / (other . other) = 11 / 14
    rest = without_interference(own, torch.stack([other], 1), torch.ones(1))
    assert rest.tolist() == pytest.approx([0, 2 - 11 / 14, 3 - 22 / 14])


def test_a_word_that_stood_in_the_question_keeps_its_map():
    model = random_adapter(SHAPES[SIX])
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


def test_it_can_be_stopped_before_every_word():
    calls = []
    rows("tam", case(SIX), words(0, 1, 2), lambda: calls.append(1))
    assert len(calls) == 3
