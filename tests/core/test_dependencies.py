"""What is said where the libraries beside the program are not as it needs them."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import medgemma_dash
from medgemma_dash import cli
from medgemma_dash.core import dependencies
from medgemma_dash.core.dependencies import Dependency, blaming_dependencies
from medgemma_dash.core.errors import DependencyError, ImageError
from medgemma_dash.services.runtime.failures import plain_error

OLD_TORCH = Dependency("torch", ">=2.13,<3", "2.5.1+cpu")
NO_PYDICOM = Dependency("pydicom", ">=3.0.2,<4", None)
FITTING = Dependency("numpy", ">=2.4,<3", "2.4.6")


@pytest.fixture(scope="module")
def project(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture
def beside(monkeypatch):
    """Puts other libraries beside the program."""

    def put(*found):
        monkeypatch.setattr(dependencies, "dependencies", lambda: found)

    return put


def test_every_pin_lies_in_its_range_and_the_lists_name_the_same(repository, project):
    ranges = {canonicalize_name(one.name): one for one in map(Requirement, project["dependencies"])}
    lines = (repository / "requirements.txt").read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert {canonicalize_name(pin.name) for pin in pins} == set(ranges)
    for pin in pins:
        (exactly,) = pin.specifier
        assert exactly.operator == "=="
        assert ranges[canonicalize_name(pin.name)].specifier.contains(exactly.version), str(pin)


def test_every_library_that_is_imported_is_a_dependency(repository, project):
    needed = {canonicalize_name(Requirement(one).name) for one in project["dependencies"]}
    owners = packages_distributions()
    sources = [repository / "Home.py", *repository.glob("pages/*.py")]
    sources += repository.glob("medgemma_dash/**/*.py")
    for path in sources:
        for module in imported(path.read_text("utf-8")):
            if module == "medgemma_dash" or module in sys.stdlib_module_names:
                continue
            names = {canonicalize_name(owner) for owner in owners[module]}
            assert names & (needed | {"markupsafe"}), f"{path.name} imports {module}"


def imported(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_the_ranges_are_read_in_a_checkout_and_from_a_wheel(project, monkeypatch, tmp_path):
    names = [one.name for one in dependencies.dependencies()]
    assert names == [Requirement(one).name for one in project["dependencies"]]
    assert dependencies.unmet() == ()  # the tests run beside the pins
    monkeypatch.setattr(dependencies, "resource", lambda name: tmp_path / name)
    lines = ["torch<3,>=2.13", "nothing-of-this-name>=1", 'nbformat>=5; extra == "notebook"']
    monkeypatch.setattr(dependencies, "requires", lambda name: lines)
    torch, nothing = dependencies.dependencies()
    assert (torch.name, torch.allowed, torch.fits) == ("torch", "<3,>=2.13", True)
    assert (nothing.installed, nothing.fits) == (None, False)
    assert nothing.complaint == "nothing-of-this-name is not installed"


def test_a_nightly_build_within_the_range_fits():
    assert Dependency("torch", ">=2.13,<3", "2.14.0.dev20260101+cu130").fits
    assert not OLD_TORCH.fits


def test_a_failure_beside_a_library_that_does_not_fit_names_it(beside):
    beside(FITTING, OLD_TORCH, NO_PYDICOM)
    with pytest.raises(DependencyError) as caught, blaming_dependencies():
        raise AttributeError("module 'torch' has no attribute 'made_up'")
    told = str(caught.value)
    assert "torch is 2.5.1+cpu, not >=2.13,<3" in told
    assert "pydicom is not installed" in told
    assert "AttributeError" in told
    assert told.endswith('pip install "torch>=2.13,<3" "pydicom>=3.0.2,<4"')
    assert "numpy" not in told
    assert isinstance(caught.value.__cause__, AttributeError)


def test_other_failures_pass_as_they_are(beside):
    beside(FITTING)
    with pytest.raises(AttributeError), blaming_dependencies():
        raise AttributeError
    beside(OLD_TORCH)
    with pytest.raises(ImageError), blaming_dependencies():
        raise ImageError("no picture")
    with pytest.raises(KeyboardInterrupt), blaming_dependencies():
        raise KeyboardInterrupt


def fail_to_import(name):
    raise ImportError(f"cannot import {name}")


def test_the_command_line_warns_first_and_fails_in_one_line(beside, monkeypatch, capsys):
    beside(OLD_TORCH)
    monkeypatch.setattr(cli, "import_module", fail_to_import)
    assert cli.main(["doctor"]) == 2
    warning, error = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: torch is 2.5.1+cpu, not >=2.13,<3; ")
    assert error.startswith("error: The libraries beside MedGemma Dash do not fit")


def test_a_public_name_says_which_library_kept_it_from_loading(beside, monkeypatch):
    beside(NO_PYDICOM)
    monkeypatch.setattr(medgemma_dash, "import_module", fail_to_import)
    monkeypatch.delitem(vars(medgemma_dash), "load_radiograph", raising=False)
    with pytest.raises(DependencyError, match=re.escape("pydicom is not installed")):
        medgemma_dash.load_radiograph  # noqa: B018


def test_a_page_says_which_library_ended_a_computation(beside):
    beside(OLD_TORCH)
    told = plain_error(AttributeError("made up"), "Loading the model")
    assert "torch is 2.5.1+cpu" in str(told)
    beside(FITTING)
    assert not isinstance(plain_error(AttributeError("made up"), "Loading"), DependencyError)


def test_the_dashboard_does_not_start_without_a_library(beside, monkeypatch, capsys):
    beside(NO_PYDICOM)
    assert cli.main(["run"]) == 2
    assert "pydicom is not installed" in capsys.readouterr().err
