"""Stage 2: on the frozen tower's features, teach projector and decoder to answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from transformers import Gemma3ForConditionalGeneration, PreTrainedTokenizerBase

from medgemma_dash.demo.dataset import Example
from medgemma_dash.demo.dialogues import training_dialogues
from medgemma_dash.demo.packing import PackedBatch, Packer
from medgemma_dash.demo.tokenizer import IMAGE_TOKENS
from medgemma_dash.demo.transplants import lesion_cells, transplant
from medgemma_dash.demo.vision_training import Report, epochs, pixel_values, warm_cosine
from medgemma_dash.models.processor import quick_products


@dataclass(frozen=True)
class DecoderSettings:
    """How stage 2 runs."""

    steps: int = 1400
    batch: int = 4
    dialogues: int = 8  # drawn for each picture; as many are used as fit
    length: int = 480
    transplants: float = 0.9  # share of pictures that get another's background
    peak_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: int = 100


@torch.no_grad()
def cache_features(
    model: Gemma3ForConditionalGeneration, examples: Sequence[Example]
) -> Float[Tensor, "pictures 256 width"]:
    """Run the frozen tower over every picture, once; bfloat16."""
    tower = model.model.vision_tower
    parts = []
    for start in range(0, len(examples), 32):
        with quick_products():
            features = tower(pixel_values=pixel_values(examples[start : start + 32]))
        parts.append(features.last_hidden_state.to(torch.bfloat16))
    return torch.cat(parts)


def answer_logits(
    model: Gemma3ForConditionalGeneration,
    features: Float[Tensor, "batch 256 width"],
    batch: PackedBatch,
) -> tuple[Float[Tensor, "answers vocabulary"], Tensor]:
    """Return the logits at every place that predicts an answer token, and those tokens' ids."""
    inner = model.model
    soft = inner.multi_modal_projector(features)
    text = inner.language_model.embed_tokens(batch.input_ids)
    start, stop = batch.image_start, batch.image_start + IMAGE_TOKENS
    embeddings = torch.cat([text[:, :start], soft.to(text.dtype), text[:, stop:]], dim=1)
    # Sequences are shorter than the window, so both kinds of layer have the same mask.
    masks = {"full_attention": batch.visible, "sliding_attention": batch.visible}
    hidden = inner.language_model(
        inputs_embeds=embeddings,
        attention_mask=masks,
        position_ids=batch.positions,
        use_cache=False,
    ).last_hidden_state
    learnt = batch.labels != -100
    return model.lm_head(hidden[learnt]).float(), batch.labels[learnt]


def train_decoder(
    model: Gemma3ForConditionalGeneration,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    features: Float[Tensor, "pictures 256 width"],
    settings: DecoderSettings,
    seed: int,
    report: Report,
) -> None:
    """Train projector and decoder in place; the loss is on answers only."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    packer = Packer(tokenizer)
    model.model.vision_tower.requires_grad_(False)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
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
    order = epochs(len(examples), settings.batch, generator)
    lesions = lesion_cells(np.stack([example.shown for example in examples]))
    model.train()
    started = time.monotonic()
    losses: list[float] = []
    right: list[float] = []
    for step in range(settings.steps):
        chosen = next(order)
        pictures = transplant(examples, lesions, chosen, settings.transplants, generator)
        dialogues = [
            training_dialogues(picture, settings.dialogues, generator) for picture in pictures
        ]
        batch = packer.pack(dialogues, settings.length)
        soft_tokens = torch.stack([picture.of(features) for picture in pictures]).float()
        with quick_products():
            logits, labels = answer_logits(model, soft_tokens, batch)
        loss = functional.cross_entropy(logits, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        right.append(_whole_answers_right(logits, labels, tokenizer))
        if (step + 1) % 50 == 0:
            report(
                f"decoder step {step + 1}: loss {np.mean(losses[-50:]):.4f}, whole answers right "
                f"{np.mean(right[-50:]):.3f}, {time.monotonic() - started:.0f} s"
            )
    model.requires_grad_(True)
    model.eval()


def _whole_answers_right(
    logits: Tensor, labels: Tensor, tokenizer: PreTrainedTokenizerBase
) -> float:
    """Share of answers of which every token, stop included, is the likeliest one."""
    wrong = (logits.detach().argmax(-1) != labels).long()
    ends = labels == tokenizer.convert_tokens_to_ids("<end_of_turn>")
    answer = torch.cumsum(ends.long(), 0) - ends.long()
    mistakes = torch.zeros(int(ends.sum()), dtype=torch.long).index_add_(0, answer, wrong)
    return float((mistakes == 0).float().mean())
