"""LeGrad against autograd's gradients by full attention matrices, in float64."""

from dataclasses import replace

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
from tests.oracles.legrad import legrad
from tests.random_answers import FORCED, QUESTION, SHAPES, Case, case, relative_difference

TOLERANCE = 1e-5  # float32 against float64: the acceptance's
SLIDING = "heads 4 on 1, window shorter than the image"
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_form = pytest.mark.parametrize("form", ["layer readouts", "final logit"])


def rows(found: Case, targets, form: str, check=None) -> np.ndarray:
    method = get("legrad")
    options = method.spec.settings({"form": form})
    replay = replay_answer(found.model, found.answer)
    return method.rows(replay, found.answer, targets, options, check).relevance.numpy()


def token_targets(*indices: int) -> list[Target]:
    return [Target("token", (index,), "") for index in indices]


@every_shape
@every_form
@pytest.mark.parametrize("token", [0, -1])
def test_a_click_equals_autograd_by_the_full_matrices(shape, form, token):
    found = case(shape)
    row = explain(found.model, found.answer, token=token, method="legrad", form=form).row
    wanted = legrad(found.forward, found.model.hf_model, found.terms(token), form)
    assert relative_difference(row, wanted) < TOLERANCE


@every_shape
@every_form
def test_a_contrast_equals_the_gradient_of_the_logit_difference(shape, form):
    found = case(shape)
    rival = found.answer.tokens[2].runners_up[0]
    target = Target("token", (2,), "", Against(rival.id, rival.text))
    row = explain_target(
        found.model, found.answer, target, method="legrad", settings={"form": form}
    ).row
    terms = found.terms(2, against=rival.id)
    assert relative_difference(row, legrad(found.forward, found.model.hf_model, terms, form)) < (
        TOLERANCE
    )


@every_shape
@every_form
def test_a_phrase_by_its_summed_logits_equals_the_gradient_of_their_sum(shape, form):
    found = case(shape)
    row = explain(
        found.model, found.answer, span=(1, 4), method="legrad", form=form, words="summed logits"
    ).row
    wanted = legrad(found.forward, found.model.hf_model, found.terms(1, 2, 3), form)
    assert relative_difference(row, wanted) < TOLERANCE


def test_only_the_final_logit_tells_summed_logits_from_the_mean_of_maps():
    found = case("six layers, heads 8 on 4")
    tokens = (1, 2, 3)
    before = found.answer.tokens[1].position - 1
    for form, differ in (("layer readouts", False), ("final logit", True)):
        (summed,) = rows(found, [Target("span", tokens, "")], form)
        mean = rows(found, token_targets(*tokens), form).mean(0)
        assert (relative_difference(summed[:before], mean[:before]) > 0.05) == differ
        assert not summed[[found.answer.tokens[index].position - 1 for index in tokens]].any()


@every_shape
@every_form
def test_targets_in_one_run_equal_targets_one_by_one(shape, form):
    found = case(shape)
    rival = found.answer.tokens[1].runners_up[0]
    targets = [*token_targets(4, 0, 1, 1), Target("token", (1,), "", Against(rival.id, rival.text))]
    for row, target in zip(rows(found, targets, form), targets, strict=True):
        assert relative_difference(row, rows(found, [target], form)[0]) < TOLERANCE


@every_form
def test_a_recomputed_graph_gives_what_a_kept_one_gives(form):
    model = random_adapter(SHAPES[SLIDING])
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    kept = explain(model, answer, token=2, method="legrad", form=form)
    model.replays.clear()
    model.replays.budget_bytes = 0
    recomputed = explain(model, answer, token=2, method="legrad", form=form)
    assert not replay_answer(model, answer).keeps_graph
    assert relative_difference(recomputed.row, kept.row) < TOLERANCE


@every_form
def test_row_of_the_relevancy_tensor_equals_the_click(form):
    found = case("image pushed back by a text in front")
    tensor = relevancy_tensor(found.model, found.answer, method="legrad", form=form)
    for index, token in enumerate(found.answer.tokens):
        click = explain(found.model, found.answer, token=index, method="legrad", form=form)
        assert relative_difference(tensor[index], click.row) < TOLERANCE
        assert tensor[index, : token.position - 1].any()
        assert not tensor[index, token.position - 1 :].any()
        assert (tensor[index] >= 0).all()


def test_the_two_forms_agree_in_one_layer_and_differ_in_many():
    one, many = case("one layer"), case("six layers, heads 8 on 4")
    for found, differ in ((one, False), (many, True)):
        readouts, final = (
            rows(found, token_targets(2), form)[0] for form in ("layer readouts", "final logit")
        )
        assert (relative_difference(readouts, final) > 0.05) == differ
        assert differ or relative_difference(readouts, final) < TOLERANCE


@every_form
def test_what_no_layer_may_look_at_is_exactly_zero(form):
    model = random_adapter(replace(SHAPES["one layer"], window=12))
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    (row,) = rows(Case(model, answer, None), token_targets(3), form)
    position = answer.tokens[3].position
    assert not row[: position - 12].any()
    assert row[position - 12 : position - 1].any()


@pytest.mark.parametrize("error", [CancelledError, Interrupted])
@pytest.mark.parametrize("budget", [None, 0])
@every_form
def test_an_interruption_anywhere_leaves_the_model_and_chefers_map_as_they_were(
    form, budget, error
):
    model = random_adapter(SHAPES["six layers, heads 8 on 4"])
    answer = ask(model, radiograph(), QUESTION, force="Yes.")
    chefer = explain(model, answer, token=1)
    if budget is not None:
        model.replays.clear()
        model.replays.budget_bytes = budget
    before = state(model)
    replay_answer(model, answer)
    found = Case(model, answer, None)
    counter = InterruptAt(None, error)
    rows(found, token_targets(1), form, counter)
    assert state(model) == before
    assert counter.calls == 6
    for place in range(6):
        with pytest.raises(error):
            rows(found, token_targets(1), form, InterruptAt(place, error))
        assert state(model) == before
    if budget is None:
        assert (explain(model, answer, token=1).row == chefer.row).all()


@every_form
def test_a_callers_gradient_and_inference_modes_make_no_difference(form):
    found = case("six layers, heads 8 on 4")
    outside = rows(found, token_targets(1), form)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert (rows(found, token_targets(1), form) == outside).all()


def test_a_layer_runs_again_at_the_targets_rows_alone():
    found = case("34 layers")
    layers = found.model.hf_model.model.language_model.layers
    replay_answer(found.model, found.answer)
    seen = []
    hooks = [
        layer.mlp.register_forward_hook(lambda *call: seen.append(call[1][0].shape[1]))
        for layer in layers
    ]
    try:
        rows(found, token_targets(0, 2), "layer readouts")
    finally:
        for hook in hooks:
            hook.remove()
    assert seen == [2] * 34
