"""The controls: maps that know nothing of the model."""

import numpy as np
import pytest

from medgemma_dash.methods import get
from medgemma_dash.metrics.controls import centre_map
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import radiograph, random_adapter
from tests.random_answers import QUESTION, SHAPES, case, relative_difference

every_control = pytest.mark.parametrize("method", ["random", "centre", "uniform"])


@every_control
def test_a_control_says_that_it_is_one(method):
    spec = get(method).spec
    assert spec.family == "control"
    assert "control" in spec.title
    assert spec.card.startswith("A control, not an explanation")
    assert spec.per_token == (method == "random")
    assert not spec.signed
    assert not spec.contrastive


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
