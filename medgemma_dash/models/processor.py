"""What the processor at hand is good at."""

from contextlib import AbstractContextManager

import torch


def multiplies_bfloat16() -> bool:
    """Whether bfloat16 matrix products are at least as fast as float32 ones on the processor.

    Without AVX-512 torch has no kernel for them, and they take fifty times as long and more.
    """
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def quick_products() -> AbstractContextManager[object]:
    """Matrix products on the processor in bfloat16 where that is fast, else as they are."""
    return torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16())
