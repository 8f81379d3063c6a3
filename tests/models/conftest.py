"""Tiny matrices on several threads spend their time waiting for one another."""

import contextlib
import io
import runpy
import sys
from pathlib import Path

import pytest
import torch

MINIATURE = Path(__file__).parents[3] / "shared" / "tools" / "miniature.py"


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
