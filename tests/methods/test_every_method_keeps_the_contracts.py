"""Every registered method keeps every contract, and none of it is the service's doing."""

import numpy as np
import pytest
import torch

from medgemma_dash.methods import available, get
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
from tests.gemma3_factory import radiograph, random_adapter
from tests.methods.contracts import CONTRACTS, TOLERANCE, leaves_the_model_as_it_was
from tests.methods.running import SIX, rows, run, words
from tests.random_answers import QUESTION, SHAPES, Case, case

PUSHED = "image pushed back by a text in front"

every_method = pytest.mark.parametrize("name", [spec.name for spec in available()])


@every_method
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)
def test_every_method(name, contract):
    # Integrated gradients runs the model seventeen times for every call.
    quick = name == "integrated_gradients" and contract is not leaves_the_model_as_it_was
    contract(get(name), case("one layer" if quick else SIX, vision_layers=3))


@every_method
def test_recomputing_layers_restores_the_model_too(name):
    recomputing = case(SIX, vision_layers=3, keeps_graph=False)
    leaves_the_model_as_it_was(get(name), recomputing)


@every_method
def test_a_row_of_the_relevancy_tensor_is_the_click(name):
    found = case(PUSHED)
    tensor = relevancy_tensor(found.model, found.answer, method=name)
    assert tensor.shape == (len(found.answer.tokens), len(found.answer.input_ids))
    for token in (0, 3):
        row = explain(found.model, found.answer, token=token, method=name).row
        assert np.abs(tensor[token] - row).max() <= TOLERANCE * np.abs(row).max()


@every_method
def test_a_bfloat16_model_is_explained(name):
    model = random_adapter(SHAPES[SIX])
    model.hf_model.to(torch.bfloat16)
    answer = ask(model, radiograph(), QUESTION, force="Yes, a consolidation.")
    found = rows(name, Case(model, answer, None), words(2))
    assert np.isfinite(found).all()
    assert found.any()


@every_method
def test_each_image_has_its_own_part_of_the_map(name):
    """Every image's cells have relevance, and the order of the images is kept."""
    found = case(PUSHED, vision_layers=3, images=2)
    result = run(name, found, words(*range(len(found.answer.tokens))))
    for image in found.answer.images:
        # Text-to-image attention looks from the last layers alone, which do not reach the prior.
        assert result.rows[:, slice(*image.span)].any() or name == "text_to_image_attention"
    assert len(result.fine) == (2 if name == "gradcam" else 0)
    first, second = (result.rows[:, slice(*image.span)] for image in found.answer.images)
    assert (first == second).all() == (name == "centre" or name == "uniform")
