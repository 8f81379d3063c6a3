"""What cannot be explained is refused when it is loaded or wrapped, with what to do instead."""

import json
import shutil

import pytest
import torch

from medgemma_dash.core.errors import ModelError, UnsupportedModelError
from medgemma_dash.models import load_model, wrap_model
from medgemma_dash.services.explaining.asking import ask
from tests.gemma3_factory import Shape, processor, radiograph, random_model, saved_model

SHAPE = Shape(layers=2)


class Wrapper(torch.nn.Module):
    """As parallel training wraps a model."""

    def __init__(self, module):
        super().__init__()
        self.module, self.config = module, module.config


class AdaptedLinear(torch.nn.Linear):
    """As peft puts adapters into a model's linear layers."""

    __module__ = "peft.tuners.lora.layer"


class PeftModel(Wrapper):
    """As peft wraps a model: what it does not have itself is the model's."""

    __module__ = "peft.peft_model"


def with_adapters_inside(model):
    model.model.language_model.layers[0].self_attn.q_proj = AdaptedLinear(4, 4)
    return model


def in_two_formats(model):
    model.model.vision_tower.to(torch.bfloat16)
    return model


def partly_on_disk(model):
    model.model.language_model.layers[1].to("meta")
    return model


@pytest.mark.parametrize(
    ("change", "error", "remedy"),
    [
        (PeftModel, UnsupportedModelError, "adapter of peft.*merge_and_unload"),
        (with_adapters_inside, UnsupportedModelError, "adapter of peft.*merge_and_unload"),
        (lambda model: model.model, UnsupportedModelError, "AutoModelForImageTextToText"),
        (lambda model: model.model.language_model, UnsupportedModelError, "'gemma3_text'"),
        (Wrapper, UnsupportedModelError, "is a Wrapper.*AutoModelForImageTextToText"),
        (lambda model: "a folder", UnsupportedModelError, "type str.*load_model"),
        (in_two_formats, ModelError, r"bfloat16, torch\.float32.*hf_model\.float\(\)"),
        (partly_on_disk, ModelError, "not in memory.*without offloading"),
    ],
)
def test_a_model_that_cannot_be_explained_is_refused_and_left_as_it_is(change, error, remedy):
    whole = random_model(SHAPE).train()
    with pytest.raises(error, match=remedy):
        wrap_model(change(whole), processor(SHAPE))
    assert whole.training
    assert all(one.requires_grad for one in whole.parameters())


def without_template(given):
    given.chat_template = None
    return given


def with_other_templates_only(given):
    given.chat_template = {"tools": "{{ messages }}"}
    return given


def of_another_picture_size(given):
    given.image_processor.size = {"height": 56, "width": 56}
    return given


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda given: None, r"AutoProcessor\.from_pretrained"),
        (lambda given: given.tokenizer, r"Tokenizer.*AutoProcessor\.from_pretrained"),
        (without_template, r"no chat template.*instruction-tuned.*chat_template\.jinja"),
        (with_other_templates_only, "no chat template"),
        (of_another_picture_size, "pictures of 56 x 56 pixels; the vision tower takes 28 x 28"),
    ],
)
def test_a_processor_that_does_not_serve_is_refused(change, remedy):
    with pytest.raises(ModelError, match=remedy):
        wrap_model(random_model(SHAPE), change(processor(SHAPE)))


def test_a_tokenizer_with_more_words_than_the_model_is_refused():
    given = processor(SHAPE)
    fewer = random_model(SHAPE)
    fewer.resize_token_embeddings(len(given.tokenizer) - 5)
    with pytest.raises(ModelError, match=r"tokenizer knows \d+ tokens"):
        wrap_model(fewer, given)


def test_a_compiled_model_is_taken():
    model = wrap_model(torch.compile(random_model(SHAPE), backend="eager"), processor(SHAPE))
    assert ask(model, radiograph(), "Why?", force="Yes").text == "Yes"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return saved_model(SHAPE, tmp_path_factory.mktemp("checkpoint"))


@pytest.mark.parametrize("merged", [True, False])
def test_an_adapters_folder_is_refused_with_how_to_merge_it(checkpoint, tmp_path, merged):
    folder = shutil.copytree(checkpoint, tmp_path / "adapter")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    if not merged:
        (folder / "config.json").unlink()
    with pytest.raises(UnsupportedModelError, match=r"adapter.*merge_and_unload.*save_pretrained"):
        load_model(str(folder), device="cpu")


def test_a_folder_without_a_template_is_refused_before_its_weights_are_read(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "base")
    (folder / "chat_template.jinja").unlink()
    weights = folder / "model.safetensors"
    weights.write_bytes(b"\0" * weights.stat().st_size)
    with pytest.raises(ModelError, match="no chat template"):
        load_model(str(folder), device="cpu")
