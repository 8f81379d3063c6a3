"""Where a model computes, and in which number format."""

import psutil
import torch

from medgemma_dash.core.errors import ModelError, quoted


def choose_device(asked: str | None = None) -> torch.device:
    """The asked device, or the best one here; raises ModelError when it is not on this machine."""
    asked = asked or "auto"
    if asked == "auto":
        if torch.cuda.is_available():
            free = [torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())]
            return torch.device("cuda", free.index(max(free)))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device: torch.device | None = torch.device(asked)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise ModelError(f"No device {quoted(asked)}. Allowed: auto, cpu, cuda, cuda:N, mps.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ModelError(
            f"No device {asked!r}: this machine has {torch.cuda.device_count()} CUDA devices. "
            "Use cpu."
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ModelError("No device 'mps': torch finds no Apple GPU here. Use cpu.")
    return device


def choose_dtype(asked: str | None, device: torch.device) -> torch.dtype:
    """The asked number format, or the device's usual one; raises ModelError."""
    if asked in (None, "auto"):
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    formats = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if asked not in formats:
        raise ModelError(f"No number format {quoted(asked)}. Allowed: auto, {', '.join(formats)}.")
    return formats[str(asked)]


def free_memory_bytes(device: torch.device) -> int:
    """Free memory of a device in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
