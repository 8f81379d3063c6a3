import subprocess
import sys
from types import SimpleNamespace

import pytest

from medgemma_dash import cli
from medgemma_dash.cli import chosen_model, output
from medgemma_dash.core.errors import SettingError


def test_help_names_every_command_without_loading_torch(repository):
    printed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "medgemma_dash", "--help"],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {line.split("|")[-1].strip() for line in printed.stderr.splitlines()}
    assert "argparse" in loaded
    assert not loaded & {"torch", "numpy", "streamlit", "transformers"}
    for command in ("explain", "bench", "grounding", "benchmark", "doctor", "train-demo"):
        assert command in printed.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explain", "a.png", "Why?"],
        ["explain", "a.png", "Why?", "--out", "o", "--token", "1", "--phrase", "x"],
        ["explain", "a.png", "Why?", "--out", "o", "--span", "3"],
        ["grounding", "--count", "0"],
        ["benchmark", "--setting", "occlusion=2x2"],
    ],
)
def test_arguments_that_make_no_sense_are_refused_with_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_span_is_read_as_two_numbers():
    options = cli.build_parser().parse_args(
        ["explain", "a.png", "Why?", "--out", "o", "--span", "2:6"]
    )
    assert options.span == (2, 6)


def failing(error):
    class Command:
        @staticmethod
        def run(options):
            raise error

    return lambda name: Command


def test_an_error_is_one_line_on_standard_error_and_status_2(monkeypatch, capsys):
    monkeypatch.setattr(cli, "import_module", failing(SettingError("Set it to one of a, b.")))
    assert cli.main(["doctor"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "error: Set it to one of a, b.\n")


def test_ctrl_c_is_status_130_without_a_traceback(monkeypatch, capsys):
    monkeypatch.setattr(cli, "import_module", failing(KeyboardInterrupt()))
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_doctor_prints_a_line_for_each_finding(capsys):
    assert cli.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "MedGemma 4B" in printed
    assert "Demo model" in printed


def test_a_place_that_cannot_be_written_is_named_as_it_was_typed(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="Choose another --out"), output.writing_to("file/out"):
        (tmp_path / "file" / "out").mkdir()


def test_unknown_methods_and_models_are_told_before_any_work(tmp_path, capsys):
    arguments = ["explain", "missing.png", "Why?", "--out", str(tmp_path / "out")]
    assert cli.main([*arguments, "--method", "magic"]) == 2
    assert "chefer" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_only_the_demo_models_card_is_written(monkeypatch, capsys):
    other = SimpleNamespace(is_demo=False)
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: other)
    assert cli.main(["grounding", "--model", "some/model", "--write-card"]) == 2
    assert "demo model's card" in capsys.readouterr().err
