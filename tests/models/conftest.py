"""A narrow model with Gemma 3's own tokenizer, where that is at hand."""

import contextlib
import io
import runpy
import sys
from pathlib import Path

import pytest

MINIATURE = Path(__file__).parents[3] / "shared" / "tools" / "miniature.py"


@pytest.fixture(scope="package")
def real_miniature(tmp_path_factory):
    """A narrow random MedGemma with Gemma 3's own tokenizer and vocabulary."""
    from medgemma_dash.models import load_model

    if not MINIATURE.exists():
        pytest.skip("Gemma's tokenizer is not part of the repository.")
    folder = tmp_path_factory.mktemp("real-miniature")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(sys, "argv", [str(MINIATURE), str(folder), "--small-images"])
        runpy.run_path(str(MINIATURE), run_name="__main__")
    return load_model(str(folder), device="cpu")
