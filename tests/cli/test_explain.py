"""`explain` from the file to the three files, with the demo model."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from medgemma_dash import cli, explain, load_radiograph, relevancy_tensor
from medgemma_dash.cli import chosen_model
from medgemma_dash.cli.summary import printable
from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.core.resources import resource
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain_target

QUESTION = "Is there evidence of pneumothorax?"
LIMIT = 8  # tokens; enough to explain, whatever the model says


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "Jane Doe 1970.png"
    Image.fromarray(synthesize(FIRST_EVALUATION_SEED + 3).pixels).save(path)
    return path


@pytest.fixture
def command(picture, demo_model, tmp_path, monkeypatch):
    """Runs `explain` on the picture with the model already loaded."""
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: demo_model)

    def run(*options: str, out=tmp_path / "new" / "out") -> int:
        fixed = ["--max-new-tokens", str(LIMIT), "--out", str(out)]
        return cli.main(["explain", str(picture), QUESTION, *fixed, *options])

    return run


def test_the_files_hold_what_the_python_interface_computes(
    command, demo_model, picture, tmp_path, capsys
):
    assert command("--token", "1") == 0

    answer = ask(demo_model, load_radiograph(picture), QUESTION, max_new_tokens=LIMIT)
    expected = explain(demo_model, answer, token=1)
    out = tmp_path / "new" / "out"
    document = json.loads((out / "explanation.json").read_text("utf-8"))
    schema = json.loads(resource("docs", "schemas", "explanation-1.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(document)
    assert np.array_equal(np.array(document["map"]["values"], np.float32), expected.image)
    with np.load(out / "relevancy.npz") as stored:
        assert np.array_equal(stored["relevancy"], relevancy_tensor(demo_model, answer))
    with Image.open(out / "overlay.png") as overlay:
        assert overlay.width >= 1
    printed = capsys.readouterr().out
    assert f"Question  {QUESTION}" in printed
    assert f"1:{answer.tokens[1].text.strip()}" in printed
    assert "not MedGemma" in printed
    assert "Replay    exact" in printed


def test_settings_are_the_methods_own(command, demo_model, picture, tmp_path):
    given = ["--method", "chefer", "--setting", "heads=max", "--setting", "words=summed logits"]
    assert command("--span", "0:2", *given) == 0
    answer = ask(demo_model, load_radiograph(picture), QUESTION, max_new_tokens=LIMIT)
    expected = explain(demo_model, answer, span=(0, 2), heads="max", words="summed logits")
    document = json.loads((tmp_path / "new" / "out" / "explanation.json").read_text("utf-8"))
    assert np.array_equal(np.array(document["map"]["values"], np.float32), expected.image)
    assert not np.array_equal(expected.image, explain(demo_model, answer, span=(0, 2)).image)


def test_a_decision_between_two_words_is_explained(command, demo_model, picture, tmp_path, capsys):
    assert command("--margin", "Yes", "No") == 0
    answer = ask(demo_model, load_radiograph(picture), QUESTION, max_new_tokens=LIMIT)
    expected = explain(demo_model, answer, margin=("Yes", "No"))
    document = json.loads((tmp_path / "new" / "out" / "explanation.json").read_text("utf-8"))
    assert np.array_equal(np.array(document["map"]["values"], np.float32), expected.image)
    assert document["target"]["kind"] == "margin"
    assert "Yes rather than No" in capsys.readouterr().out
    assert command("--margin", "Yes", "Gallbladder") == 2
    assert "Gallbladder" in capsys.readouterr().err


def test_no_file_and_no_line_names_the_picture(command, tmp_path, capsys):
    assert command() == 0
    written = b"".join(path.read_bytes() for path in (tmp_path / "new" / "out").iterdir())
    assert b"Jane" not in written
    assert "Jane" not in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "closed"])
def test_a_terminal_that_shows_nothing_costs_no_file(command, tmp_path, monkeypatch, encoding):
    read, write = os.pipe()
    if encoding == "closed":
        os.close(read)
    stream = os.fdopen(write, "w", encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    assert command("--token", "0", "--against", "Übelkeit") == 0
    stream.close()
    names = sorted(path.name for path in (tmp_path / "new" / "out").iterdir())
    assert names == ["explanation.json", "overlay.png", "relevancy.npz"]
    if encoding == "ascii":
        with os.fdopen(read, encoding="ascii") as printed:
            assert "Note      ??belkeit? is several tokens" in printed.read()


def test_every_line_is_printed_as_soon_as_it_is_known(command, demo_model, monkeypatch, capsys):
    told = []

    def told_before(what, do):
        def done(*given, **named):
            told.append((what, capsys.readouterr().out))
            return do(*given, **named)

        return done

    load, think = told_before("load", lambda *_, **__: demo_model), told_before("ask", ask)
    monkeypatch.setattr(chosen_model, "load_model", load)
    monkeypatch.setattr("medgemma_dash.cli.asked.ask", think)
    explain_it = told_before("explain", explain_target)
    monkeypatch.setattr("medgemma_dash.cli.explain.explain_target", explain_it)
    assert command("--token", "0") == 0
    first, second, third = (lines for _, lines in told)
    assert first == f"{RESEARCH_NOTICE}\n"
    assert second.splitlines()[-1] == f"Question  {QUESTION}"
    assert third.startswith("Answer    ")
    assert capsys.readouterr().out.startswith("Explained ")


def test_a_picture_is_as_wide_as_asked(command, tmp_path, capsys):
    assert command("--token", "0", "--width-mm", "85") == 0
    with Image.open(tmp_path / "new" / "out" / "overlay.png") as overlay:
        assert overlay.width == round(85 / 25.4 * 300)
    for width in ("39", "401", "-85", "1e2", "nan", "wide", "9" * 5000):
        with pytest.raises(SystemExit) as stopped:
            command("--width-mm", width)
        assert stopped.value.code == 2
        assert "of 40 to 400 mm" in capsys.readouterr().err.splitlines()[-1]


def test_a_failure_while_writing_leaves_the_files_of_before(command, tmp_path, capsys, monkeypatch):
    assert command("--token", "0") == 0
    out = tmp_path / "new" / "out"
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    real = Path.write_bytes

    def full(path, content):
        if path.name == "overlay.png":
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert command("--token", "1") == 2
    assert "No space left on device. Choose another --out" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--token", "99"], "tokens 0 to"),
        (["--phrase", "giraffe"], "'giraffe' is not in the answer"),
        (["--span", "6:2"], "span 6:2"),
        (["--against", "No"], "give token"),
        (["--method", "magic"], "chefer"),
        (["--setting", "heads=all"], "gradient-weighted"),
        (["--setting", "token=1"], "heads"),
        (["--out", "/proc/nowhere"], "Choose another --out"),
    ],
)
def test_what_cannot_be_explained_is_one_line_and_status_2(command, options, told, capsys):
    assert command(*options) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error
    assert error.count("\n") == 1


def test_a_broken_picture_is_refused_before_the_model_loads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(chosen_model, "load_model", None)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    assert cli.main(["explain", str(broken), QUESTION, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_environment_chooses_the_model_and_an_option_overrules_it(monkeypatch):
    monkeypatch.setenv("MEDGEMMA_DASH_MODEL", "some/model")
    monkeypatch.setenv("MEDGEMMA_DASH_DTYPE", "bfloat16")
    given = cli.build_parser().parse_args(["bench", "--dtype", "float32"])
    choice = chosen_model.chosen_model(given)
    assert (choice.name, choice.device, choice.dtype) == ("some/model", "auto", "float32")


def test_what_a_terminal_would_act_on_is_not_printed():
    assert printable("a\x1b[31mb\u202ec\nd") == "a [31mb c d"
