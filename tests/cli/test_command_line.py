import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from medgemma_dash import cli
from medgemma_dash.cli import chosen_model, dashboard, output
from medgemma_dash.core.errors import SettingError
from medgemma_dash.services import doctor
from medgemma_dash.services.libraries import Diagnosis


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
    for command in ("run", "explain", "bench", "grounding", "benchmark", "doctor", "train-demo"):
        assert command in printed.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explain", "a.png", "Why?"],
        ["explain", "a.png", "Why?", "--out", "o", "--token", "1", "--phrase", "x"],
        ["explain", "a.png", "Why?", "--out", "o", "--span", "3"],
        ["grounding", "--count", "0"],
        ["run", "--port", "nine"],
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


def test_run_becomes_the_server_on_this_machine_alone(monkeypatch, capsys, tmp_path):
    became = []

    class EndedHereError(BaseException):
        """What the process became would not come back either."""

    def become(*call):
        became.append(call)
        raise EndedHereError

    monkeypatch.setattr(dashboard.os, "execve", become)
    monkeypatch.setenv("MEDGEMMA_DASH_MODEL", "demo")
    monkeypatch.chdir(tmp_path)  # the folder one stands in does not matter
    with pytest.raises(EndedHereError):
        cli.main(["run", "--port", "9001", "--model", "some/model", "--device", "cpu"])
    ((program, command, environment),) = became
    assert program == command[0] == sys.executable
    home = Path(command[command.index("run") + 1])
    assert (home.name, home.is_file()) == ("Home.py", True)
    assert (home.parent / ".streamlit" / "config.toml").is_file()
    assert command[-4:] == ["--server.address", "127.0.0.1", "--server.port", "9001"]
    assert environment["MEDGEMMA_DASH_MODEL"] == "some/model"
    assert "http://127.0.0.1:9001" in capsys.readouterr().out


def test_run_refuses_a_setting_before_it_starts(capsys):
    assert cli.main(["run", "--dtype", "float8"]) == 2
    assert "MEDGEMMA_DASH_DTYPE" in capsys.readouterr().err


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


@pytest.mark.parametrize(("found", "status"), [("fail", 1), ("warn", 0)])
def test_doctor_ends_with_1_where_what_it_found_keeps_the_program_from_working(
    monkeypatch, capsys, found, status
):
    setting = Diagnosis("Settings", found, "MEDGEMMA_DASH_DTYPE is 'float8'", "Correct it.")
    monkeypatch.setattr(doctor, "examine", lambda: iter([setting]))
    assert cli.main(["doctor"]) == status
    printed = capsys.readouterr()
    assert "-> Correct it." in printed.out
    assert printed.err == ""


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
