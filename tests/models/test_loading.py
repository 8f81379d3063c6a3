"""Loading: what works gives a frozen model, what does not says what to do."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from transformers import (
    AutoModelForImageTextToText,
    BertConfig,
    BertModel,
    LlamaConfig,
    PretrainedConfig,
)

from medgemma_dash.core.errors import (
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    UnsupportedModelError,
)
from medgemma_dash.models import checkpoint as checkpoint_module
from medgemma_dash.models import load_model, wrap_model
from medgemma_dash.models.checkpoint import DEMO_FOLDER
from medgemma_dash.models.devices import choose_device, choose_dtype
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from tests.gemma3_factory import Shape, processor, radiograph, random_model, saved_model

SHAPE = Shape(layers=2, seed=12)
EVIL = """
from pathlib import Path
Path(__file__).with_name("executed").touch()
Path({marker!r}).touch()
from transformers import PretrainedConfig
class EvilConfig(PretrainedConfig):
    model_type = "evil"
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return saved_model(SHAPE, tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def copy(checkpoint, tmp_path):
    return shutil.copytree(checkpoint, tmp_path / "copy")


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_folder_loads_frozen_in_eval_mode_and_explains_as_the_model_it_was_saved_from(checkpoint):
    model = load_model(str(checkpoint), device="cpu")
    assert model.name == str(checkpoint)
    assert model.device == torch.device("cpu")
    assert model.dtype == torch.float32
    assert not model.is_demo
    assert model.load_seconds > 0
    assert not model.hf_model.training
    assert not any(p.requires_grad for p in model.hf_model.parameters())
    assert model.layout.grid == (4, 4)
    assert [layer.is_global for layer in model.layout.layers] == [False, False]
    wrapped = wrap_model(random_model(SHAPE), processor(SHAPE))
    rows = [
        explain(m, ask(m, radiograph(), "Why?", force="Yes"), token=0).row for m in (model, wrapped)
    ]
    assert abs(rows[0] - rows[1]).max() < 1e-6 * rows[0].max()


def test_the_demo_model_says_that_it_is_one(demo_model):
    assert demo_model.is_demo
    assert demo_model.name == "demo"
    assert demo_model.layout.grid == (16, 16)
    assert ask(demo_model, radiograph(), "Why?", force="Yes").is_demo


def test_the_demo_keeps_its_name_wherever_it_lies(demo_model, tmp_path):
    """Copied, renamed, saved again, or wrapped: the mark goes along, the revision stays."""
    copied = shutil.copytree(DEMO_FOLDER, tmp_path / "medgemma-4b-it")
    model = load_model(str(copied), device="cpu")
    assert model.is_demo
    assert model.revision == demo_model.revision
    assert wrap_model(model.hf_model, model.processor).is_demo
    model.hf_model.save_pretrained(tmp_path / "again")
    again = AutoModelForImageTextToText.from_pretrained(tmp_path / "again")
    assert wrap_model(again, model.processor).is_demo


def test_another_model_in_the_demos_place_is_not_the_demo(copy, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "DEMO_FOLDER", copy)
    assert not load_model("demo", device="cpu").is_demo


def test_bytes_of_tied_weights_are_counted_once(checkpoint):
    model = load_model(str(checkpoint), device="cpu")
    expected = sum(p.numel() * 4 for p in random_model(SHAPE).parameters())
    assert model.memory_bytes == expected
    assert load_model(str(checkpoint), "cpu", "bfloat16").memory_bytes == expected // 2


def test_two_checkpoints_never_share_a_revision(checkpoint, copy):
    first = load_model(str(checkpoint), device="cpu").revision
    assert load_model(str(copy), device="cpu").revision == first
    other = random_model(Shape(layers=2, seed=13))
    other.save_pretrained(copy)
    assert load_model(str(copy), device="cpu").revision != first
    merged = load_model(str(checkpoint), device="cpu").hf_model
    before = wrap_model(merged, processor(SHAPE)).revision
    with torch.no_grad():  # as merging an adapter does: the model's path is still its base's
        merged.model.language_model.layers[0].self_attn.q_proj.weight.mul_(1.01)
    assert wrap_model(merged, processor(SHAPE)).revision != before
    revisions = {
        wrap_model(random_model(Shape(layers=2, seed=seed)), processor(SHAPE)).revision
        for seed in (12, 13)
    }
    assert len(revisions) == 2


def test_wrapping_sets_eval_mode_and_freezes():
    hf_model = random_model(SHAPE).train()
    model = wrap_model(hf_model, processor(SHAPE))
    assert model.hf_model is hf_model
    assert not any(module.training for module in hf_model.modules())
    assert not any(p.requires_grad for p in hf_model.parameters())
    assert model.name == "Gemma3ForConditionalGeneration"
    assert not model.is_demo


def test_wrapping_another_kind_of_model_is_refused():
    bert = BertModel(
        BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    )
    with pytest.raises(UnsupportedModelError, match=r"'bert'.*Gemma 3"):
        wrap_model(bert, None)


@pytest.mark.parametrize(
    "name", ["/no/such/folder", "./models/none", "medgemma", "a/b/c", "", "~/x", "a/" + "b" * 5000]
)
def test_a_name_that_is_neither_folder_nor_hub_id_is_refused(name):
    with pytest.raises(ModelNotFoundError, match="Allowed: demo, a hub id"):
        load_model(name, device="cpu")


def test_a_folder_without_a_configuration_or_weights_is_refused(tmp_path, copy):
    with pytest.raises(ModelNotFoundError, match=r"no config\.json"):
        load_model(str(tmp_path), device="cpu")
    for path in copy.glob("*.safetensors"):
        path.unlink()
    (copy / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ModelNotFoundError, match=r"no \*\.safetensors weights"):
        load_model(str(copy), device="cpu")


@pytest.mark.parametrize("config", [BertConfig(), LlamaConfig()], ids=["bert", "llama"])
def test_another_kind_of_checkpoint_is_refused_before_its_weights_are_read(config, tmp_path):
    config.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"never read")
    with pytest.raises(UnsupportedModelError, match=rf"'{config.model_type}'.*medgemma"):
        load_model(str(tmp_path), device="cpu")


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_cut_off_weights_are_a_clear_error(copy, kept):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match="could not be loaded"):
        load_model(str(copy), device="cpu")


def test_a_configuration_that_is_no_json_is_a_clear_error(copy):
    (copy / "config.json").write_text("{")
    with pytest.raises(ModelError, match="could not be loaded"):
        load_model(str(copy), device="cpu")


def test_missing_weights_are_an_error_and_never_filled_with_random_numbers(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    name = next(n for n in weights if "layers.1.mlp.up_proj" in n)
    del weights[name]
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        ModelError, match=r"lacks 1 weights, model\.language_model\.layers\.1\.mlp\.up_proj"
    ):
        load_model(str(copy), device="cpu")


def test_weights_of_another_shape_are_a_clear_error(copy):
    config = json.loads((copy / "config.json").read_text())
    config["text_config"]["intermediate_size"] += 8
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="could not be loaded"):
        load_model(str(copy), device="cpu")


def test_a_folder_without_a_processor_is_a_clear_error(copy):
    for name in ("processor_config.json", "tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    with pytest.raises(ModelError, match="could not be loaded"):
        load_model(str(copy), device="cpu")


@pytest.mark.parametrize(
    ("cause", "error", "advice"),
    [
        (GatedRepoError, ModelAccessError, "gated.*Accept its terms.*hf auth login"),
        (RepositoryNotFoundError, ModelNotFoundError, "no google/medgemma.*Check the spelling"),
    ],
)
def test_a_gated_or_unknown_hub_model_gives_instructions(monkeypatch, cause, error, advice):
    def refuse(*_arguments, **_named):
        refusal = cause("refused", response=SimpleNamespace(headers={}, request=None))
        raise OSError("You are trying to access a gated repo.") from refusal

    monkeypatch.setattr(PretrainedConfig, "get_config_dict", refuse)
    with pytest.raises(error, match=advice) as caught:
        load_model("google/medgemma-1.5-4b-it", device="cpu")
    assert "\n" not in str(caught.value)


def test_a_hub_model_without_a_network_gives_instructions():
    with pytest.raises(ModelNotFoundError, match=r"fetched from the hub.*downloaded checkpoint"):
        load_model("nobody/no-such-model-here", device="cpu")


def test_code_in_a_checkpoint_of_an_unknown_kind_is_never_run(copy, tmp_path):
    marker = tmp_path / "executed"
    (copy / "evil.py").write_text(EVIL.format(marker=str(marker)))
    edit_config(copy, model_type="evil", auto_map={"AutoConfig": "evil.EvilConfig"})
    with pytest.raises(ModelError):
        load_model(str(copy), device="cpu")
    assert not marker.exists()
    assert not (copy / "executed").exists()


def test_code_beside_a_gemma_3_checkpoint_is_never_run(copy, tmp_path):
    marker = tmp_path / "executed"
    (copy / "evil.py").write_text(EVIL.format(marker=str(marker)))
    evil = dict.fromkeys(
        ("AutoConfig", "AutoModelForImageTextToText", "AutoProcessor"), "evil.EvilConfig"
    )
    edit_config(copy, auto_map=evil)
    path = copy / "processor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": evil}))
    try:
        model = load_model(str(copy), device="cpu")
    except ModelError:
        pass
    else:
        assert type(model.hf_model).__name__ == "Gemma3ForConditionalGeneration"
    assert not marker.exists()
    assert not (copy / "executed").exists()


@pytest.mark.parametrize("asked", ["tpu", "cuda:99", "cuda:-1", "gpu", "meta", "xpu", "cpu:x"])
def test_a_device_that_is_not_here_is_refused(asked):
    with pytest.raises(ModelError, match=f"No device '{asked}'"):
        choose_device(asked)


def test_the_processor_and_auto_are_always_devices():
    assert choose_device("cpu").type == "cpu"
    assert choose_device(None) == choose_device("auto")


@pytest.mark.parametrize("asked", ["float16", "int8", "double", "torch.float32"])
def test_a_number_format_that_is_not_offered_is_refused(asked):
    with pytest.raises(ModelError, match="Allowed: auto, float32, bfloat16"):
        choose_dtype(asked, torch.device("cpu"))


def test_the_usual_number_format_of_a_device():
    assert choose_dtype(None, torch.device("cpu")) == torch.float32
    assert choose_dtype("auto", torch.device("cuda")) == torch.bfloat16
    assert choose_dtype("bfloat16", torch.device("cpu")) == torch.bfloat16
