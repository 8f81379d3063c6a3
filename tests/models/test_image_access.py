"""Layers that see the image, in texts longer than the window, against transformers' own masks."""

import pytest
import torch
from transformers.models.gemma3.modeling_gemma3 import (
    create_masks_for_vision_model,
    get_block_sequence_ids_for_mask,
)

from medgemma_dash.models.image_access import layers_with_access
from medgemma_dash.models.replay_forward import build_replay
from tests.gemma3_factory import Shape, random_adapter


@pytest.mark.parametrize(("length", "window"), [(60, 512), (60, 24), (3000, 1024)])
def test_layers_with_access_are_counted_on_transformers_own_masks(length, window):
    model = random_adapter(Shape(hidden=8, intermediate=8, heads=(2, 1), head_dim=4, window=window))
    text = model.hf_model.config.text_config
    spans = [(5, 21), (25, 41)]
    ids = torch.full((length,), 3)
    for span in spans:
        ids[slice(*span)] = model.layout.image_token_id
    replay = build_replay(model, ids, spans, torch.randn(32, text.hidden_size))
    rows = sorted({0, 4, 5, 20, 30, 45, length // 2, window + 20, window + 40, length - 1})
    rows = [row for row in rows if row < length]

    types = (ids == model.layout.image_token_id).long()[None]
    masks = create_masks_for_vision_model(
        model.hf_model.config.text_config,
        inputs_embeds=torch.zeros(1, length, text.hidden_size),
        attention_mask=torch.ones(1, length, dtype=torch.long),
        cache=None,
        position_ids=torch.arange(length)[None],
        block_sequence_ids=get_block_sequence_ids_for_mask(types),
    )
    wanted = []
    for row in rows:
        sees = {kind: bool(mask[0, 0, row, types[0].bool()].any()) for kind, mask in masks.items()}
        wanted.append(sum(sees[kind] for kind in text.layer_types))
    assert layers_with_access(replay, rows, spans).tolist() == wanted
    assert wanted[0] == 0
    if window < length - 41:
        assert wanted[-1] == text.layer_types.count("full_attention")
