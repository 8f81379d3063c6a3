"""The house rules that no linter holds."""

import ast
import os
import re
import subprocess
import sys
import tomllib

import pytest

import medgemma_dash
from medgemma_dash.core import errors

FUNCTIONS = {"ask", "explain", "load_model", "load_radiograph", "relevancy_tensor", "wrap_model"}
ANALYSES = {
    "answer_questions",
    "evidence",
    "faithfulness",
    "intervene",
    "prompt_sensitivity",
    "read_record",
    "rerun",
    "target_words",
}
RESULTS = {"Answer", "Explanation", "Radiograph", "Record", "VisionLanguageModel"}
ERRORS = {name for name, found in vars(errors).items() if isinstance(found, type)}
PUBLIC = FUNCTIONS | ANALYSES | RESULTS | ERRORS


def run_python(repository, code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_public_names_are_the_contract_and_nothing_else():
    assert set(medgemma_dash.__all__) == PUBLIC


def test_errors_are_caught_where_they_are_documented_and_all_as_one():
    assert "MedGemmaDashError" in ERRORS
    for name in ERRORS:
        assert issubclass(getattr(medgemma_dash, name), medgemma_dash.MedGemmaDashError)
        assert re.search(rf"\b{name}\b", errors.__doc__), f"{name} is not in the tree"


def test_importing_the_package_loads_neither_torch_nor_streamlit(repository):
    code = (
        "import sys, medgemma_dash;"
        "print([m for m in ('torch', 'transformers', 'streamlit', 'numpy') if m in sys.modules])"
    )
    assert run_python(repository, code) == "[]"


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_each_public_name_resolves_to_what_it_says(name):
    assert getattr(medgemma_dash, name).__name__ == name
    assert name in dir(medgemma_dash)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'load_modle'"):
        medgemma_dash.load_modle  # noqa: B018


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_direct_dependency_is_pinned(repository, name):
    lines = (repository / name).read_text().splitlines()
    required = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert required
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in required)


def test_the_version_stands_in_one_place_and_is_told_everywhere(repository):
    version = medgemma_dash.__version__
    citation = (repository / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {version}\n" in citation
    assert f"\n## {version}\n" in (repository / "CHANGELOG.md").read_text("utf-8")


def test_what_contributing_points_at_is_there(repository):
    text = (repository / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"\b((?:medgemma_dash|imaging|pages|tests)/[\w/.]*)", text))
    paths = {name.rstrip(".") for name in named if not re.search(r"yours|Yours|N_", name)}
    assert "imaging/sniff.py" in paths
    for name in paths:
        places = [repository / name, repository / "medgemma_dash" / name]
        assert any(place.exists() for place in places), name


def test_the_server_is_private_and_sends_nothing_out(repository):
    config = tomllib.loads((repository / ".streamlit" / "config.toml").read_text())
    server = config["server"]
    assert server["address"] == "127.0.0.1"
    assert server["headless"] is True
    assert server["enableXsrfProtection"] is True
    assert server["enableCORS"] is True
    assert server["maxUploadSize"] == 50
    assert server["fileWatcherType"] == "none"
    assert server["showEmailPrompt"] is False
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"


def test_the_makefile_starts_the_dashboard_where_it_is_told(repository):
    plan = subprocess.run(
        ["make", "--dry-run", "run", "PORT=9001"],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "python -m medgemma_dash run --port 9001" in plan


def test_nothing_reads_pickles_or_runs_code_from_a_checkpoint(repository):
    unsafe = {"trust_remote_code": True, "allow_pickle": True, "weights_only": False}
    found = []
    for path in [*repository.glob("medgemma_dash/**/*.py"), *repository.glob("pages/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in unsafe:
                value = getattr(node.value, "value", None)
                if value is unsafe[node.arg]:
                    found.append(f"{path.relative_to(repository)}:{node.value.lineno}")
    assert found == []


def test_no_module_above_models_and_demo_reaches_into_a_hugging_face_model(repository):
    package = repository / "medgemma_dash"
    below = (package / "models", package / "demo")
    found = []
    for path in [*package.glob("**/*.py"), *repository.glob("pages/*.py"), repository / "Home.py"]:
        if any(folder in path.parents for folder in below):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = getattr(node, "attr", None) or getattr(node, "value", None)
            if named == "hf_model" or (isinstance(node, ast.keyword) and node.arg == "hf_model"):
                found.append(f"{path.relative_to(repository)}:{getattr(node, 'lineno', '')}")
    assert found == []


def test_tests_have_no_network():
    import socket

    with pytest.raises(PermissionError, match="no network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)  # a documentation address
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_shapes_in_signatures_are_checked_while_tests_run():
    import numpy as np
    from jaxtyping import TypeCheckError

    from medgemma_dash.metrics.localisation import pointing_hit

    with pytest.raises(TypeCheckError):
        pointing_hit(np.zeros(4, dtype=np.float32), np.zeros((4, 4), dtype=bool))
