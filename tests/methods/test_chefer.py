"""What is particular to Chefer relevance, and the random models that all methods are tested on."""

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import CancelledError, MethodError, NoExplanationError
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.methods.running import SIX, SLIDING, phrase, rows, words
from tests.oracles import chefer_matrices as oracle
from tests.oracles.target import z_of
from tests.random_answers import (
    FORCED,
    QUESTION,
    SHAPES,
    Case,
    case,
    full_forward,
    relative_difference,
    transformers_forward,
)

TOLERANCE = 1e-5  # float32 against float64, or float32 summed in another order; the acceptance's

VARIANTS = {
    "chefer": ("chefer", {}),
    "chefer, max": ("chefer", {"heads": "max"}),
    "chefer, gradient-weighted": ("chefer", {"heads": "gradient-weighted"}),
    "chefer_normalized": ("chefer_normalized", {}),
    "chefer_global": ("chefer_global", {}),
    "chefer_global, normalised": ("chefer_global", {"form": "normalised"}),
}
every_shape = pytest.mark.parametrize("shape", SHAPES)
every_variant = pytest.mark.parametrize("variant", VARIANTS)


@every_variant
def test_a_span_is_the_mean_of_its_tokens_rows_unless_logits_are_summed(variant):
    found = case(SIX)
    method, options = VARIANTS[variant]
    apart = rows(method, found, words(1, 2, 3), **options)
    mean = explain(found.model, found.answer, span=(1, 4), method=method, **options).row
    assert relative_difference(mean, apart.mean(0)) < TOLERANCE
    options = options | {"words": "summed logits"}
    summed = explain(found.model, found.answer, span=(1, 4), method=method, **options).row
    (row,) = rows(method, found, [phrase(1, 2, 3)], **options)
    assert (summed == row).all()
    assert relative_difference(mean, summed) > 0.01


@every_shape
def test_the_random_models_put_the_engine_to_the_test(shape):
    """Uniform attention, or gradients of one sign, would let wrong code pass."""
    found = case(shape)
    z = found.forward.logits[found.answer.prompt_length - 1, found.answer.tokens[0].id]
    gradients = torch.autograd.grad(z, found.forward.attentions, retain_graph=True)
    for A, dA, visible in zip(
        found.forward.attentions, gradients, found.forward.visible, strict=True
    ):
        peak_over_uniform = (A.amax(-1) * visible.sum(-1)).mean()
        assert peak_over_uniform > 2
        product = (dA * A)[:, found.answer.prompt_length - 1]
        assert 0.1 < (product[product != 0] > 0).double().mean() < 0.9
    first, *others = (oracle.chefer(found.forward, found.terms(i)) for i in range(3))
    assert all(relative_difference(first, other) > 0.05 for other in others)


@pytest.mark.parametrize("shape", [n for n in SHAPES if "window" in n or "pushed" in n])
def test_some_shapes_reach_beyond_the_window(shape):
    found = case(shape)
    sizes = {int(mask.sum()) for mask in found.forward.visible}
    assert len(sizes) == 2
    assert len(found.answer.input_ids) > found.model.layout.sliding_window


def test_heads_and_shapes_cover_what_the_architecture_allows():
    shapes = SHAPES.values()
    assert {1, 34} <= {shape.layers for shape in shapes}
    assert {(8, 4), (4, 4), (4, 1)} <= {shape.heads for shape in shapes}
    assert all(shape.head_dim * shape.heads[0] != shape.hidden for shape in shapes)
    assert any(shape.window < shape.soft_tokens for shape in shapes)
    starts = {case(name).answer.image_span[0] for name in SHAPES}
    assert min(starts) == 5
    assert max(starts) > 20


def test_a_recomputed_graph_takes_a_fifth_of_a_kept_ones_memory():
    kept, recomputed = (case(SLIDING, keeps_graph=keeps) for keeps in (True, False))
    replays = [replay_answer(found.model, found.answer) for found in (kept, recomputed)]
    assert [replay.keeps_graph for replay in replays] == [True, False]
    assert replays[1].bytes < replays[0].bytes / 5
    layers = [explain(found.model, found.answer, token=2).layers for found in (kept, recomputed)]
    assert relative_difference(layers[1], layers[0]) < TOLERANCE


@every_variant
def test_later_words_do_not_change_an_earlier_words_row(variant):
    found = case(SIX)
    method, options = VARIANTS[variant]
    other = ask(
        found.model, radiograph(), QUESTION, force="Yes, in the left upper zone, with an effusion"
    )
    same = 0
    while found.answer.tokens[same].id == other.tokens[same].id:
        same += 1
    assert 0 < same < len(found.answer.tokens)
    for index in range(same + 1):  # the first that differs is predicted from what is the same
        before = explain(
            found.model, found.answer, token=index, against="zon", method=method, **options
        )
        after = explain(found.model, other, token=index, against="zon", method=method, **options)
        place = found.answer.tokens[index].position
        if index < same:
            assert relative_difference(after.row[:place], before.row[:place]) < TOLERANCE
        else:
            assert relative_difference(after.row[:place], before.row[:place]) > 0.01


@every_shape
def test_layer_bars_equal_the_share_of_eager_attention(shape):
    found = case(shape)
    _, output = transformers_forward(found.model, found.answer, "eager")
    start, stop = found.answer.image_span
    predicting = found.answer.tokens[3].position - 1
    wanted = [A[0, :, predicting, start:stop].sum(-1).mean() for A in output.attentions]
    layers = explain(found.model, found.answer, token=3).layers
    assert relative_difference(layers, torch.stack(wanted).detach()) < TOLERANCE
    whole = explain(found.model, found.answer).layers
    every = range(found.answer.prompt_length - 1, len(found.answer.input_ids) - 1)
    wanted = [A[0][:, every, start:stop].sum(-1).mean() for A in output.attentions]
    assert relative_difference(whole, torch.stack(wanted).detach()) < TOLERANCE


def test_bfloat16_loses_no_more_than_the_model_itself_does_in_bfloat16():
    """The model computes in bfloat16; the engine keeps A, dA and r in float32.

    So it may not be further from the truth (float64 on the same, rounded weights) than the
    textbook way in bfloat16, but for luck: half as much again. Both stay below 0.15 of the largest
    value: 8 bits are 2^-9 relative rounding, the residual stream and its gradient are rounded
    about ten times per layer and direction, independent errors add as the root of their number,
    and random weights multiply each by a few: 2^-9 x sqrt(2 x 10 x 6 layers) x 7 = 0.15.
    """
    model = random_adapter(SHAPES[SIX])
    model.hf_model.to(torch.bfloat16)
    answer = ask(model, radiograph(), QUESTION, force=FORCED)
    found = Case(model, answer, full_forward(model, answer))
    _, output = transformers_forward(model, answer, "eager")
    ours, textbook = [], []
    for index in range(len(answer.tokens)):
        terms = found.terms(index)
        wanted = oracle.chefer(found.forward, terms)
        z = z_of(output.logits[0], terms)
        gradients = torch.autograd.grad(z, output.attentions, retain_graph=True)
        R = torch.eye(len(wanted))
        for A, dA in zip(output.attentions, gradients, strict=True):
            R = R + (A[0].float() * dA[0].float()).clamp_min(0).mean(0).detach() @ R
        ours.append(relative_difference(explain(model, answer, token=index).row, wanted))
        textbook.append(relative_difference(oracle.predicting_row(R, terms), wanted))
    assert max(ours) < 0.15
    assert np.mean(ours) < 1.5 * np.mean(textbook)


def test_progress_counts_every_token_and_cancelling_stops_it():
    found = case(SIX)
    seen = []
    relevancy_tensor(found.model, found.answer, progress=lambda *counts: seen.append(counts))
    total = len(found.answer.tokens)
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)

    def stop() -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        relevancy_tensor(found.model, found.answer, check=stop)


def test_check_is_called_in_every_layer_of_a_click():
    found = case("34 layers")
    calls = []
    explain(found.model, found.answer, token=1, check=lambda: calls.append(1))
    assert len(calls) >= 34


def test_a_model_without_global_layers_has_no_global_explanation():
    found = case("one layer")
    with pytest.raises(NoExplanationError, match="Chefer, global layers"):
        explain(found.model, found.answer, token=0, method="chefer_global")


def test_unknown_methods_and_options_are_refused_by_name():
    found = case("one layer")
    with pytest.raises(MethodError, match="chefer, chefer_global, chefer_normalized"):
        explain(found.model, found.answer, token=0, method="cheffer")
    with pytest.raises(MethodError, match=r"no option 'head'.*heads, words"):
        explain(found.model, found.answer, token=0, head="max")
    with pytest.raises(MethodError, match=r"'median'.*mean, max, gradient-weighted"):
        explain(found.model, found.answer, token=0, heads="median")


def test_a_vanished_gradient_is_no_explanation_rather_than_an_empty_map():
    model = random_adapter(Shape(layers=2, seed=9))
    with torch.no_grad():
        for layer in model.hf_model.model.language_model.layers:
            layer.post_attention_layernorm.weight.fill_(-1)  # 1 + w = 0: attention reaches nothing
    answer = ask(model, radiograph(), QUESTION, force="Yes")
    for method in ("chefer", "chefer_normalized"):
        with pytest.raises(NoExplanationError, match="no relevance"):
            explain(model, answer, token=0, method=method)
