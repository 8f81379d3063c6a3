"""Training: what is kept when backgrounds are swapped and when layers are added."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from medgemma_dash.demo.architecture import build_model, deepen
from medgemma_dash.demo.dataset import IGNORED, Example, KnownLesion, make_example
from medgemma_dash.demo.decoder_training import DecoderSettings
from medgemma_dash.demo.dialogues import every_text
from medgemma_dash.demo.questions import FINDINGS
from medgemma_dash.demo.tokenizer import build_tokenizer
from medgemma_dash.demo.train import TrainingSettings, train
from medgemma_dash.demo.transplants import lesion_cells, transplant
from medgemma_dash.demo.vision_training import VisionSettings
from medgemma_dash.models.processor import quick_products


def test_patch_labels_agree_with_the_findings() -> None:
    for seed in range(6):
        example = make_example(seed)
        named = {finding.name for finding in example.findings}
        assert int((example.shown == 1).any(axis=0).sum()) == len(named)
        assert set(np.unique(example.side)) == {IGNORED, 0, 1}
        assert set(np.unique(example.zone)) == {IGNORED, 0, 1, 2}


def picture(name: str, patch: int) -> Example:
    """A picture of which only one lesion is known."""
    shown = np.zeros((256, 5), np.int8)
    shown[patch, FINDINGS.index(name)] = 1
    nowhere = np.full(256, IGNORED, np.int64)
    return Example(
        np.zeros((224, 224), np.uint8), shown, nowhere, nowhere, (KnownLesion(name, "left", ""),)
    )


@pytest.mark.parametrize(
    ("other", "comes_along"),
    [
        (picture("pneumothorax", 200), True),
        (picture("nodule", 200), False),  # another lesion of the same name: which one is meant?
        (picture("pneumothorax", 19), False),  # it touches the picture's own
    ],
)
def test_a_mixed_picture_shows_what_it_is_said_to_show(other: Example, comes_along: bool) -> None:
    examples = [picture("nodule", 17), other]
    lesions = lesion_cells(np.stack([example.shown for example in examples]))
    features = torch.stack([torch.zeros(256, 4), torch.ones(256, 4)])
    own = np.zeros(50, np.int64)
    mixtures = transplant(examples, lesions, own, 1.0, np.random.default_rng(0))
    mixed = [mixture for mixture in mixtures if mixture.other == 1]
    assert mixed
    for mixture in mixed:
        patches = mixture.of(features)[:, 0].bool()
        assert not patches[lesions[0]].any()
        assert patches.any()  # the other's background
        assert patches[lesions[1]].any() == comes_along
        names = {finding.name for finding in mixture.findings}
        assert names == ({"nodule", "pneumothorax"} if comes_along else {"nodule"})
    alone = transplant(examples, lesions, own, 0.0, np.random.default_rng(0))
    assert not any(mixture.of(features).any() for mixture in alone)


def test_a_deeper_model_starts_near_the_shallow_one() -> None:
    tokenizer = build_tokenizer(every_text())
    shallow = build_model(tokenizer, seed=0, decoder_layers=6)
    deep = deepen(shallow, tokenizer, 12)
    ids = tokenizer("Is there evidence of pneumonia?", return_tensors="pt").input_ids
    with torch.inference_mode():
        before, after = shallow(input_ids=ids).logits, deep(input_ids=ids).logits
    assert deep.config.text_config.num_hidden_layers == 12
    assert torch.corrcoef(torch.stack([before.flatten(), after.flatten()]))[0, 1] > 0.9


def test_a_whole_run_writes_a_checkpoint_folder(tmp_path: Path) -> None:
    short = DecoderSettings(steps=1, batch=2, dialogues=2)
    lines: list[str] = []
    settings = TrainingSettings(
        pictures=12,
        processes=1,
        decoder_layers=7,
        evaluation_pictures=1,
        vision=VisionSettings(steps=1, batch=2),
        shallow=short,
        deep=short,
    )
    train(tmp_path, settings, lines.append)
    written = {path.name for path in tmp_path.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= written
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| technical |" in card
    assert "<!-- grounding -->" in card
    assert "no medical device" in " ".join(card.split())
    assert json.loads((tmp_path / "config.json").read_text())["medgemma_dash_demo"] is True
    assert any("patches right" in line for line in lines)


@pytest.mark.parametrize(
    ("capability", "quick"), [("AVX2", torch.float32), ("AVX512", torch.bfloat16)]
)
def test_training_multiplies_in_bfloat16_only_where_the_processor_can(
    monkeypatch: pytest.MonkeyPatch, capability: str, quick: torch.dtype
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    with quick_products():
        assert torch.nn.functional.linear(torch.ones(2, 2), torch.ones(2, 2)).dtype == quick
