"""The README's examples work as they stand there."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from medgemma_dash import cli
from medgemma_dash.core.settings import Settings, read_settings

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
# Minutes each, or for as long as one looks at it: their arguments are read, no more.
LONG = ("bench", "benchmark", "faithfulness", "grounding", "questions", "run", "train-demo")
EXPECTED_FILES = ("explanation.json", "relevancy.npz", "overlay.png", "report.html")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def shell_lines() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(repository, tmp_path_factory) -> Path:
    """Where the README's paths lead to the samples; what a command wrote, the next one finds."""
    made: Path = tmp_path_factory.mktemp("checkout")
    (made / "assets").symlink_to(repository / "assets")
    return made


@pytest.fixture
def checkout(folder, monkeypatch) -> Path:
    """That folder as the one at hand; nothing is written back into the repository."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MEDGEMMA_DASH_MODEL", raising=False)
    return folder


@pytest.mark.parametrize("code", blocks("python"))
def test_python_examples_run(code, checkout):
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - our own README


def medgemma_lines() -> list[list[str]]:
    lines = [shlex.split(line, comments=True) for line in shell_lines()]
    return [line[1:] for line in lines if line[:1] == ["medgemma-dash"]]


@pytest.mark.parametrize("arguments", medgemma_lines(), ids=lambda arguments: arguments[0])
def test_command_line_examples_run(arguments, checkout):
    if arguments[0] in LONG:
        assert cli.build_parser().parse_args(arguments)
        return
    assert cli.main(arguments) == 0
    if arguments[0] == "explain":
        out = checkout / arguments[arguments.index("--out") + 1]
        assert sorted(path.name for path in out.iterdir()) == sorted(EXPECTED_FILES)


def test_every_make_target_it_names_exists(repository):
    targets = set(re.findall(r"\bmake ([a-z]+)", "\n".join(shell_lines())))
    assert targets == {"run", "test"}
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=repository, check=True,
                       capture_output=True)  # fmt: skip


def test_it_names_every_command():
    named = {arguments[0] for arguments in medgemma_lines()}
    known = re.findall(r"^    ([a-z-]+)(?: |$)", cli.build_parser().format_help(), re.MULTILINE)
    assert named == set(known)


def test_no_shell_example_goes_unchecked():
    known = re.compile(
        r"(\w+=\S+ )?make (run|test)\b|pip install \. |medgemma-dash |hf auth login$"
    )
    assert [line for line in shell_lines() if not known.match(line)] == []


def test_the_settings_table_lists_every_setting_with_its_default():
    table = dict(re.findall(r"^\| `(MEDGEMMA_DASH_\w+)` \|.*\| `(\w+)` \|$", README, re.MULTILINE))
    assert read_settings(table) == Settings()
    assert len(table) == len(Settings.__dataclass_fields__)


def test_every_file_it_points_at_is_there(repository):
    linked = re.findall(r"\]\(((?!http)[^)]+)\)", README)
    assert "assets/screenshot.png" in linked
    for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "CHANGELOG.md"):
        page = repository / name
        paths = re.findall(r"\]\(((?!http)[^)]+)\)", page.read_text("utf-8"))
        assert [path for path in paths if not (page.parent / path).exists()] == []


def test_every_variable_of_the_environment_is_in_the_table(repository):
    sources = (repository / "medgemma_dash").rglob("*.py")
    read = {name for path in sources
            for name in re.findall(r"MEDGEMMA_DASH_[A-Z_]+", path.read_text("utf-8"))}  # fmt: skip
    assert {name for name in read if f"`{name}`" not in README} == set()
