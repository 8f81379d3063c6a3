"""A checkpoint's configuration and size, checked before transformers builds anything from them.

Transformers takes the numbers at their word: a million layers are a million modules, no heads a
division by zero, and weights that are missing are filled with random numbers, however many.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, PretrainedConfig

from medgemma_dash.core.errors import ModelError, quoted

MOST_LAYERS = 1000
MOST = 1 << 31  # of anything else that is counted
NUMBERS_PER_BYTE = 2  # of weights, when they are packed most tightly: four bits each
_COUNTED: Mapping[str, tuple[str, ...]] = {
    "": ("mm_tokens_per_image", "image_token_index", "image_token_id"),
    "text_config": (
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim", "vocab_size", "sliding_window",
    ),
    "vision_config": (
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "image_size", "patch_size",
    ),
}  # fmt: skip


# Wherever they stand: above the first number, up to the second.
_MEASURED: Mapping[str, tuple[float, float]] = {
    "rms_norm_eps": (0, 1),
    "layer_norm_eps": (0, 1),
    "query_pre_attn_scalar": (0, MOST),
    "rope_theta": (1, 1e12),
    "rope_local_base_freq": (1, 1e12),
    "factor": (0, 1e6),  # of scaled positions
}
# Of Gemma 2 and of encoders: what is computed and explained here has none of it.
_UNKNOWN = ("attn_logit_softcapping", "final_logit_softcapping", "use_bidirectional_attention")


def check_configuration(raw: object) -> None:
    """Check a Gemma 3 configuration as it stands in config.json; raises ModelError."""
    for fault in _faults(raw):
        raise ModelError(
            f"The checkpoint could not be loaded: in its config.json {fault}. Copy it again from "
            "where the checkpoint came from."
        )


def check_size(config: PretrainedConfig, folder: Path) -> None:
    """Compare the numbers that the configuration describes with what the weights can hold.

    Raises ModelError. Nothing of that size is allocated.
    """
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    described = sum(parameter.numel() for parameter in model.parameters())
    held = NUMBERS_PER_BYTE * sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    if described > held:
        raise ModelError(
            f"The checkpoint could not be loaded: its config.json describes {described:,} numbers, "
            f"and its weights hold {held:,} at most. The copy is incomplete, or the configuration "
            "is another model's."
        )


def _faults(raw: object) -> Iterator[str]:
    if not isinstance(raw, Mapping):
        yield "is no JSON object"
        return
    for part, names in _COUNTED.items():
        section = raw.get(part) if part else raw
        if not isinstance(section, Mapping):
            yield f"{part} is no object"
            return
        for name in names:
            if name in section and not _is_count(section[name], name):
                most = MOST_LAYERS if name == "num_hidden_layers" else MOST
                place = f"{part}.{name}" if part else name
                yield f"{place} is {quoted(section[name])}, not a whole number from 1 to {most}"

    for part in _COUNTED:
        yield from _unmeasured(raw.get(part, {}) if part else {}, part)


def _unmeasured(section: Mapping[str, Any], place: str) -> Iterator[str]:
    for name, value in section.items():
        where = f"{place}.{name}"
        if isinstance(value, Mapping):
            yield from _unmeasured(value, where)
        elif name in _UNKNOWN and value not in (None, False):
            yield f"{where} is {quoted(value)}, which Gemma 3 does not have"
        elif name in _MEASURED:
            above, most = _MEASURED[name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and above < value <= most):
                yield f"{where} is {quoted(value)}, not a number above {above} up to {most:g}"


def _is_count(value: Any, name: str) -> bool:
    most = MOST_LAYERS if name == "num_hidden_layers" else MOST
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
