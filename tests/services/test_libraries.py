"""What doctor says of the libraries, whether or not they can be imported."""

import sys

import pytest

from medgemma_dash import cli
from medgemma_dash.core import dependencies
from medgemma_dash.core.dependencies import Dependency
from medgemma_dash.services import libraries

TESTED = libraries.tested_version("torch")


@pytest.mark.parametrize(
    ("installed", "status", "text"),
    [
        (TESTED, "ok", TESTED),
        (f"{TESTED}+cpu", "ok", f"{TESTED}+cpu"),
        ("2.999.0", "ok", f"2.999.0 fits; tested with {TESTED}"),
        ("2.0.0", "warn", "torch is 2.0.0, not >=2.13,<3"),
        ("3.0.0", "warn", "torch is 3.0.0, not >=2.13,<3"),
        (None, "fail", "torch is not installed"),
    ],
)
def test_a_library_is_held_against_its_range(installed, status, text):
    found = libraries._library(Dependency("torch", ">=2.13,<3", installed))
    assert (found.status, found.text) == (status, text)
    assert found.remedy == ("" if status == "ok" else 'Run `pip install "torch>=2.13,<3"`.')


def test_libraries_that_fit_share_a_line_and_one_that_does_not_has_its_own():
    fitting = tuple(Dependency(name, ">=1", "1.5") for name in ("torch", "scipy", "pydicom"))
    names = [found.name for found in libraries.examine_libraries(fitting)]
    assert names == ["torch", "Other libraries"]
    broken = (*fitting, Dependency("pandas", ">=3", "2.0"))
    by_name = {found.name: found for found in libraries.examine_libraries(broken)}
    assert by_name["pandas"].status == "warn"
    assert by_name["Other libraries"].text.startswith("2,")


def test_doctor_names_the_library_that_keeps_the_rest_from_being_examined(monkeypatch, capsys):
    old = Dependency("transformers", ">=5.24,<6", "4.57.1")
    monkeypatch.setattr(dependencies, "dependencies", lambda: (old,))
    monkeypatch.setattr(
        cli.import_module("medgemma_dash.cli.doctor"), "dependencies", lambda: (old,)
    )
    # None in its place: whoever imports it gets an ImportError.
    monkeypatch.setitem(sys.modules, "medgemma_dash.services.doctor", None)
    assert cli.main(["doctor"]) == 2
    printed = capsys.readouterr()
    assert "warn  transformers     transformers is 4.57.1, not >=5.24,<6" in printed.out
    assert 'pip install "transformers>=5.24,<6"' in printed.out
    assert printed.err.splitlines()[-1].startswith("error: The libraries beside MedGemma Dash")


def test_this_python_is_the_tested_one_or_said_to_be_another(monkeypatch):
    monkeypatch.setattr(libraries.sys, "version_info", (3, 11, 9))
    assert libraries.examine_python().status == "ok"
    monkeypatch.setattr(libraries.sys, "version_info", (3, 13, 0))
    assert libraries.examine_python().status == "warn"
