"""Train the demo checkpoint: `python -m medgemma_dash.demo.train --out assets/demo-model`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from medgemma_dash.demo.architecture import DECODER_LAYERS, build_model, deepen
from medgemma_dash.demo.dataset import make_examples
from medgemma_dash.demo.decoder_training import DecoderSettings, cache_features, train_decoder
from medgemma_dash.demo.dialogues import every_text
from medgemma_dash.demo.evaluation import evaluate, write_scores
from medgemma_dash.demo.model_card import write_card
from medgemma_dash.demo.tokenizer import build_processor
from medgemma_dash.demo.vision_training import Report, VisionSettings, patch_scores, train_vision


@dataclass(frozen=True)
class TrainingSettings:
    """A whole run. `pictures` come from seeds 0 on; the last 200 of them only check stage 1."""

    seed: int = 0
    pictures: int = 8000
    processes: int = 2
    decoder_layers: int = DECODER_LAYERS
    evaluation_pictures: int = 200
    vision: VisionSettings = field(default_factory=VisionSettings)
    # The decoder learns to answer while it is shallow and cheap, and is then made deeper.
    shallow_layers: int = 6
    shallow: DecoderSettings = field(default_factory=DecoderSettings)
    deep: DecoderSettings = field(
        default_factory=lambda: DecoderSettings(steps=3400, peak_rate=1.2e-3, warm_up=50)
    )


DEFAULTS = TrainingSettings()


def train(
    out: Path, settings: TrainingSettings | None = None, report: Report | None = None
) -> None:
    """Draw pictures, train both stages, evaluate on unseen seeds, and write the checkpoint folder.

    The folder is written when training has ended; an interrupted run leaves the old one.
    """
    settings = settings or TrainingSettings()
    report = report or say
    started = time.monotonic()
    report(f"drawing {settings.pictures} radiographs")
    examples = make_examples(0, settings.pictures, settings.processes)
    held_out = min(200, settings.pictures // 10)
    known, unseen = examples[:-held_out], examples[-held_out:]

    processor = build_processor(every_text())
    model = build_model(processor.tokenizer, settings.seed, settings.shallow_layers)
    tower = model.model.vision_tower
    heads = train_vision(tower, known, settings.vision, settings.seed, report)
    report(patch_scores(tower, heads, unseen))

    features = cache_features(model, known)
    report(f"cached features of {len(known)} radiographs")
    tokenizer = processor.tokenizer
    train_decoder(model, tokenizer, known, features, settings.shallow, settings.seed, report)
    if settings.decoder_layers > settings.shallow_layers:
        model = deepen(model, tokenizer, settings.decoder_layers)
        train_decoder(model, tokenizer, known, features, settings.deep, settings.seed + 1, report)
    minutes = (time.monotonic() - started) / 60

    out.mkdir(parents=True, exist_ok=True)
    processor.save_pretrained(out)
    model.save_pretrained(out)
    write_card(out, model, f"{minutes:.0f} minutes on this machine, one run")
    scores = evaluate(model, processor, settings.evaluation_pictures)
    report(scores.as_table())
    write_scores(out, scores)
    report(f"wrote {out} after {minutes:.0f} minutes of training")


def say(line: str) -> None:
    """Write a line of progress at once, even into a file."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint folder to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=int, default=DEFAULTS.pictures)
    parser.add_argument("--processes", type=int, default=DEFAULTS.processes)
    parser.add_argument("--vision-steps", type=int, default=DEFAULTS.vision.steps)
    parser.add_argument("--shallow-steps", type=int, default=DEFAULTS.shallow.steps)
    parser.add_argument("--deep-steps", type=int, default=DEFAULTS.deep.steps)
    parser.add_argument("--decoder-layers", type=int, default=DECODER_LAYERS)
    parser.add_argument("--evaluation-pictures", type=int, default=200)
    options = parser.parse_args(arguments)
    train(
        options.out,
        TrainingSettings(
            seed=options.seed,
            pictures=options.pictures,
            processes=options.processes,
            decoder_layers=options.decoder_layers,
            evaluation_pictures=options.evaluation_pictures,
            vision=replace(DEFAULTS.vision, steps=options.vision_steps),
            shallow=replace(DEFAULTS.shallow, steps=options.shallow_steps),
            deep=replace(DEFAULTS.deep, steps=options.deep_steps),
        ),
        say,
    )


if __name__ == "__main__":
    main()
