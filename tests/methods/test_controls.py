"""The controls: maps that know nothing of the model."""

import numpy as np
import pytest

from medgemma_dash.core.target import Target
from medgemma_dash.methods import get
from medgemma_dash.metrics.controls import centre_map
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
from tests.gemma3_factory import radiograph, random_adapter
from tests.models.test_restoring import InterruptAt, Interrupted, state
from tests.oracles.centre import centre
from tests.oracles.random import random
from tests.oracles.uniform import uniform
from tests.random_answers import QUESTION, SHAPES, case, relative_difference

WANTED = {
    "random": random,
    "centre": lambda answer, _token: centre(answer),
    "uniform": lambda answer, _token: uniform(answer),
}
TOLERANCE = 1e-6  # float64 rounded to float32
every_control = pytest.mark.parametrize("method", WANTED)


@pytest.mark.parametrize("shape", SHAPES)
@every_control
def test_a_control_equals_its_definition(method, shape):
    found = case(shape)
    tensor = relevancy_tensor(found.model, found.answer, method=method)
    assert tensor.dtype == np.float32
    for index, row in enumerate(tensor):
        assert relative_difference(row, WANTED[method](found.answer, index)) < TOLERANCE
        assert (explain(found.model, found.answer, token=index, method=method).row == row).all()


@every_control
def test_a_control_says_that_it_is_one(method):
    spec = get(method).spec
    assert spec.family == "control"
    assert "control" in spec.title
    assert spec.card.startswith("A control, not an explanation")
    assert spec.per_token == (method == "random")
    assert not spec.signed
    assert not spec.contrastive


@every_control
def test_only_random_differs_from_word_to_word(method):
    found = case("six layers, heads 8 on 4")
    first, second = relevancy_tensor(found.model, found.answer, method=method)[:2]
    assert (first == second).all() == (not get(method).spec.per_token)


def test_random_is_the_same_again_and_another_for_another_answer():
    model = random_adapter(SHAPES["one layer"])
    answers = [ask(model, radiograph(), QUESTION, force=text) for text in ("Yes", "Yes", "No")]
    rows = [explain(model, answer, token=0, method="random").image for answer in answers]
    assert (rows[0] == rows[1]).all()
    assert relative_difference(rows[0], rows[2]) > 0.1


def test_the_centre_control_is_the_prior_that_figures_stand_beside():
    found = case("heads 4 on 1, window shorter than the image")
    image = explain(found.model, found.answer, token=0, method="centre").image
    assert (image == centre_map(found.answer.grid)).all()
    assert np.unravel_index(image.argmax(), image.shape) == (3, 3)  # of 8 x 8


@every_control
def test_a_control_can_be_interrupted_and_leaves_the_model_as_it_was(method):
    found = case("one layer")
    replay = replay_answer(found.model, found.answer)
    before = state(found.model)
    wanted = explain(found.model, found.answer, token=1)
    with pytest.raises(Interrupted):
        get(method).rows(
            replay, found.answer, [Target("token", (0,), "")], (), InterruptAt(0, Interrupted)
        )
    assert state(found.model) == before
    assert (explain(found.model, found.answer, token=1).row == wanted.row).all()
