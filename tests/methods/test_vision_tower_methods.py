"""What is particular to the methods that look into the vision tower."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import MethodError
from medgemma_dash.methods import get
from medgemma_dash.methods.gradcam import grad_cam, layer_index
from medgemma_dash.models.vision_tower import (
    pixel_values,
    vision_activations,
    vision_gradients,
    vision_layers,
)
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import radiograph, random_adapter
from tests.methods.running import SIX, rows, words
from tests.oracles.siglip_float64 import see
from tests.random_answers import QUESTION, SHAPES, case, processed, relative_difference

TOLERANCE = 1e-5  # float32 against float64: the acceptance's
POOLED = "pooling 4, no stretched rotary"
LOG_PROBABILITY = "sum of log-probabilities"
LAYERS = {"last": -1, "second to last": -2, "middle": 1, "first": 0}  # of three
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_layer = pytest.mark.parametrize("layer", LAYERS)


@every_shape
def test_the_hand_written_tower_is_transformers_own(shape):
    found = case(shape, vision_layers=3)
    wanted = torch.cat([tower.soft_tokens for tower in found.towers]).detach()
    assert relative_difference(found.features, wanted) < TOLERANCE


@every_layer
def test_the_way_back_through_a_float64_tower_is_the_hand_written_one(layer):
    model = random_adapter(replace(SHAPES[POOLED], vision_layers=3))
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    model.drop_caches()
    model.hf_model.double()
    tower = see(model.hf_model, processed(model, answer)["pixel_values"])
    g = torch.randn(2, *tower.soft_tokens.shape, dtype=torch.float64)
    place = layer_index(3, layer)
    A = vision_activations(model, answer.radiograph, place)
    assert relative_difference(A, tower.layers[place].detach()) < 1e-12
    for found, one in zip(vision_gradients(model, A, place, g), g, strict=True):
        (wanted,) = torch.autograd.grad(
            tower.soft_tokens, tower.layers[place], one, retain_graph=True
        )
        # The projector's norm computes in float32, whatever the model's numbers.
        assert relative_difference(found, wanted) < 5e-7


def test_by_default_a_phrase_is_the_mean_of_its_tokens_maps():
    found = case(POOLED, vision_layers=3)
    row = explain(found.model, found.answer, span=(1, 4), method="gradcam").row
    maps = rows("gradcam", found, words(1, 2, 3))
    assert relative_difference(row, np.mean(maps, 0)) < TOLERANCE
    summed = explain(
        found.model, found.answer, span=(1, 4), method="gradcam", words=LOG_PROBABILITY
    )
    assert relative_difference(summed.row, row) > 0.05


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


def test_it_can_be_stopped_in_every_layer_of_tower_and_decoder():
    for layer, least in (("last", 3), ("first", 5)):
        found = case(SIX, vision_layers=3)
        found.model.image_features.clear()
        calls = []
        rows("gradcam", found, words(1), lambda calls=calls: calls.append(1), layer=layer)
        assert len(calls) >= 6 + least


def test_a_radiograph_alone_is_encoded_as_in_its_prompt():
    found = case(POOLED)
    ours = pixel_values(found.model, found.answer.radiograph)
    assert (ours == found.pixels).all()


def test_a_callers_gradient_and_inference_modes_make_no_difference():
    model = random_adapter(replace(SHAPES[POOLED], vision_layers=3))
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    with torch.inference_mode():
        inside = explain(model, answer, token=1, method="gradcam", layer="first").row
    assert not vision_activations(model, answer.radiograph, 0).is_inference()
    with torch.no_grad():
        without = explain(model, answer, token=1, method="gradcam", layer="first").row
    outside = explain(model, answer, token=1, method="gradcam", layer="first").row
    assert (inside == outside).all()
    assert (without == outside).all()
