"""The wheel works from another folder, where no checkout is in reach.

It is built and unpacked once; what it depends on is taken from the environment of the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from medgemma_dash.methods import available

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# One page, drawn by the shipped Home.py in the process that this code runs in, once the shipped
# demo model is loaded.
DRAW_A_PAGE = """
import json, time
from streamlit.testing.v1 import AppTest
import medgemma_dash
from medgemma_dash.core.resources import resource

page = AppTest.from_file(str(resource("Home.py")), default_timeout=120).run()
page.switch_page("pages/9_Methods.py")
deadline = time.monotonic() + 120
while not page.run().dataframe:
    assert not page.exception, page.exception
    assert time.monotonic() < deadline, "The model did not load."
    time.sleep(0.2)  # between two looks at a condition, not instead of one
methods = page.dataframe[0].value
told = [one.value for one in page.caption]
print(json.dumps({"package": medgemma_dash.__file__, "methods": len(methods), "told": told}))
"""


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", folder, repository],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """Where the wheel is unpacked, as pip would do it."""
    place = wheel.parent / "installed"
    offline = ["--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *offline, "--target", place, wheel],
        cwd=wheel.parent,
        check=True,
        capture_output=True,
    )
    return place


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Runs Python in an empty folder beside the installed wheel; stops the test if it fails."""
    kept = {name: value for name, value in os.environ.items() if "MEDGEMMA" not in name}

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=tmp_path,
            env=kept | {"PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done

    return python


def test_it_holds_the_program_and_nothing_else(wheel: Path, repository: Path) -> None:
    with ZipFile(wheel) as archive:
        held = set(archive.namelist())
        (metadata,) = (name for name in held if name.endswith(".dist-info/METADATA"))
        facts = BytesParser().parsebytes(archive.read(metadata))
        (commands,) = (name for name in held if name.endswith(".dist-info/entry_points.txt"))
        assert "medgemma-dash = medgemma_dash.__main__:run" in archive.read(commands).decode()
    files = files_of(repository, "medgemma_dash")
    shipped = files_of(
        repository, "Home.py", "pages", ".streamlit", "requirements.txt", "assets/benchmark",
        "assets/demo-model", "assets/fonts", "assets/samples", "assets/styles",
        "docs/schemas",
    )  # fmt: skip
    expected = files | {f"medgemma_dash/shipped/{name}" for name in shipped}
    assert {name for name in held if ".dist-info/" not in name} == expected
    assert "medgemma_dash/py.typed" in held
    assert facts["Requires-Python"] == ">=3.11"
    assert any(one.startswith("torch<3,>=2.13") for one in facts.get_all("Requires-Dist", []))


def files_of(repository: Path, *places: str) -> set[str]:
    """Files of the checkout, but for what Python and tools leave beside them."""
    roots = [repository / place for place in places]
    found = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*"))]
    return {
        path.relative_to(repository).as_posix()
        for path in found
        if path.is_file() and "__pycache__" not in path.parts and path.name != "secrets.toml"
    }


def test_explain_and_its_report_work_from_another_folder(run: Run, tmp_path: Path) -> None:
    find = "from medgemma_dash.core.resources import resource; print(resource('assets', 'samples'))"
    samples = Path(run("-c", find).stdout.strip())
    dicom = str(samples / "pleural-effusion-right.dcm")
    question = "Is there evidence of pleural effusion?"
    command = ["-m", "medgemma_dash", "explain", dicom, question, "--token", "0", "--report"]
    told = run(*command, "--out", "explained").stdout
    assert "not MedGemma" in told
    assert "Replay    exact" in told
    out = tmp_path / "explained"
    names = ["explanation.json", "overlay.png", "relevancy.npz", "report.html"]
    assert sorted(path.name for path in out.iterdir()) == names
    document = json.loads((out / "explanation.json").read_text("utf-8"))
    assert len(document["map"]["values"]) == document["map"]["rows"]
    assert question in (out / "report.html").read_text("utf-8")


def test_a_page_is_drawn_by_the_shipped_program(run: Run, installed: Path) -> None:
    seen = json.loads(run("-c", DRAW_A_PAGE).stdout.splitlines()[-1])
    assert Path(seen["package"]).is_relative_to(installed)
    assert seen["methods"] == len(available())
    assert any("radiographs" in line for line in seen["told"])  # of the shipped benchmark
