"""Replay and generation are the same function, and the fidelity record notices when not.

REPLAYED_RADIOGRAPHS=200 replays that many radiographs of the demo model (6 otherwise).
"""

import os
from hashlib import sha256

import numpy as np
import pytest
import torch

from medgemma_dash.core.radiograph import Laterality, Radiograph, Window
from medgemma_dash.demo.radiographs import synthesize
from medgemma_dash.models import replay_forward
from medgemma_dash.models.fidelity import FidelityMeter
from medgemma_dash.services.explaining.asking import ask
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.random_answers import QUESTION, SHAPES

FIRST_UNSEEN_SEED = 10_000_000
QUESTIONS = (
    "Is there evidence of consolidation?",
    "Describe this chest X-ray.",
    "Can you see any signs of fluid around the lungs in this X-ray?",
    "Where is the nodule?",
)


def synthetic_radiograph(seed: int) -> Radiograph:
    pixels = np.repeat(synthesize(seed).pixels[..., None], 3, axis=2)
    return Radiograph(
        pixels=pixels,
        sha256=sha256(pixels.tobytes()).hexdigest(),
        spacing_mm=None,
        laterality=Laterality("left", "synthetic"),
        intensities=pixels[..., 0].astype(np.float32),
        windows=(Window("full", 128.0, 256.0),),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_replay_argmax_equals_the_generated_tokens(shape):
    model = random_adapter(SHAPES[shape])
    answer = ask(model, radiograph(3), QUESTION, max_new_tokens=12)
    assert answer.fidelity.exact
    assert answer.fidelity.mismatches == ()
    assert answer.fidelity.max_logit_difference < 1e-4


def test_replay_argmax_equals_the_generated_tokens_on_radiographs(demo_model):
    count = int(os.environ.get("REPLAYED_RADIOGRAPHS", "6"))
    tokens, largest, inexact = 0, 0.0, []
    for number in range(count):
        seed = FIRST_UNSEEN_SEED + number
        question = QUESTIONS[number % len(QUESTIONS)]
        answer = ask(demo_model, synthetic_radiograph(seed), question, max_new_tokens=48)
        tokens += len(answer.tokens)
        largest = max(largest, answer.fidelity.max_logit_difference)
        if not answer.fidelity.exact:
            inexact.append(seed)
    print(f"{count} radiographs, {tokens} tokens, largest difference {largest:.1e}")  # noqa: T201
    assert inexact == []
    assert tokens >= count
    assert largest < 1e-3


def test_fidelity_notices_a_replay_in_which_the_image_became_causal(monkeypatch):
    model = random_adapter(SHAPES["heads 4 on 1, window shorter than the image"])
    faithful = ask(model, radiograph(), QUESTION, max_new_tokens=8).fidelity

    embed = replay_forward.embed

    def without_token_types(*arguments):
        embeddings, token_types = embed(*arguments)
        return embeddings, torch.zeros_like(token_types)

    monkeypatch.setattr(replay_forward, "embed", without_token_types)
    wrong = ask(model, radiograph(), QUESTION, max_new_tokens=8).fidelity
    assert faithful.exact
    assert faithful.max_logit_difference < 1e-4
    assert wrong.max_logit_difference > 0.01
    assert not wrong.exact
    assert wrong.mismatches


def test_fidelity_names_the_tokens_that_differ():
    said = torch.tensor([4, 1, 2])
    replayed = torch.zeros(3, 6)
    replayed[[0, 1, 2], [4, 3, 2]] = 1.0
    generated = [row.clone() for row in replayed]
    generated[2][5] = -0.5
    meter = FidelityMeter()
    for token, now, then in zip(said.tolist(), replayed, generated, strict=True):
        meter.compare(token, now, then)
    measured = meter.fidelity
    assert not measured.exact
    assert measured.mismatches == (1,)
    assert measured.max_logit_difference == 0.5


def test_a_forced_answer_was_never_generated_so_has_no_logit_difference():
    model = random_adapter(Shape(layers=2))
    answer = ask(model, radiograph(), QUESTION, force="Yes, in the right lower zone.")
    assert answer.forced
    assert answer.stopped == "forced"
    assert answer.fidelity.max_logit_difference is None
    assert answer.fidelity.mismatches  # a random model would not have said it
