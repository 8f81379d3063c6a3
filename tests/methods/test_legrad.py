"""What is particular to LeGrad's two forms."""

from dataclasses import replace

import pytest

from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.asking import ask
from tests.gemma3_factory import radiograph, random_adapter
from tests.methods.running import SIX, phrase, rows, words
from tests.random_answers import FORCED, QUESTION, SHAPES, Case, case, relative_difference

TOLERANCE = 1e-5  # float32 against float64: the acceptance's
every_form = pytest.mark.parametrize("form", ["layer readouts", "final logit"])


def test_only_the_final_logit_tells_summed_logits_from_the_mean_of_maps():
    found = case(SIX)
    tokens = (1, 2, 3)
    before = found.answer.tokens[1].position - 1
    for form, differ in (("layer readouts", False), ("final logit", True)):
        (summed,) = rows("legrad", found, [phrase(*tokens)], form=form, words="summed logits")
        mean = rows("legrad", found, words(*tokens), form=form).mean(0)
        assert (relative_difference(summed[:before], mean[:before]) > 0.05) == differ
        assert not summed[[found.answer.tokens[index].position - 1 for index in tokens]].any()


def test_the_two_forms_agree_in_one_layer_and_differ_in_many():
    one, many = case("one layer"), case(SIX)
    for found, differ in ((one, False), (many, True)):
        readouts, final = (
            rows("legrad", found, words(2), form=form)[0]
            for form in ("layer readouts", "final logit")
        )
        assert (relative_difference(readouts, final) > 0.05) == differ
        assert differ or relative_difference(readouts, final) < TOLERANCE


@every_form
def test_what_no_layer_may_look_at_is_exactly_zero(form):
    model = random_adapter(replace(SHAPES["one layer"], window=12))
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    (row,) = rows("legrad", Case(model, answer, None), words(3), form=form)
    position = answer.tokens[3].position
    assert not row[: position - 12].any()
    assert row[position - 12 : position - 1].any()


@every_form
def test_it_can_be_stopped_in_every_layer(form):
    calls = []
    rows("legrad", case(SIX), words(1), lambda: calls.append(1), form=form)
    assert len(calls) == 6


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
        rows("legrad", found, words(0, 2))
    finally:
        for hook in hooks:
            hook.remove()
    assert seen == [2] * 34
