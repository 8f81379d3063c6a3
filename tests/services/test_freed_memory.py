"""Freed memory that stays with the process costs no new pages."""

import os
import platform
import subprocess
import sys

import pytest

from medgemma_dash.services.runtime import allocator as freed_memory

PAGE_FAULTS = """
import resource, torch
from medgemma_dash.services.runtime.allocator import keep_freed_memory
if {kept}:
    assert keep_freed_memory()
def step():
    held = [torch.ones(5 << 20) for _ in range(4)]  # 80 MB, at once
for _ in range(6):  # until the blocks lie where they will stay
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_kept_memory_is_used_again_without_new_pages():
    # With these, glibc hands back whatever it can; left alone, it does so now and then.
    handing_back = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    faults = [
        int(
            subprocess.check_output(
                [sys.executable, "-c", PAGE_FAULTS.format(kept=kept)], env=os.environ | handing_back
            )
        )
        for kept in (False, True)
    ]
    assert faults[1] < faults[0] / 20


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(freed_memory.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(freed_memory.ctypes, "CDLL", None)
    assert not freed_memory.keep_freed_memory()
