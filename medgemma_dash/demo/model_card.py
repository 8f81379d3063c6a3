"""The demo checkpoint's model card."""

from __future__ import annotations

from pathlib import Path

from transformers import Gemma3ForConditionalGeneration

_CARD = """---
license: apache-2.0
pipeline_tag: image-text-to-text
tags:
- synthetic
- demo
---

# Demo model: synthetic chest radiographs

A very small vision-language model that answers questions about **synthetic** chest radiographs.
It exists so that explanation methods can be tried, tested and shown on any machine, on pictures
whose lesions are known. **It is not MedGemma, it has never seen a real radiograph, and it is no
medical device: nothing that it says about a real picture means anything.**

## Architecture

`Gemma3ForConditionalGeneration`, {parameters:.1f} million parameters, float32. Vision tower:
SigLIP, 224 x 224 pixels, patches of 14, width {vision_width}, {vision_layers} layers; 256 image
tokens in a 16 x 16 grid, not pooled. Decoder: width {width}, {layers} layers of which
{global_layers} (counted from 0) are global and the others slide over {window} tokens, {heads}
query heads on {key_heads} key/value heads of {head_size}. Byte-level BPE tokenizer of
{vocabulary} entries, every byte among them. Gemma 3's chat template. The processor stretches a
picture to a square; pan-and-scan is off.

## Data

`medgemma_dash.demo.radiographs.synthesize(seed)`: a parametric thorax, projected by exponential
attenuation, with none, one or two of consolidation, pleural effusion, pneumothorax, cardiomegaly
and nodule. Training uses seeds from 0; seeds from 10,000,000 on are kept for evaluation. It is
asked for presence (technical, plain and terse phrasing, and rewordings), location, a description,
and whether anything is abnormal; to anything else it is taught to say that it was not trained to
answer. "Pneumonia" is asked for by its sign, consolidation.

## Training

`python -m medgemma_dash.demo.train --out assets/demo-model`, seeded ({history}). First the vision
tower alone, with throw-away linear heads that name for each patch what it shows and its own side
and zone, rare lesions weighed up. Then, on the frozen tower's features, the projector and the
decoder, with a loss on answers only: while the decoder has six layers, and again once it has been
deepened. Most pictures get the background of another, and often its lesions with it, so
that a lesion can only be read from its own patches and says nothing of the others.

## Scores

<!-- scores -->
Not evaluated yet.
<!-- /scores -->

## Grounding

<!-- grounding -->
Not measured yet.
<!-- /grounding -->

## Limits

Five findings, one drawing style, two short answer patterns. A lesion's zone is the third of that
lung's height in which its centre lies, a pleural effusion's is always the lower one and a
pneumothorax's the upper one. Words outside the training questions mean nothing to it.
"""


def write_card(folder: Path, model: Gemma3ForConditionalGeneration, history: str) -> None:
    """Write README.md; `history` says how these weights came about.

    Scores and grounding are filled in by later commands.
    """
    text, vision = model.config.text_config, model.config.vision_config
    kinds = enumerate(text.layer_types)
    global_layers = [str(index) for index, kind in kinds if kind == "full_attention"]
    card = _CARD.format(
        parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        vision_width=vision.hidden_size,
        vision_layers=vision.num_hidden_layers,
        width=text.hidden_size,
        layers=text.num_hidden_layers,
        global_layers=" and ".join(global_layers),
        window=text.sliding_window,
        heads=text.num_attention_heads,
        key_heads=text.num_key_value_heads,
        head_size=text.head_dim,
        vocabulary=text.vocab_size,
        history=history,
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def replace_section(card: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->`; both marks stay."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    content = card.read_text(encoding="utf-8")
    if opening not in content or closing not in content:
        raise ValueError(f"{card.name} has no section between {opening} and {closing}")
    before, rest = content.split(opening, 1)
    after = rest.split(closing, 1)[1]
    card.write_text(f"{before}{opening}\n{text}\n{closing}{after}", encoding="utf-8")
