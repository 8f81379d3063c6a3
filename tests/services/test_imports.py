"""What runs before a model is there imports no torch."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TASKS = [
    f"medgemma_dash.services.{of}"
    for of in (
        "runtime.host",
        "explaining.tasks",
        "faithfulness.tasks",
        "layers.tasks",
        "words.tasks",
    )
]


@pytest.mark.parametrize("module", TASKS)
def test_importing_the_host_or_tasks_imports_no_torch(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "print([name for name in ('torch', 'transformers', 'streamlit') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert run.stdout.decode().strip() == "[]"


def test_what_frames_every_page_imports_no_torch() -> None:
    """Else the first page waits for it; Streamlit's collection after every run takes long, too."""
    framing = re.findall(
        r"    from (medgemma_dash\S+) import", (ROOT / "Home.py").read_text("utf-8")
    )
    code = f"import sys, {', '.join(framing)}, medgemma_dash.ui.components.chart"
    code += "; print([name for name in ('torch', 'transformers') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert len(framing) > 5
    assert run.stdout.decode().strip() == "[]"
