"""Baselines, gaps and a second witness."""

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient
from captum.attr import IntegratedGradients as CaptumIntegratedGradients

from medgemma_dash.methods import Call, get
from medgemma_dash.methods.integrated_gradients import baseline_tokens
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import encodings_of
from tests.methods.running import run, words
from tests.oracles import integrated_gradients as oracle
from tests.random_answers import case, relative_difference

TOLERANCE = 1e-5  # float32 against float64, or float32 summed in another order
BASELINES = ("blurred image", "mean token", "zeros")
some_shapes = pytest.mark.parametrize(
    "shape",
    [
        "six layers, heads 8 on 4",
        "heads 4 on 1, window shorter than the image",
        "pooling 4, no stretched rotary",
    ],
)


def gaps(found, baseline, steps="16"):
    """Of the first three tokens, in one run."""
    targets = words(0, 1, 2)
    return run("integrated_gradients", found, targets, baseline=baseline, steps=steps).gaps


@some_shapes
@pytest.mark.parametrize("name", BASELINES)
def test_baselines_and_gaps_equal_the_oracles(shape, name):
    found = case(shape)
    method, targets = get("integrated_gradients"), words(0, 1, 2)
    options = method.spec.parse({"baseline": name})
    replay = replay_answer(found.model, found.answer)
    ours = baseline_tokens(Call(replay, found.answer, targets, options), name)
    if name != "zeros":
        assert relative_difference(ours, oracle.baseline_of(found, name)) < TOLERANCE
        assert relative_difference(ours, found.features) > 0.05
    _, wanted = oracle.rows_and_gaps(found, targets, options)
    assert gaps(found, name) == pytest.approx(wanted, abs=1e-5)


@some_shapes
@pytest.mark.parametrize("name", ["blurred image", "mean token"])
def test_more_steps_close_the_gap(shape, name):
    means = [np.abs(gaps(case(shape), name, steps)).mean() for steps in ("16", "32", "64")]
    assert means[0] > means[1] > means[2]
    assert means[2] < 0.01


def test_from_zeros_the_gap_stays_because_the_first_norm_takes_the_length_away():
    found = case("six layers, heads 8 on 4")
    assert all(np.abs(gaps(found, "zeros", steps)).min() > 0.1 for steps in ("16", "64"))
    assert "one length" in get("integrated_gradients").spec.options[0].help


@some_shapes
def test_captum_finds_the_same_on_transformers_own_forward(shape):
    found = case(shape)
    model, answer = found.model, found.answer
    start, stop = answer.image_span
    words = replay_answer(model, answer).pieces[0].input.detach()
    features = found.features[None]
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
    cancelling = float(products.abs().sum(-1).max())  # see the oracle's scale
    assert np.abs(ours.row[start:stop] - products.sum(-1).numpy()).max() < TOLERANCE * cancelling


def test_steps_leave_no_replay_behind_and_the_blurred_image_is_encoded_once(monkeypatch):
    found = case("six layers, heads 8 on 4")
    model, answer = found.model, found.answer
    model.image_features.clear()
    explain(model, answer, token=1)
    calls = encodings_of(model, monkeypatch)
    kept = len(model.replays), model.replays.bytes, model.replays.budget_bytes
    for token in (0, 1):
        explain(model, answer, token=token, method="integrated_gradients")
    assert (len(model.replays), model.replays.bytes, model.replays.budget_bytes) == kept
    assert len(calls) == 1
