"""A broken model folder is one line that says what is wrong, whatever transformers makes of it."""

import json
import shutil

import pytest
from PIL import Image

from medgemma_dash import cli
from medgemma_dash.core.errors import ModelError
from medgemma_dash.models import load_model
from tests.gemma3_factory import Shape, saved_model

SHAPE = Shape(layers=2)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return saved_model(SHAPE, tmp_path_factory.mktemp("checkpoint"))


def number(part, name, value):
    def change(folder):
        path = folder / "config.json"
        config = json.loads(path.read_text())
        (config if part is None else config[part])[name] = value
        path.write_text(json.dumps(config))

    return change


def shade(name, value):
    def change(folder):
        path = folder / "processor_config.json"
        config = json.loads(path.read_text())
        config["image_processor"][name] = value
        path.write_text(json.dumps(config))

    return change


def text(name, content):
    return lambda folder: (folder / name).write_text(content)


def without(*names):
    def change(folder):
        for name in names:
            (folder / name).unlink()

    return change


def tokenizer_part(name, value):
    def change(folder):
        path = folder / "tokenizer.json"
        parts = json.loads(path.read_text())
        parts[name] = value
        path.write_text(json.dumps(parts))

    return change


def ends(value):
    return text("generation_config.json", json.dumps({"eos_token_id": value}))


def fewer_layers(folder):
    number("text_config", "layer_types", None)(folder)
    number("text_config", "num_hidden_layers", 1)(folder)


def many_layers(folder):
    number("text_config", "layer_types", None)(folder)
    number("text_config", "num_hidden_layers", 3_000_000)(folder)


FAULTS = {
    "no tokenizer": (without("tokenizer.json", "tokenizer_config.json"), "no tokenizer"),
    "a tokenizer of nothing": (text("tokenizer.json", "{}"), "could not be loaded"),
    "no image processor": (without("processor_config.json"), "no image processor"),
    "a processor that is a list": (text("processor_config.json", "[]"), "could not be loaded"),
    "a configuration that is a list": (text("config.json", "[]"), "no JSON object"),
    "nested without end": (text("config.json", "[" * 100_000), "could not be loaded"),
    "no heads": (number("text_config", "num_attention_heads", 0), "num_attention_heads is 0"),
    "no vision heads": (number("vision_config", "num_attention_heads", 0), "vision_config.num"),
    "a text for a number": (number("text_config", "hidden_size", "many"), "hidden_size is 'many'"),
    "half a layer": (number("text_config", "num_hidden_layers", 2.5), "num_hidden_layers is 2.5"),
    "too many layers": (many_layers, "num_hidden_layers is 3000000, not a whole number from 1 to"),
    "a long number": (number("text_config", "head_dim", 10**400), "head_dim is 1000"),
    "more numbers than weights": (number("text_config", "vocab_size", 10**9), "describes"),
    "heads of another model": (number("text_config", "num_key_value_heads", 2), "another shape"),
    "patches of nothing": (number("vision_config", "patch_size", 0), "patch_size is 0"),
    "no window": (number("text_config", "sliding_window", None), "sliding_window is None"),
    "no text model": (number(None, "text_config", None), "text_config is no object"),
    "a format that is none": (number(None, "dtype", "odd"), "could not be loaded"),
    "an unknown activation": (number("text_config", "hidden_activation", "boom"), "boom"),
    "layers of an unknown kind": (number("text_config", "layer_types", ["odd"] * 2), "layer_types"),
    "layers left out": (fewer_layers, "layers that config.json does not have"),
    "no smallest number": (number("text_config", "rms_norm_eps", -1.0), "not a number above 0"),
    "a smallest number that is huge": (number("vision_config", "layer_norm_eps", 1e6), "up to 1"),
    "a scale below nothing": (number("text_config", "query_pre_attn_scalar", -1), "above 0 up to"),
    "a scale that is no number": (
        number("text_config", "query_pre_attn_scalar", float("nan")),
        "query_pre_attn_scalar is nan",
    ),
    "places that do not turn": (
        number("text_config", "rope_parameters", {"full_attention": {"rope_theta": 0}}),
        "rope_parameters.full_attention.rope_theta is 0",
    ),
    "logits of another family": (number("text_config", "final_logit_softcapping", 30.0), "Gemma 3"),
    "both ways": (number("text_config", "use_bidirectional_attention", True), "Gemma 3 does not"),
    "an end that is no token": (ends(10**6), "Answers would have no end"),
    "an end that is a word": (ends("x"), "Answers would have no end"),
    "a tokenizer of small letters": (
        tokenizer_part("normalizer", {"type": "Lowercase"}),
        "does not give back",
    ),
    "a tokenizer that cannot speak": (tokenizer_part("decoder", None), "does not give back"),
    "a picture that is not scaled": (shade("do_rescale", False), "as large as 509"),
    "a negative": (shade("rescale_factor", -1 / 255), "turns them around"),
    "a picture without shades": (shade("image_std", [5e3] * 3), "no difference between"),
    "shades without end": (shade("rescale_factor", float("nan")), "not finite"),
    "a template that is broken": (text("chat_template.jinja", "{% for %}"), "chat template"),
    "a template of no picture": (text("chat_template.jinja", "hello"), "prepare a radiograph"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_folder_is_one_line_and_a_model_error(fault, checkpoint, tmp_path, capsys):
    change, told = FAULTS[fault]
    folder = shutil.copytree(checkpoint, tmp_path / "copy")
    change(folder)
    with pytest.raises(ModelError) as raised:
        load_model(str(folder), device="cpu")
    message = str(raised.value)
    assert told in message
    assert len(message) < 600
    assert message.isprintable()
    assert capsys.readouterr() == ("", "")  # no table and no bar of transformers


def test_the_command_line_tells_it_in_one_line_with_status_2(checkpoint, tmp_path, capsys):
    folder = shutil.copytree(checkpoint, tmp_path / "copy")
    FAULTS["no heads"][0](folder)
    picture = tmp_path / "picture.png"
    Image.new("L", (64, 64), 90).save(picture)
    command = ["explain", str(picture), "Why?", "--out", str(tmp_path / "out")]
    for name in (str(folder), "n" * 5000, "../" * 2000):
        assert cli.main([*command, "--model", name]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert (error.count("\n"), len(error) < 700) == (1, True)


@pytest.mark.parametrize("device", ["cuda:" + "9" * 5000, "x" * 5000, "\0"])
def test_a_device_of_nonsense_is_quoted_short(device):
    with pytest.raises(ModelError) as raised:
        load_model("demo", device=device)
    assert len(str(raised.value)) < 200
