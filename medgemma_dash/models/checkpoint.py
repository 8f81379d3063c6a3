"""What a model's name stands for, and why it cannot be loaded."""

import importlib
import re
from pathlib import Path

from transformers import AutoConfig, PretrainedConfig
from transformers.utils import find_adapter_config_file

from medgemma_dash.core.errors import (
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    UnsupportedModelError,
    quoted,
)
from medgemma_dash.core.resources import resource
from medgemma_dash.models.configuration import check_configuration, check_size
from medgemma_dash.models.fitness import MERGING, described
from medgemma_dash.models.gemma3 import read_layout

DEMO_FOLDER = resource("assets", "demo-model")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")
PROCESSOR_FILES = {
    "tokenizer": ("tokenizer.json", "tokenizer.model"),
    "image processor": ("preprocessor_config.json", "processor_config.json"),
}


def source_of(name: str) -> str:
    """A folder's path or a hub id, for transformers; raises ModelNotFoundError and its kin."""
    if name == "demo":
        folder = DEMO_FOLDER
    elif name and _is_folder(name):
        folder = Path(name)
    elif HUB_ID.fullmatch(name):
        return name
    else:
        raise ModelNotFoundError(
            f"There is no model {quoted(name)}. Allowed: demo, a hub id such as "
            "google/medgemma-1.5-4b-it, or the path of a checkpoint folder."
        )
    if (folder / "adapter_config.json").is_file():
        raise UnsupportedModelError(
            f"The model folder {name!r} holds an adapter, such as LoRA, and no model of its own. "
            f"First {MERGING}, and save that with save_pretrained; where it is merged already, "
            "remove adapter_config.json."
        )
    if not (folder / "config.json").is_file():
        raise ModelNotFoundError(f"The model folder {name!r} has no config.json.")
    if not any(folder.glob("*.safetensors")):
        raise ModelNotFoundError(
            f"The model folder {name!r} holds no *.safetensors weights. Other formats are not "
            "read; convert them with transformers' save_pretrained."
        )
    return str(folder)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # longer than a path can be
        return False


def explained(name: str, error: Exception) -> ModelError:
    """What transformers raised, as what is wrong and what to do."""
    hub = importlib.import_module("huggingface_hub.errors")
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(cause, hub.GatedRepoError) for cause in causes):
        return ModelAccessError(
            f"{name} is gated. Accept its terms on its page at the hub, run `hf auth login` with a "
            "token that may read it, and start again."
        )
    if any(isinstance(cause, hub.RepositoryNotFoundError) for cause in causes):
        return ModelNotFoundError(
            f"The hub has no {name}, or this machine may not see it. Check the spelling; for a "
            "private or gated model run `hf auth login` first."
        )
    is_folder = name == "demo" or _is_folder(name)
    if not is_folder and find_adapter_config_file(name) is not None:
        return UnsupportedModelError(
            f"{name} is an adapter, such as LoRA, and no model of its own. First {MERGING}, "
            "and save that with save_pretrained."
        )
    if is_folder or not isinstance(error, OSError | ValueError):
        return ModelError(f"The model folder {name!r} could not be loaded: {described(error)}")
    return ModelNotFoundError(
        f"{name} is neither on this machine nor could it be fetched from the hub. Check the "
        "network and `hf auth login`, or give the path of a downloaded checkpoint folder."
    )


def check_checkpoint(source: str) -> None:
    """Raise ModelError for what cannot be right before anything is built from it."""
    raw, _ = PretrainedConfig.get_config_dict(source, trust_remote_code=False)
    if not isinstance(raw, dict) or raw.get("model_type") == "gemma3":
        check_configuration(raw)
    config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    read_layout(config)
    folder = Path(source)
    if not folder.is_dir():
        return
    check_size(config, folder)
    for part, files in PROCESSOR_FILES.items():
        if not any((folder / file).is_file() for file in files):
            raise ModelError(
                f"The model folder {source!r} could not be loaded: it has no {part} "
                f"({' or '.join(files)}). Save the processor of the same checkpoint into it."
            )
