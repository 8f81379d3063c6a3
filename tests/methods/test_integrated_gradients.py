"""Baselines, gaps and a second witness."""

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient
from captum.attr import IntegratedGradients as CaptumIntegratedGradients

from medgemma_dash.core.target import Target
from medgemma_dash.methods import get
from medgemma_dash.methods.integrated_gradients import baseline_tokens
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.explain import explain
from tests.oracles.integrated_gradients import blurred, integrated_gradients
from tests.random_answers import case, processed, relative_difference, soft_tokens

TOLERANCE = 1e-5  # as in test_input_attribution
BASELINES = ("blurred image", "mean token", "zeros")
some_shapes = pytest.mark.parametrize(
    "shape",
    [
        "six layers, heads 8 on 4",
        "heads 4 on 1, window shorter than the image",
        "pooling 4, no stretched rotary",
    ],
)


def wanted_baseline(found, name):
    features = soft_tokens(found.model, found.answer)
    if name == "zeros":
        return torch.zeros_like(features)
    if name == "mean token":
        return features.mean(0).expand_as(features)
    layout = found.model.layout
    pixels = processed(found.model, found.answer)["pixel_values"]
    soft = blurred(pixels, layout.image_size / layout.grid[1])
    with torch.no_grad():
        return found.model.hf_model.get_image_features(soft.float()).pooler_output[0]


def absolute_gaps(found, baseline, steps):
    """Of the first three tokens, in one run."""
    method = get("integrated_gradients")
    options = method.spec.settings({"baseline": baseline, "steps": steps})
    targets = [Target("token", (index,), "") for index in range(3)]
    replay = replay_answer(found.model, found.answer)
    return np.abs(method.rows(replay, found.answer, targets, options).gaps)


@some_shapes
@pytest.mark.parametrize("name", BASELINES)
def test_baselines_rows_and_gaps_equal_the_oracles(shape, name):
    found = case(shape)
    model, answer = found.model, found.answer
    features, baseline = soft_tokens(model, answer), wanted_baseline(found, name)
    h = replay_answer(model, answer).pieces[0].input[0, slice(*answer.image_span)].detach()
    ours = baseline_tokens(model, answer, h, name)
    if name != "zeros":
        assert relative_difference(ours, baseline) < TOLERANCE
        assert relative_difference(ours, features) > 0.05
    result = explain(model, answer, token=1, method="integrated_gradients", baseline=name)
    row, gap = integrated_gradients(
        model.hf_model, answer.input_ids, features, baseline, found.terms(1), 16
    )
    assert relative_difference(result.row, row) < TOLERANCE
    assert result.completeness_gap == pytest.approx(gap, abs=1e-5)


@some_shapes
@pytest.mark.parametrize("name", ["blurred image", "mean token"])
def test_more_steps_close_the_gap(shape, name):
    gaps = [np.mean(absolute_gaps(case(shape), name, steps)) for steps in ("16", "32", "64")]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.01


def test_from_zeros_the_gap_stays_because_the_first_norm_takes_the_length_away():
    found = case("six layers, heads 8 on 4")
    assert all(min(absolute_gaps(found, "zeros", steps)) > 0.1 for steps in ("16", "64"))
    assert "one length" in get("integrated_gradients").spec.controls[0].help


@some_shapes
def test_captum_finds_the_same_on_transformers_own_forward(shape):
    found = case(shape)
    model, answer = found.model, found.answer
    start, stop = answer.image_span
    words = replay_answer(model, answer).pieces[0].input.detach()
    features = soft_tokens(model, answer)[None]
    types = torch.zeros(1, len(answer.input_ids), dtype=torch.long)
    types[:, start:stop] = 1
    token = answer.tokens[2]

    def z(soft):
        batch = len(soft)
        embeddings = torch.cat(
            [words[:, :start].expand(batch, -1, -1), soft, words[:, stop:].expand(batch, -1, -1)], 1
        )
        logits = model.hf_model(
            inputs_embeds=embeddings, token_type_ids=types.expand(batch, -1), use_cache=False
        ).logits
        return logits[:, token.position - 1, token.id]

    mean = features.mean(1, keepdim=True).expand_as(features)
    found_by_captum, gap = CaptumIntegratedGradients(z).attribute(
        features, mean, n_steps=32, method="riemann_middle", return_convergence_delta=True
    )
    ours = explain(
        model, answer, token=2, method="integrated_gradients", baseline="mean token", steps="32"
    )
    # Both sides in float32.
    row = found_by_captum[0].sum(-1).detach()
    assert relative_difference(ours.row[start:stop], row) < 2 * TOLERANCE
    assert ours.completeness_gap == pytest.approx(float(gap), abs=1e-5)

    products = InputXGradient(z).attribute(features.clone().requires_grad_())[0].detach()
    ours = explain(model, answer, token=2, method="input_x_gradient")
    cancelling = float(products.abs().sum(-1).max())  # see test_input_attribution.difference
    assert np.abs(ours.row[start:stop] - products.sum(-1).numpy()).max() < TOLERANCE * cancelling


def test_steps_leave_no_replay_behind_and_the_blurred_image_is_encoded_once(monkeypatch):
    found = case("six layers, heads 8 on 4")
    model, answer = found.model, found.answer
    model.image_features.clear()
    explain(model, answer, token=1)
    calls = []
    original = model.hf_model.get_image_features
    monkeypatch.setattr(
        model.hf_model,
        "get_image_features",
        lambda *a, **k: (calls.append(1), original(*a, **k))[1],
    )
    kept = len(model.replays), model.replays.bytes, model.replays.budget_bytes
    for token in (0, 1):
        explain(model, answer, token=token, method="integrated_gradients")
    assert (len(model.replays), model.replays.bytes, model.replays.budget_bytes) == kept
    assert len(calls) == 1
