"""A folder with MedGemma 4B's own configuration, its widths alone made narrow."""

import json

import pytest
import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

from medgemma_dash.models import load_model
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain, relevancy_tensor
from tests.gemma3_factory import Shape, processor, radiograph, tokenizer
from tests.oracles import chefer_matrices as oracle
from tests.random_answers import Case, full_forward, relative_difference

# As google/medgemma-4b-it writes it, in the names of its time (rope_scaling,
# rope_local_base_freq, sliding_window_pattern); the comments give the real widths.
CONFIGURATION = {
    "architectures": ["Gemma3ForConditionalGeneration"],
    "boi_token_index": 6,  # 255999
    "eoi_token_index": 7,  # 256000
    "eos_token_id": [1, 5],  # [1, 106]
    "image_token_index": 8,  # 262144
    "initializer_range": 0.02,
    "mm_tokens_per_image": 256,
    "model_type": "gemma3",
    "text_config": {
        "attention_bias": False,
        "attention_dropout": 0.0,
        "attn_logit_softcapping": None,
        "cache_implementation": "hybrid",
        "final_logit_softcapping": None,
        "head_dim": 16,  # 256
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": 48,  # 2560
        "initializer_range": 0.02,
        "intermediate_size": 96,  # 10240
        "max_position_embeddings": 131072,
        "model_type": "gemma3_text",
        "num_attention_heads": 8,
        "num_hidden_layers": 34,
        "num_key_value_heads": 4,
        "query_pre_attn_scalar": 16,  # 256
        "rms_norm_eps": 1e-06,
        "rope_local_base_freq": 10000.0,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "rope_theta": 1000000.0,
        "sliding_window": 1024,
        "sliding_window_pattern": 6,
        "use_cache": True,
        "vocab_size": 1024,  # 262208
    },
    "vision_config": {
        "attention_dropout": 0.0,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 16,  # 1152
        "image_size": 896,
        "intermediate_size": 32,  # 4304
        "layer_norm_eps": 1e-06,
        "model_type": "siglip_vision_model",
        "num_attention_heads": 1,  # 16
        "num_channels": 3,
        "num_hidden_layers": 1,  # 27
        "patch_size": 14,
        "vision_use_head": False,
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("medgemma-miniature")
    model = Gemma3ForConditionalGeneration(Gemma3Config.from_dict(CONFIGURATION))
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            std = 0.2 if parameter.ndim == 1 else parameter.shape[-1] ** -0.5
            parameter.normal_(std=std, generator=random)
    model.save_pretrained(path)
    processor(Shape(image_size=896, soft_tokens=256)).save_pretrained(path)
    (path / "config.json").write_text(json.dumps(CONFIGURATION))
    return path


@pytest.fixture(scope="module")
def asked(folder):
    model = load_model(str(folder), device="cpu")
    return model, ask(model, radiograph(height=300, width=260), "Is it normal?", max_new_tokens=4)


def test_the_layout_is_medgemmas(asked):
    layout = asked[0].layout
    assert len(layout.layers) == 34
    assert [layer.index for layer in layout.layers if layer.is_global] == [5, 11, 17, 23, 29]
    assert (layout.query_heads, layout.key_value_heads) == (8, 4)
    assert layout.sliding_window == 1024
    assert (layout.image_size, layout.patch_size) == (896, 14)
    assert (layout.grid, layout.soft_tokens) == ((16, 16), 256)


def test_its_rotary_settings_are_read_in_the_names_of_its_time(asked):
    rope = asked[0].hf_model.config.text_config.rope_parameters
    assert rope["full_attention"]["rope_theta"] == 1_000_000
    assert rope["full_attention"]["rope_type"] == "linear"
    assert rope["full_attention"]["factor"] == 8
    assert rope["sliding_attention"]["rope_theta"] == 10_000
    assert rope["sliding_attention"].get("factor") is None


def test_it_is_asked_and_replayed_faithfully(asked):
    _, answer = asked
    assert answer.image_span == (5, 261)
    assert (answer.input_ids == tokenizer().bos_token_id).sum() == 1
    assert answer.fidelity.exact
    assert answer.fidelity.max_logit_difference < 1e-4
    assert len(answer.tokens) == 4 or answer.stopped == "end of turn"


def test_it_is_explained_as_the_definition_says(asked):
    model, answer = asked
    found = explain(model, answer, token=1)
    assert found.image.shape == (16, 16)
    assert found.layers.shape == (34,)
    assert (found.image.ravel() == found.row[5:261]).all()
    case = Case(model, answer, full_forward(model, answer))
    wanted = oracle.chefer(case.forward, case.terms(1))
    assert relative_difference(found.row, wanted) < 1e-5
    tensor = relevancy_tensor(model, answer)
    assert tensor.shape == (len(answer.tokens), len(answer.input_ids))
    assert relative_difference(tensor[1], found.row) < 1e-5
