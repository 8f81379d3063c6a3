"""Whatever the method and wherever it is interrupted, the model and the next map stay the same."""

import numpy as np
import pytest
import torch

from medgemma_dash.core.target import Target
from medgemma_dash.methods import available, get
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.models.test_restoring import InterruptAt, Interrupted, state
from tests.random_answers import QUESTION

MOST_PLACES = 5

every_method = pytest.mark.parametrize("name", [spec.name for spec in available()])


@pytest.fixture(params=["graph kept", "layers recomputed"])
def answered(request):
    """A model, its answer, and the state and the Chefer row that have to stay."""
    model = random_adapter(Shape(seed=31, vision_layers=2))
    if request.param == "layers recomputed":
        model.replays.budget_bytes = 0
    answer = ask(model, radiograph(), QUESTION, force="Yes, there.")
    return model, answer, state(model), explain(model, answer, token=1).row


def run(model, answer, name: str, check=None) -> np.ndarray:
    """The rows of two tokens, with nothing kept of the image or of an earlier run."""
    model.image_features.clear()
    method = get(name)
    targets = [Target("token", (index,), "") for index in (1, 2)]
    with model.lock:
        replay = replay_answer(model, answer)
        return method.rows(
            replay, answer, targets, method.spec.settings({}), check
        ).relevance.numpy()


@every_method
def test_a_method_that_ends_leaves_the_model_as_it_was(answered, name):
    model, answer, before, chefer = answered
    first = run(model, answer, name)
    assert state(model) == before
    assert (explain(model, answer, token=1).row == chefer).all()
    assert (run(model, answer, name) == first).all()


@every_method
def test_a_method_interrupted_anywhere_leaves_the_model_as_it_was(answered, name):
    model, answer, before, chefer = answered
    counter = InterruptAt(None, Interrupted)
    whole = run(model, answer, name, counter)
    assert counter.calls >= 1
    places = np.unique(np.linspace(0, counter.calls - 1, MOST_PLACES).astype(int))
    for place in places.tolist():
        with pytest.raises(Interrupted):
            run(model, answer, name, InterruptAt(place, Interrupted))
        assert state(model) == before
    assert (explain(model, answer, token=1).row == chefer).all()
    assert (run(model, answer, name) == whole).all()


@every_method
@pytest.mark.parametrize("part", ["decoder", "vision tower"])
def test_a_method_that_fails_inside_a_layer_leaves_the_model_as_it_was(answered, name, part):
    """As a lack of memory would, where no check stands; methods that run no layer just end."""
    model, answer, before, chefer = answered
    inner = model.hf_model.model
    layers = inner.language_model.layers if part == "decoder" else inner.vision_tower.encoder.layers
    replay_answer(model, answer)

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("no memory")

    hook = layers[1].mlp.register_forward_hook(fail)
    try:
        run(model, answer, name)
    except torch.OutOfMemoryError:
        pass
    finally:
        hook.remove()
    assert state(model) == before
    assert (explain(model, answer, token=1).row == chefer).all()
