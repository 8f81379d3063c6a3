"""Seconds and extra peak memory of a piece of work."""

import gc
import os
import time
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

# The profiler announces every start and stop on stderr, in the midst of the table.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall-clock seconds of one call, the device's queue emptied before and after."""
    _finish(device)
    began = time.perf_counter()
    work()
    _finish(device)
    return time.perf_counter() - began


def extra_peak_bytes(work: Callable[[], object], device: torch.device) -> int:
    """The most memory that torch held during the call above what it held before it."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        _finish(device)
        return int(torch.cuda.max_memory_allocated(device) - before)
    with profile(
        activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=False
    ) as recorded:
        kept = work()
    del kept
    assert recorded.profiler is not None  # noqa: S101  the profiler has run
    results = recorded.profiler.kineto_results
    assert results is not None  # noqa: S101  the profiler has run
    events = [(e.start_ns(), e.nbytes()) for e in results.events() if e.name() == "[memory]"]
    held = peak = 0
    for _, change in sorted(events, key=lambda event: event[0]):
        held += change
        peak = max(peak, held)
    return peak


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
