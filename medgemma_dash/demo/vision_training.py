"""Stage 1: teach the vision tower, patch by patch, what each patch shows and where it lies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import SiglipVisionModel

from medgemma_dash.demo.architecture import WIDTH
from medgemma_dash.demo.dataset import IGNORED, SIDE_NAMES, Example
from medgemma_dash.demo.findings import ZONES
from medgemma_dash.demo.questions import FINDINGS
from medgemma_dash.models.processor import quick_products

Report = Callable[[str], None]


@dataclass(frozen=True)
class VisionSettings:
    """How stage 1 runs."""

    steps: int = 6900
    batch: int = 8
    peak_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: int = 100


class PatchHeads(nn.Module):
    """Linear heads on every patch token, thrown away after training.

    They read each patch alone. So what a patch shows has to stand in that patch's own token, and
    the decoder can only learn of a lesion by looking where it is. The heads for side and zone are
    what lets the decoder tell left from right: nothing else in the picture rewards it.
    """

    rarity: Tensor

    def __init__(self, examples: Sequence[Example]) -> None:
        super().__init__()
        # A nodule covers two patches and an enlarged heart forty. Unweighted, the tower settles
        # on never naming a nodule.
        shown = np.mean([(example.shown > 0).mean(axis=0) for example in examples], axis=0)
        self.register_buffer(
            "rarity", torch.tensor(np.sqrt(1 / np.maximum(shown, 1e-4)), dtype=torch.float32)
        )
        self.findings = nn.Linear(WIDTH, len(FINDINGS))
        self.side = nn.Linear(WIDTH, len(SIDE_NAMES))
        self.zone = nn.Linear(WIDTH, len(ZONES))

    def loss(self, features: Float[Tensor, "batch 256 width"], batch: Sequence[Example]) -> Tensor:
        """Return the mean loss over patches of findings, side and zone."""
        shown = torch.from_numpy(np.stack([example.shown for example in batch])).float()
        side = torch.from_numpy(np.stack([example.side for example in batch])).flatten()
        zone = torch.from_numpy(np.stack([example.zone for example in batch])).flatten()
        features = features.float()
        per_patch = functional.binary_cross_entropy_with_logits(
            self.findings(features),
            shown.clamp(min=0),
            weight=(shown >= 0).float(),
            pos_weight=self.rarity,
        )
        where = functional.cross_entropy(
            self.side(features).flatten(0, 1), side, ignore_index=IGNORED
        ) + functional.cross_entropy(self.zone(features).flatten(0, 1), zone, ignore_index=IGNORED)
        return per_patch + 0.25 * where


def pixel_values(batch: Sequence[Example]) -> Float[Tensor, "batch 3 224 224"]:
    """Scale to -1..1 in three equal channels, as the processor does."""
    pixels = torch.from_numpy(np.stack([example.pixels for example in batch])).float()
    return (pixels / 127.5 - 1.0).unsqueeze(1).expand(-1, 3, -1, -1)


def train_vision(
    tower: SiglipVisionModel,
    examples: Sequence[Example],
    settings: VisionSettings,
    seed: int,
    report: Report,
) -> PatchHeads:
    """Train the tower in place; return the heads, for `patch_scores`."""
    torch.manual_seed(seed)
    heads = PatchHeads(examples)
    parameters = [*tower.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=settings.peak_rate,
        weight_decay=settings.weight_decay,
        betas=(0.9, 0.98),
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: warm_cosine(step, settings.warm_up, settings.steps)
    )
    order = epochs(len(examples), settings.batch, np.random.default_rng(seed))
    tower.train()
    started, running = time.monotonic(), 0.0
    for step in range(settings.steps):
        batch = [examples[index] for index in next(order)]
        with quick_products():
            features = tower(pixel_values=pixel_values(batch)).last_hidden_state
        loss = heads.loss(features, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        running += loss.item()
        if (step + 1) % 100 == 0:
            seconds = time.monotonic() - started
            report(f"vision step {step + 1}: loss {running / 100:.4f}, {seconds:.0f} s")
            running = 0.0
    tower.eval()
    return heads


@torch.no_grad()
def patch_scores(tower: SiglipVisionModel, heads: PatchHeads, examples: Sequence[Example]) -> str:
    """Say how many patches are named rightly, over all and over those that show a lesion."""
    right = total = lesion_right = lesion_total = 0
    places = {"side": [0, 0], "zone": [0, 0]}
    for start in range(0, len(examples), 16):
        batch = examples[start : start + 16]
        features = tower(pixel_values=pixel_values(batch)).last_hidden_state
        shown = torch.from_numpy(np.stack([example.shown for example in batch]))
        agrees = (heads.findings(features) > 0) == (shown > 0)
        right += int(agrees[shown >= 0].sum())
        total += int((shown >= 0).sum())
        lesion_right += int(agrees[shown > 0].sum())
        lesion_total += int((shown > 0).sum())
        for name, head in (("side", heads.side), ("zone", heads.zone)):
            truth = torch.from_numpy(np.stack([getattr(example, name) for example in batch]))
            inside = truth != IGNORED
            places[name][0] += int((head(features).argmax(-1) == truth)[inside].sum())
            places[name][1] += int(inside.sum())
    side, zone = (places[name][0] / places[name][1] for name in ("side", "zone"))
    return (
        f"patches right: findings {right / total:.4f} (of lesion patches "
        f"{lesion_right / max(lesion_total, 1):.3f}), side {side:.4f}, zone {zone:.4f}, "
        f"on {len(examples)} pictures"
    )


def warm_cosine(step: int, warm_up: int, steps: int) -> float:
    """Learning rate factor: linear warm-up, then cosine decay to 2%."""
    if step < warm_up:
        return (step + 1) / warm_up
    progress = (step - warm_up) / max(steps - warm_up, 1)
    return 0.02 + 0.98 * 0.5 * (1 + float(np.cos(np.pi * min(progress, 1.0))))


def epochs(count: int, batch: int, generator: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield index arrays of one batch each, reshuffled every epoch, without end."""
    while True:
        order = generator.permutation(count)
        for start in range(0, count - batch + 1, batch):
            yield order[start : start + batch]
