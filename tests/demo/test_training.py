"""Training: what is kept when backgrounds are swapped and when layers are added."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from medgemma_dash.demo.architecture import build_model, deepen
from medgemma_dash.demo.dataset import IGNORED, make_example
from medgemma_dash.demo.decoder_training import DecoderSettings
from medgemma_dash.demo.dialogues import every_text
from medgemma_dash.demo.tokenizer import build_tokenizer
from medgemma_dash.demo.train import TrainingSettings, train
from medgemma_dash.demo.transplants import lesion_cells, transplant
from medgemma_dash.demo.vision_training import VisionSettings


def test_patch_labels_agree_with_the_findings() -> None:
    for seed in range(6):
        example = make_example(seed)
        named = {finding.name for finding in example.findings}
        assert int((example.shown == 1).any(axis=0).sum()) == len(named)
        assert set(np.unique(example.side)) == {IGNORED, 0, 1}
        assert set(np.unique(example.zone)) == {IGNORED, 0, 1, 2}


def test_a_transplant_keeps_both_pictures_lesion_places() -> None:
    shown = np.zeros((2, 256, 5), np.int8)
    shown[0, 17, 0], shown[1, 200, 4] = 1, -1
    lesions = lesion_cells(shown)
    assert lesions.sum(dim=1).tolist() == [9, 9]
    features = torch.stack([torch.zeros(256, 4), torch.ones(256, 4)])
    mixed = transplant(features, lesions, np.zeros(50, np.int64), 1.0, np.random.default_rng(0))
    assert not mixed[:, lesions[0]].any()
    assert not mixed[:, lesions[1]].any()
    assert mixed.any()  # some got the other's background
    alone = transplant(features, lesions, np.zeros(50, np.int64), 0.0, np.random.default_rng(0))
    assert not alone.any()


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
    assert any("patches right" in line for line in lines)
