"""What the environment says about model, device and memory.

MEDGEMMA_DASH_MODEL           "demo", a hub id, or a checkpoint folder      (demo)
MEDGEMMA_DASH_DEVICE          "auto", "cpu", "cuda", "cuda:N", "mps"        (auto)
MEDGEMMA_DASH_DTYPE           "auto", "float32", "bfloat16"                 (auto)
MEDGEMMA_DASH_GRAPH_MEGABYTES memory for kept replay graphs, 0 keeps none   (2048)
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from medgemma_dash.core.errors import SettingError, quoted

DEVICES = ("auto, cpu, mps, cuda, or cuda:N", r"auto|cpu|mps|cuda(:\d{1,3})?")
DTYPES = ("auto, float32 or bfloat16", r"auto|float32|bfloat16")
MEGABYTES = ("a whole number from 0 to 9999999", r"[0-9]{1,7}")


@dataclass(frozen=True)
class Settings:
    """What the environment asked for."""

    model: str = "demo"
    device: str = "auto"
    dtype: str = "auto"
    graph_megabytes: int = 2048


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises SettingError that names the variable and the allowed values."""
    defaults = Settings()
    megabytes = str(defaults.graph_megabytes)
    return Settings(
        model=environment.get("MEDGEMMA_DASH_MODEL", "").strip() or defaults.model,
        device=_choice(environment, "MEDGEMMA_DASH_DEVICE", DEVICES, defaults.device),
        dtype=_choice(environment, "MEDGEMMA_DASH_DTYPE", DTYPES, defaults.dtype),
        graph_megabytes=int(
            _choice(environment, "MEDGEMMA_DASH_GRAPH_MEGABYTES", MEGABYTES, megabytes)
        ),
    )


def _choice(
    environment: Mapping[str, str], name: str, allowed: tuple[str, str], default: str
) -> str:
    words, pattern = allowed
    value = environment.get(name, "").strip() or default
    if not re.fullmatch(pattern, value):
        raise SettingError(f"{name} is {quoted(value)}; allowed: {words}.")
    return value
