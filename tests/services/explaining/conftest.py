"""A tiny random model and an answer of it."""

import pytest

from medgemma_dash import ask
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.random_answers import QUESTION


@pytest.fixture(scope="package")
def model():
    return random_adapter(Shape(seed=21))


@pytest.fixture(scope="package")
def answer(model):
    return ask(model, radiograph(), QUESTION, force="Yes, in the right lower zone.")
