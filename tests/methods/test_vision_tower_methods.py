"""Grad-CAM and the activation norm against the hand-written float64 tower and decoder."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import CancelledError, MethodError
from medgemma_dash.core.target import Against, Target
from medgemma_dash.methods import get
from medgemma_dash.methods.gradcam import grad_cam, layer_index
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.vision_tower import vision_activations, vision_gradients, vision_layers
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, explain_target, relevancy_tensor
from tests.gemma3_factory import radiograph, random_adapter
from tests.models.test_restoring import InterruptAt, Interrupted, state
from tests.oracles.activation_norm import activation_norm
from tests.oracles.gemma3_float64 import decode
from tests.oracles.gradcam import gradcam
from tests.oracles.siglip_float64 import see
from tests.random_answers import (
    FORCED,
    QUESTION,
    SHAPES,
    Case,
    processed,
    relative_difference,
    soft_tokens,
)

TOLERANCE = 1e-5  # float32 against float64: the acceptance's
POOLED = "pooling 4, no stretched rotary"
LOG_PROBABILITY = "sum of log-probabilities"
LAYERS = {"last": -1, "second to last": -2, "middle": 1, "first": 0}  # of three
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_layer = pytest.mark.parametrize("layer", LAYERS)


@cache
def seen(shape: str):
    """A case whose tower has three layers, and the float64 tower beside it."""
    model = random_adapter(replace(SHAPES[shape], vision_layers=3))
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    tower = see(model.hf_model, processed(model, answer)["pixel_values"])
    forward = decode(model.hf_model, answer.input_ids, tower.soft_tokens)
    return Case(model, answer, forward), tower


def error(row, shape: str, terms, layer: str, **options) -> float:
    """Largest difference from the oracle, over the largest sum of |alpha_k A_ik| of a place.

    The signed sum can be a fiftieth of it, with as many times the relative rounding: random towers
    have channels that cancel, and no float32 gradient would do better.
    """
    found, tower = seen(shape)
    span = found.answer.image_span
    wanted, amount = gradcam(tower, found.forward, span, terms, LAYERS[layer], **options)
    assert wanted.max() > 1e-3 * amount
    return float(np.abs(row - wanted.numpy()).max() / amount)


def rows(found: Case, targets, check=None, **settings) -> np.ndarray:
    method = get("gradcam")
    options = method.spec.settings(settings)
    replay = replay_answer(found.model, found.answer)
    return method.rows(replay, found.answer, targets, options, check).relevance.numpy()


@every_shape
def test_the_hand_written_tower_is_transformers_own(shape):
    found, tower = seen(shape)
    features = soft_tokens(found.model, found.answer)
    assert relative_difference(features, tower.soft_tokens.detach()) < TOLERANCE


@every_layer
def test_the_way_back_through_a_float64_tower_is_the_hand_written_one(layer):
    model = random_adapter(replace(SHAPES[POOLED], vision_layers=3))
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    model.drop_caches()
    model.hf_model.double()
    tower = see(model.hf_model, processed(model, answer)["pixel_values"])
    g = torch.randn(2, *tower.soft_tokens.shape, dtype=torch.float64)
    place = layer_index(3, layer)
    A = vision_activations(model, answer, place)
    assert relative_difference(A, tower.layers[place].detach()) < 1e-12
    for found, one in zip(vision_gradients(model, A, place, g), g, strict=True):
        (wanted,) = torch.autograd.grad(
            tower.soft_tokens, tower.layers[place], one, retain_graph=True
        )
        # The projector's norm computes in float32, whatever the model's numbers.
        assert relative_difference(found, wanted) < 5e-7


@every_shape
@every_layer
@pytest.mark.parametrize("token", [0, -1])
def test_a_click_equals_autograd_through_tower_and_decoder(shape, layer, token):
    found, _ = seen(shape)
    row = explain(found.model, found.answer, token=token, method="gradcam", layer=layer).row
    assert error(row, shape, found.terms(token), layer) < TOLERANCE


@every_shape
@every_layer
def test_a_phrase_equals_the_gradient_of_its_log_probability(shape, layer):
    found, _ = seen(shape)
    settings = {"layer": layer, "words": LOG_PROBABILITY}
    row = explain(found.model, found.answer, span=(1, 4), method="gradcam", **settings).row
    terms = found.terms(1, 2, 3)
    assert error(row, shape, terms, layer, log_probability=True) < TOLERANCE


def test_by_default_a_phrase_is_the_mean_of_its_tokens_maps():
    found, _ = seen(POOLED)
    row = explain(found.model, found.answer, span=(1, 4), method="gradcam").row
    maps = rows(found, [Target("token", (token,), "") for token in (1, 2, 3)])
    assert relative_difference(row, np.mean(maps, 0)) < TOLERANCE
    summed = explain(
        found.model, found.answer, span=(1, 4), method="gradcam", words=LOG_PROBABILITY
    )
    assert relative_difference(summed.row, row) > 0.05


@every_shape
@pytest.mark.parametrize("words", ["mean of maps", LOG_PROBABILITY])
def test_a_contrast_equals_the_gradient_of_the_logit_difference(shape, words):
    found, _ = seen(shape)
    rival = found.answer.tokens[2].runners_up[0]
    target = Target("token", (2,), "", Against(rival.id, rival.text))
    settings = {"words": words}
    row = explain_target(found.model, found.answer, target, method="gradcam", settings=settings).row
    assert error(row, shape, found.terms(2, against=rival.id), "last") < TOLERANCE


@every_layer
def test_targets_in_one_run_equal_targets_one_by_one(layer):
    found, _ = seen(POOLED)
    rival = found.answer.tokens[1].runners_up[0]
    targets = [Target("token", (index,), "") for index in (4, 0, 1, 1)]
    targets.append(Target("token", (1,), "", Against(rival.id, rival.text)))
    together = rows(found, targets, layer=layer)
    for row, target in zip(together, targets, strict=True):
        assert relative_difference(row, rows(found, [target], layer=layer)[0]) < TOLERANCE


def test_a_recomputed_graph_gives_what_a_kept_one_gives():
    model = random_adapter(SHAPES[POOLED])
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    kept = explain(model, answer, token=2, method="gradcam")
    model.drop_caches()
    model.replays.budget_bytes = 0
    recomputed = explain(model, answer, token=2, method="gradcam")
    assert not replay_answer(model, answer).keeps_graph
    assert relative_difference(recomputed.row, kept.row) < TOLERANCE


@pytest.mark.parametrize("method", ["gradcam", "activation_norm"])
def test_relevance_lies_on_the_image_alone_and_is_not_negative(method):
    found, _ = seen(POOLED)
    tensor = relevancy_tensor(found.model, found.answer, method=method)
    start, stop = found.answer.image_span
    assert (tensor >= 0).all()
    assert tensor[:, start:stop].any()
    assert not tensor[:, :start].any()
    assert not tensor[:, stop:].any()


def test_the_grad_cam_of_the_paper_on_a_small_network_of_known_weights():
    """Two channels of 2 x 2 places; the score is linear in them, so dA is its weights."""
    A = torch.tensor([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0], [0.0, 0.0]])
    dA = torch.tensor([[[4.0, -1.0], [0.0, -1.0], [0.0, -1.0], [0.0, -1.0]]])
    # alpha = (1, -1); the weighted sums are -1, -1, 3, 0.
    assert grad_cam(A, dA).tolist() == [[0.0, 0.0, 3.0, 0.0]]


@pytest.mark.parametrize(("layers", "places"), [(27, (26, 25, 13, 0)), (3, (2, 1, 1, 0))])
def test_the_layer_is_chosen_by_the_towers_depth(layers, places):
    assert tuple(layer_index(layers, choice) for choice in LAYERS) == places


def test_a_tower_of_one_layer_has_no_second_to_last():
    model = random_adapter(SHAPES["one layer"])
    assert vision_layers(model) == 1
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    assert explain(model, answer, token=0, method="gradcam", layer="middle").image.any()
    with pytest.raises(MethodError, match="single layer"):
        explain(model, answer, token=0, method="gradcam", layer="second to last")


@every_shape
def test_the_activation_norm_equals_its_definition_for_every_token(shape):
    found, tower = seen(shape)
    tensor = relevancy_tensor(found.model, found.answer, method="activation_norm")
    length = len(found.answer.input_ids)
    row = activation_norm(tower, found.answer.image_span, length)
    assert relative_difference(tensor[0], row) < TOLERANCE
    assert (tensor == tensor[0]).all()


def test_the_activation_norm_says_that_it_is_the_same_for_every_word():
    spec = get("activation_norm").spec
    assert not spec.per_token
    assert spec.card.startswith("The same map for every word")


def test_the_tower_runs_once_for_a_radiograph_and_layer():
    model = random_adapter(replace(SHAPES[POOLED], vision_layers=3))
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    calls = []
    hook = model.hf_model.model.vision_tower.encoder.layers[0].register_forward_hook(
        lambda *_: calls.append(1)
    )
    try:
        for token in (0, 1):
            explain(model, answer, token=token, method="gradcam")
            explain(model, answer, token=token, method="activation_norm")
    finally:
        hook.remove()
    assert len(calls) == 1


@pytest.mark.parametrize("error", [CancelledError, Interrupted])
@pytest.mark.parametrize("layer", ["last", "first"])
def test_an_interruption_anywhere_leaves_the_model_and_chefers_map_as_they_were(layer, error):
    model = random_adapter(replace(SHAPES["six layers, heads 8 on 4"], vision_layers=3))
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    chefer = explain(model, answer, token=1)
    before = state(model)
    targets = [Target("token", (1,), "")]

    def run(check) -> np.ndarray:
        for key in [key for key in model.image_features.keys() if "layer" in key]:  # noqa: SIM118
            model.image_features.forget(key)
        return rows(Case(model, answer, None), targets, check, layer=layer)

    counter = InterruptAt(None, error)
    uninterrupted = run(counter)
    assert state(model) == before
    assert counter.calls >= 6 + {"last": 3, "first": 5}[layer]
    for place in range(counter.calls):
        with pytest.raises(error):
            run(InterruptAt(place, error))
        assert state(model) == before
    assert (run(None) == uninterrupted).all()
    assert (explain(model, answer, token=1).row == chefer.row).all()


def test_a_callers_gradient_and_inference_modes_make_no_difference():
    model = random_adapter(replace(SHAPES[POOLED], vision_layers=3))
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    with torch.inference_mode():
        inside = explain(model, answer, token=1, method="gradcam", layer="first").row
    assert not vision_activations(model, answer, 0).is_inference()
    with torch.no_grad():
        without = explain(model, answer, token=1, method="gradcam", layer="first").row
    outside = explain(model, answer, token=1, method="gradcam", layer="first").row
    assert (inside == outside).all()
    assert (without == outside).all()
