"""Methods that attribute to the decoder's inputs, each against its oracle in float64."""

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import CancelledError
from medgemma_dash.core.target import Against, Target
from medgemma_dash.methods import get
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, explain_target, relevancy_tensor
from tests.gemma3_factory import radiograph, random_adapter
from tests.models.test_restoring import InterruptAt, Interrupted, state
from tests.oracles.attnlrp import attnlrp
from tests.oracles.input_x_gradient import input_x_gradient, products
from tests.oracles.integrated_gradients import integrated_gradients
from tests.oracles.occlusion import occlusion
from tests.random_answers import QUESTION, SHAPES, Case, case, relative_difference, soft_tokens

TOLERANCE = 1e-5  # float32 against float64, or float32 summed in another order; the acceptance's


def path_from_the_mean_token(found: Case, terms):
    features = soft_tokens(found.model, found.answer)
    mean = features.mean(0).expand_as(features)
    ids = found.answer.input_ids
    return integrated_gradients(found.model.hf_model, ids, features, mean, terms, 16)[0]


def brute_force(found: Case, terms):
    features = soft_tokens(found.model, found.answer)
    answer = found.answer
    return occlusion(found.model.hf_model, answer.input_ids, features, answer.grid, terms, 2)


VARIANTS = {
    "input_x_gradient": ({}, lambda found, terms: input_x_gradient(found.forward, terms)),
    "attnlrp": (
        {},
        lambda found, terms: attnlrp(found.model.hf_model, found.forward, terms),
    ),
    "integrated_gradients": ({"baseline": "mean token"}, path_from_the_mean_token),
    "occlusion": ({"block": "2x2"}, brute_force),
}
LINEAR_IN_ONE_PASS = ("input_x_gradient", "attnlrp", "integrated_gradients")
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_method = pytest.mark.parametrize("method", VARIANTS)


def difference(method, found, terms, row, wanted) -> float:
    """Largest difference over the largest value, or over what the method has to subtract.

    input_x_gradient: the products h_id g_id cancel in their sum. In a one-layer model they cancel
    altogether, since the norm in front of the attention takes the input's length away: what is
    left has the size of the norm's epsilon.
    occlusion: a drop is a difference of two logits, and each is rounded.
    """
    scale = np.abs(np.asarray(wanted)).max()
    if method == "input_x_gradient":
        scale = max(scale, products(found.forward, terms).abs().sum(-1).max().item())
    if method == "occlusion":
        rows = [row for row, _, _ in terms]
        scale = max(scale, found.forward.logits[rows].detach().abs().max().item())
    return np.abs(np.asarray(row) - np.asarray(wanted)).max() / scale


@every_shape
@every_method
def test_a_token_equals_the_definition_in_float64(shape, method):
    found = case(shape)
    settings, oracle = VARIANTS[method]
    terms = found.terms(-1)
    last = len(found.answer.tokens) - 1
    row = explain(found.model, found.answer, token=last, method=method, **settings).row
    assert difference(method, found, terms, row, oracle(found, terms)) < TOLERANCE


@every_shape
@every_method
def test_a_contrast_equals_the_definition_in_float64(shape, method):
    found = case(shape)
    settings, oracle = VARIANTS[method]
    rival = found.answer.tokens[2].runners_up[0]
    target = Target("token", (2,), "", Against(rival.id, rival.text))
    row = explain_target(found.model, found.answer, target, method=method, settings=settings).row
    terms = found.terms(2, against=rival.id)
    assert difference(method, found, terms, row, oracle(found, terms)) < TOLERANCE


@pytest.mark.parametrize("method", LINEAR_IN_ONE_PASS)
def test_summed_logits_are_the_sum_of_the_maps_up_to_the_first_word(method):
    found = case("six layers, heads 8 on 4")
    settings, oracle = VARIANTS[method]
    summed = explain(
        found.model, found.answer, span=(1, 4), method=method, words="summed logits", **settings
    ).row
    mean = explain(found.model, found.answer, span=(1, 4), method=method, **settings).row
    terms = found.terms(1, 2, 3)
    assert relative_difference(summed, oracle(found, terms)) < TOLERANCE
    before = found.answer.tokens[1].position - 1
    assert relative_difference(summed[:before], 3 * mean[:before]) < TOLERANCE


@every_method
def test_targets_together_equal_targets_one_by_one(method):
    found = case("image pushed back by a text in front")
    chosen = get(method)
    options = chosen.spec.settings(VARIANTS[method][0])
    rival = found.answer.tokens[1].runners_up[0]
    targets = [Target("token", (index,), "") for index in range(4)]
    targets += [Target("token", (1,), "", Against(rival.id, rival.text))]
    replay = replay_answer(found.model, found.answer)
    together = chosen.rows(replay, found.answer, targets, options)
    for index, target in enumerate(targets):
        alone = chosen.rows(replay, found.answer, [target], options)
        assert relative_difference(together.relevance[index], alone.relevance[0]) < TOLERANCE
        if alone.gaps is not None:
            assert together.gaps[index] == pytest.approx(alone.gaps[0], abs=1e-5)


@every_method
def test_row_of_the_relevancy_tensor_equals_the_click_and_ends_before_the_word(method):
    found = case("six layers, heads 8 on 4")
    settings, _ = VARIANTS[method]
    tensor = relevancy_tensor(found.model, found.answer, method=method, **settings)
    assert tensor.dtype == np.float32
    assert tensor.min() < 0 < tensor.max()
    start, stop = found.answer.image_span
    for token, row in zip(found.answer.tokens, tensor, strict=True):
        assert not row[token.position - 1 :].any()
        words = np.delete(row[: token.position - 1], slice(start, stop))
        assert words.any() == (method in ("input_x_gradient", "attnlrp"))
    click = explain(found.model, found.answer, token=1, method=method, **settings).row
    assert relative_difference(tensor[1], click) < TOLERANCE


@every_method
def test_a_recomputed_graph_gives_what_a_kept_one_gives(method):
    model = random_adapter(SHAPES["heads 4 on 1, window shorter than the image"])
    answer = ask(model, radiograph(), QUESTION, force="Yes, a consolidation.")
    settings, _ = VARIANTS[method]
    kept = explain(model, answer, token=2, method=method, **settings)
    assert replay_answer(model, answer).keeps_graph
    model.replays.clear()
    model.replays.budget_bytes = 0
    recomputed = explain(model, answer, token=2, method=method, **settings)
    assert not replay_answer(model, answer).keeps_graph
    assert relative_difference(recomputed.row, kept.row) < TOLERANCE


@every_method
@pytest.mark.parametrize("error", [CancelledError, Interrupted])
def test_an_interruption_leaves_the_model_and_the_next_map_as_they_were(method, error):
    found = case("six layers, heads 8 on 4")
    model, answer = found.model, found.answer
    settings, _ = VARIANTS[method]
    wanted = explain(model, answer, token=1)
    before = (state(model), model.replays.budget_bytes, len(model.replays))
    counter = InterruptAt(None, error)
    explain(model, answer, token=1, method=method, check=counter, **settings)
    assert counter.calls >= len(model.layout.layers)
    for place in (0, 1, counter.calls // 2, counter.calls - 1):
        with pytest.raises(error):
            explain(
                model, answer, token=1, method=method, check=InterruptAt(place, error), **settings
            )
        assert (state(model), model.replays.budget_bytes, len(model.replays)) == before
    assert (explain(model, answer, token=1).row == wanted.row).all()


@every_method
def test_a_caller_without_gradients_gets_the_same(method):
    found = case("six layers, heads 8 on 4")
    settings, _ = VARIANTS[method]
    wanted = explain(found.model, found.answer, token=1, method=method, **settings).row
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            row = explain(found.model, found.answer, token=1, method=method, **settings).row
        assert (row == wanted).all()


@every_method
def test_bfloat16_models_are_explained(method):
    model = random_adapter(SHAPES["six layers, heads 8 on 4"])
    model.hf_model.to(torch.bfloat16)
    answer = ask(model, radiograph(), QUESTION, force="Yes, a consolidation.")
    settings, _ = VARIANTS[method]
    row = explain(model, answer, token=2, method=method, **settings).row
    assert np.isfinite(row).all()
    assert row.any()
